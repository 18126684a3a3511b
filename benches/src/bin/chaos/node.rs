//! The handler of every stage.

use crate::fate::{Bomb, Job};
use crate::world::{Outside, World};
use benches::rng::Dice;
use seda_core::{Batch, Context, Handler, Held, Sink};
use std::hint::spin_loop;
use std::sync::Arc;
use std::time::Duration;

/// A way out of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) to: usize,
    pub(crate) sink: Sink<Job>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) cohort: bool,
    /// One event in so many is stuck; never at 0.
    pub(crate) sticky: usize,
    pub(crate) may_block: bool,
    pub(crate) dice: Dice,
    pub(crate) kept: Vec<(Job, Held)>,
    pub(crate) _bomb: Bomb,
}

impl Handler<Job> for Node {
    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        job.fate.begin();
        let mut dice = Dice(job.seed);
        self.work(&mut dice);
        dice.panic_one_in(40);
        match dice.below(30) {
            0 => match cx.defer() {
                Ok(pending) => {
                    let exits = self.exits.clone();
                    self.world.outside.lock().push(Outside { pending, job, exits });
                    return;
                }
                Err(_) => cx.flush(),
            },
            1 => match cx.hold() {
                Ok(held) => return self.kept.push((job, held)),
                Err(_) => cx.flush(),
            },
            2 => self.release(cx),
            _ => {}
        }
        if job.hops > 0 {
            for _ in 0..dice.below(4) {
                self.send(&mut dice, &mut job, cx);
            }
        }
        dice.panic_one_in(40);
        if let Some(reply) = job.reply.take().filter(|_| !dice.one_in(8)) {
            reply.respond(job.seed);
        }
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Job>, cx: &mut Context) {
        if self.cohort && batch.len() > 1 {
            let jobs = batch.take_all(cx);
            jobs.iter().for_each(|job| job.fate.begin());
            jobs.iter().for_each(|job| Dice(job.seed).panic_one_in(40));
            return;
        }
        while let Some(job) = batch.next(cx) {
            let leaves = Dice(job.seed ^ 1).one_in(60);
            self.handle(job, cx);
            if leaves {
                return;
            }
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        while !self.kept.is_empty() && !self.dice.one_in(20) {
            self.release(cx);
        }
        self.dice.panic_one_in(10);
    }
}

impl Node {
    /// Uses the core, waits, or does not come back.
    fn work(&mut self, dice: &mut Dice) {
        (0..dice.below(3_000)).for_each(|_| spin_loop());
        if self.may_block && dice.one_in(50) {
            std::thread::park_timeout(Duration::from_micros(dice.below(2_000) as u64));
        }
        if self.sticky > 0 && self.dice.one_in(self.sticky) {
            self.world.prison.stay();
        }
    }

    /// Lets the oldest of what is kept go, and perhaps sends for it.
    fn release(&mut self, cx: &mut Context) {
        if self.kept.is_empty() {
            return;
        }
        let (mut job, mut held) = self.kept.remove(0);
        if let Some(exit) = self.dice.pick(&self.exits).filter(|_| job.hops > 0) {
            let child = child(&self.world, &mut self.dice, &mut job, exit);
            let sent = held.send(cx, &exit.sink, child);
            self.world.note(sent.map_err(|refused| refused.into_event()));
        }
        if !self.dice.one_in(10) {
            held.release();
        }
    }

    fn send(&self, dice: &mut Dice, job: &mut Job, cx: &mut Context) {
        let (world, exits) = (&self.world, &self.exits);
        let (Some(exit), Some(other)) = (dice.pick(exits), dice.pick(exits)) else { return };
        match dice.below(8) {
            0..=2 => {
                let sent = cx.send(&exit.sink, child(world, dice, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            3 => {
                let n = dice.below(5);
                let children = (0..n).map(|_| child(world, dice, job, exit)).collect();
                let sent = cx.send_all(&exit.sink, children);
                world.note_all(n, sent.map_err(|refused| refused.into_event()));
            }
            4 => {
                let (a, b) = (child(world, dice, job, exit), child(world, dice, job, other));
                match cx.send_both((&exit.sink, a), (&other.sink, b)) {
                    Ok(()) => world.note_all(2, Ok(())),
                    Err(refused) => {
                        let (a, b) = refused.into_event();
                        world.note(Err(a));
                        b.keep();
                    }
                }
            }
            5 => {
                let delay = Duration::from_micros(dice.below(20_000) as u64);
                let sent = cx.send_after(delay, &exit.sink, child(world, dice, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            6 => {
                let Some(source) = world.source(exit.to) else { return };
                let sent = source.send(child(world, dice, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            _ => {
                let n = dice.between(1, 3);
                match cx.reserve(&exit.sink, n) {
                    Ok(mut permits) => {
                        let sent = permits.send(child(world, dice, job, exit));
                        world.note(sent.map_err(|refused| refused.into_event()));
                        if dice.one_in(4) {
                            world.permits.lock().push((exit.to, permits));
                        }
                    }
                    Err(_) => world.note_all_refused(n),
                }
            }
        }
    }
}

fn child(world: &World, dice: &mut Dice, parent: &mut Job, exit: &Exit) -> Job {
    let reply = parent.reply.take().filter(|_| dice.one_in(2));
    let child = Job::new(&world.fates, exit.to, parent.hops.saturating_sub(1), dice.roll());
    Job { reply, ..child }
}
