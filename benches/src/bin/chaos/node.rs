//! The handler of every stage.

use crate::fate::{Exit, Job, PanicOnDrop};
use crate::world::{Deferred, World};
use benches::rng::Rng;
use seda_core::{Batch, Context, Handler, Held};
use std::hint::spin_loop;
use std::sync::Arc;
use std::time::Duration;

/// A handler that works, sends, defers, holds, replies and panics at random.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) exits: Vec<Exit>,
    pub(crate) cohort: bool,
    /// Each event gets stuck with a chance of one in this number; none at 0.
    pub(crate) sticky: usize,
    pub(crate) may_block: bool,
    pub(crate) rng: Rng,
    pub(crate) kept: Vec<(Job, Held)>,
    pub(crate) _panics: PanicOnDrop,
}

impl Handler<Job> for Node {
    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        job.fate.begin();
        let mut rng = Rng(job.seed);
        self.work(&mut rng);
        rng.panic_one_in(40);
        match rng.below(30) {
            0 => match cx.defer() {
                Ok(pending) => {
                    let exits = self.exits.clone();
                    self.world.deferred.lock().push(Deferred { pending, job, exits });
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
            for _ in 0..rng.below(4) {
                self.send(&mut rng, &mut job, cx);
            }
        }
        rng.panic_one_in(40);
        // One reply in eight is dropped without an answer.
        if let Some(reply) = job.reply.take()
            && !rng.one_in(8)
        {
            reply.respond(job.seed);
        }
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Job>, cx: &mut Context) {
        if self.cohort && batch.len() > 1 {
            let jobs = batch.take_all(cx);
            jobs.iter().for_each(|job| job.fate.begin());
            jobs.iter().for_each(|job| Rng(job.seed).panic_one_in(40));
            return;
        }
        while let Some(job) = batch.next(cx) {
            let leaves = Rng(job.seed ^ 1).one_in(60);
            self.handle(job, cx);
            if leaves {
                return;
            }
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        while !self.kept.is_empty() && !self.rng.one_in(20) {
            self.release(cx);
        }
        self.rng.panic_one_in(10);
    }
}

impl Node {
    /// Uses the core, waits, or gets stuck.
    fn work(&mut self, rng: &mut Rng) {
        (0..rng.below(3_000)).for_each(|_| spin_loop());
        if self.may_block && rng.one_in(50) {
            std::thread::park_timeout(Duration::from_micros(rng.below(2_000) as u64));
        }
        if self.sticky > 0 && self.rng.one_in(self.sticky) {
            self.world.stall.wait();
        }
    }

    /// Releases the oldest held event; if it has hops left, sends an event in its place.
    fn release(&mut self, cx: &mut Context) {
        if self.kept.is_empty() {
            return;
        }
        let (mut job, mut held) = self.kept.remove(0);
        if let Some(exit) = self.rng.pick(&self.exits)
            && job.hops > 0
        {
            let child = child(&self.world, &mut self.rng, &mut job, exit);
            let sent = held.send(cx, &exit.sink, child);
            self.world.note(sent.map_err(|refused| refused.into_event()));
        }
        if !self.rng.one_in(10) {
            held.release();
        }
    }

    fn send(&self, rng: &mut Rng, job: &mut Job, cx: &mut Context) {
        let (world, exits) = (&self.world, &self.exits);
        let (Some(exit), Some(other)) = (rng.pick(exits), rng.pick(exits)) else { return };
        match rng.below(8) {
            0..=2 => {
                let sent = cx.send(&exit.sink, child(world, rng, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            3 => {
                let n = rng.below(5);
                let children = (0..n).map(|_| child(world, rng, job, exit)).collect();
                let sent = cx.send_all(&exit.sink, children);
                world.note_all(n, sent.map_err(|refused| refused.into_event()));
            }
            4 => {
                let (a, b) = (child(world, rng, job, exit), child(world, rng, job, other));
                match cx.send_both((&exit.sink, a), (&other.sink, b)) {
                    Ok(()) => world.note_all(2, Ok(())),
                    Err(refused) => {
                        let (a, b) = refused.into_event();
                        world.note(Err(a));
                        b.discard();
                    }
                }
            }
            5 => {
                let delay = Duration::from_micros(rng.below(20_000) as u64);
                let sent = cx.send_after(delay, &exit.sink, child(world, rng, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            6 => {
                let Some(source) = world.source(exit.to) else { return };
                let sent = source.send(child(world, rng, job, exit));
                world.note(sent.map_err(|refused| refused.into_event()));
            }
            _ => {
                let n = rng.between(1, 3);
                match cx.reserve(&exit.sink, n) {
                    Ok(mut permits) => {
                        let sent = permits.send(child(world, rng, job, exit));
                        world.note(sent.map_err(|refused| refused.into_event()));
                        if rng.one_in(4) {
                            world.permits.lock().push((exit.to, permits));
                        }
                    }
                    Err(_) => world.note_all_refused(n),
                }
            }
        }
    }
}

fn child(world: &World, rng: &mut Rng, parent: &mut Job, exit: &Exit) -> Job {
    // Half of the replies go on with the child; the others are dropped unanswered.
    let mut reply = parent.reply.take();
    if rng.one_in(2) {
        reply = None;
    }
    let child = Job::new(&world.fates, exit.to, parent.hops.saturating_sub(1), rng.next_u64());
    Job { reply, ..child }
}
