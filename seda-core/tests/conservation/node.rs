//! The handler of every stage: what it does with a job follows from the job's seed.

use crate::build::number;
use crate::dice::{Bomb, Dice};
use crate::job::Job;
use crate::world::{Outside, Placed, World};
use seda_core::{Batch, Context, Handler, Held, Sink, WaitingSink};
use std::sync::Arc;
use std::time::Duration;

/// A way out of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Exit {
    pub(crate) to: usize,
    pub(crate) sink: Sink<Job>,
    /// The same edge, where it may wait.
    pub(crate) waiting: Option<WaitingSink<Job>>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) stage: usize,
    pub(crate) exits: Vec<Exit>,
    pub(crate) cohort: bool,
    /// Whether there is something to send on when the handler is finished.
    pub(crate) owes: bool,
    pub(crate) kept: Vec<Kept>,
    pub(crate) dice: Dice,
    pub(crate) _bomb: Bomb,
}

/// A job that the handler keeps.
#[derive(Debug)]
pub(crate) struct Kept {
    held: Held,
    job: Job,
    mark: Mark,
}

/// Counted while it is there.
#[derive(Debug)]
struct Mark {
    world: Arc<World>,
    stage: usize,
    class: usize,
    released: bool,
}

impl Mark {
    fn new(world: &Arc<World>, stage: usize, class: usize) -> Self {
        world.counts.lock().stages[stage].held += 1;
        Self { world: Arc::clone(world), stage, class, released: false }
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        self.world.counts.lock().stages[self.stage].held -= 1;
        self.world.end(self.stage, self.class, self.released);
    }
}

/// The jobs in hand, by their classes: they end together when this is dropped.
struct InHand {
    world: Arc<World>,
    stage: usize,
    classes: Vec<usize>,
}

impl Drop for InHand {
    fn drop(&mut self) {
        let handled = !std::thread::panicking();
        self.classes.iter().for_each(|class| self.world.end(self.stage, *class, handled));
    }
}

impl Handler<Job> for Node {
    fn handle(&mut self, job: Job, cx: &mut Context) {
        job.fate.begin();
        // The job is dropped before it ends, as that may panic.
        let mut in_hand = self.in_hand(vec![cx.meta().class().index()]);
        let mut job = job;
        let mut dice = Dice(job.seed);
        self.world.clock.advance(Duration::from_micros(dice.below(1_500)));
        self.owes |= job.hops > 0;
        dice.panic_one_in(14);
        // Before or behind what it sends: then the budget may not allow it any more.
        if dice.one_in(2) {
            let Some(back) = self.set_aside(&mut dice, job, &mut in_hand, cx) else { return };
            job = back;
        }
        if job.hops > 0 {
            for _ in 0..dice.below(4) {
                self.send(&mut dice, &mut job, cx);
            }
        }
        if dice.one_in(6) {
            self.release(&mut dice, cx);
        }
        if dice.one_in(10) {
            cx.flush();
        }
        let Some(mut job) = self.set_aside(&mut dice, job, &mut in_hand, cx) else { return };
        dice.panic_one_in(14);
        if let Some(reply) = job.reply.take().filter(|_| !dice.one_in(4)) {
            reply.respond(job.seed);
        }
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Job>, cx: &mut Context) {
        if self.cohort && batch.len() > 1 {
            let jobs = batch.take_all(cx);
            let classes = jobs.iter().map(|job| job.fate.begin()).collect();
            let _in_hand = self.in_hand(classes);
            let jobs = jobs;
            jobs.iter().for_each(|job| Dice(job.seed).panic_one_in(9));
            return;
        }
        while let Some(job) = batch.next(cx) {
            // A handler may leave the rest of its batch lie: it counts as forgotten.
            let leaves = Dice(job.seed ^ 1).one_in(12);
            self.handle(job, cx);
            if leaves {
                return;
            }
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        while !self.kept.is_empty() && !self.dice.one_in(6) {
            let mut dice = Dice(self.dice.next());
            self.release(&mut dice, cx);
        }
        if std::mem::take(&mut self.owes) {
            let mut parent = Job::new(&self.world, self.stage, 0, 1, self.dice.next());
            let mut dice = Dice(self.dice.next());
            self.send(&mut dice, &mut parent, cx);
            parent.keep();
        }
        self.dice.panic_one_in(6);
    }
}

impl Node {
    fn in_hand(&self, classes: Vec<usize>) -> InHand {
        InHand { world: Arc::clone(&self.world), stage: self.stage, classes }
    }

    /// Defers a job, keeps it, or gives it back, if that is not to be or not to be had.
    fn set_aside(
        &mut self,
        dice: &mut Dice,
        job: Job,
        in_hand: &mut InHand,
        cx: &mut Context,
    ) -> Option<Job> {
        match dice.below(14) {
            0 => {
                let Ok(pending) = cx.defer() else { return Some(job) };
                in_hand.classes.clear();
                let (stage, exits) = (self.stage, self.exits.clone());
                self.world.outside.lock().push(Outside { pending, job, stage, exits });
                None
            }
            1 => {
                let Ok(held) = cx.hold() else { return Some(job) };
                in_hand.classes.clear();
                let mark = Mark::new(&self.world, self.stage, held.meta().class().index());
                self.kept.push(Kept { held, job, mark });
                None
            }
            _ => Some(job),
        }
    }

    /// Lets the oldest of the kept jobs go, and perhaps sends for it.
    fn release(&mut self, dice: &mut Dice, cx: &mut Context) {
        if self.kept.is_empty() {
            return;
        }
        let Kept { mut held, mut job, mut mark } = self.kept.remove(0);
        if let Some(exit) = dice.pick(&self.exits).filter(|_| job.hops > 0) {
            let class = held.meta().class().index();
            let child = self.child(dice, &mut job, exit, class);
            let sent = held.send(cx, &exit.sink, child);
            self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
        }
        if !dice.one_in(5) {
            held.release();
            mark.released = true;
        }
    }

    fn child(&self, dice: &mut Dice, parent: &mut Job, exit: &Exit, class: usize) -> Job {
        let reply = parent.reply.take().filter(|_| dice.one_in(2));
        let child = Job::new(&self.world, exit.to, class, parent.hops - 1, dice.next());
        Job { reply, ..child }
    }

    fn note(&self, to: usize, class: usize, sent: Result<(), Job>) {
        self.world.note(Some(self.stage), to, class, sent);
    }

    /// Sends one job or a few, in one of the ways there are.
    fn send(&self, dice: &mut Dice, job: &mut Job, cx: &mut Context) {
        let class = cx.meta().class().index();
        let (Some(exit), Some(other)) = (dice.pick(&self.exits), dice.pick(&self.exits)) else {
            return;
        };
        match dice.below(8) {
            0 | 1 => {
                let child = self.child(dice, job, exit, class);
                let sent = cx.send(&exit.sink, child);
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            2 => {
                let n = dice.below(4) as usize;
                let children = (0..n).map(|_| self.child(dice, job, exit, class)).collect();
                let sent = cx.send_all(&exit.sink, children);
                let sent = sent.map_err(|refused| refused.into_event());
                self.world.note_all(Some(self.stage), (exit.to, class, n), sent);
            }
            3 => self.send_both(dice, job, (exit, other), class, cx),
            4 => {
                let child = self.child(dice, job, exit, class);
                let delay = Duration::from_millis(dice.below(40));
                let sent = cx.send_after(delay, &exit.sink, child);
                if sent.is_ok() {
                    self.world.counts.lock().stages[exit.to].timed += 1;
                }
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            5 => {
                let Some(waiting) = &exit.waiting else { return };
                let child = self.child(dice, job, exit, class);
                let sent = cx.send_waiting(waiting, child);
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            6 => {
                // From the inside, but through an entry.
                let Some(source) = self.world.source(exit.to) else { return };
                let child = Job::new(&self.world, exit.to, 0, job.hops - 1, dice.next());
                let sent = source.send(child).map_err(|refused| refused.into_event());
                self.world.note(None, exit.to, 0, sent);
            }
            _ => self.reserve(dice, job, exit, class, cx),
        }
    }

    fn send_both(
        &self,
        dice: &mut Dice,
        job: &mut Job,
        (exit, other): (&Exit, &Exit),
        class: usize,
        cx: &mut Context,
    ) {
        let a = self.child(dice, job, exit, class);
        let b = self.child(dice, job, other, class);
        let Err(refused) = cx.send_both((&exit.sink, a), (&other.sink, b)) else {
            let mut counts = self.world.counts.lock();
            counts.sent(Some(self.stage), exit.to, class, 1);
            counts.sent(Some(self.stage), other.to, class, 1);
            return;
        };
        // One of the two stages refused; the other job was never offered to it.
        let first = number(refused.refusal().stage()) == Some(exit.to);
        let (a, b) = refused.into_event();
        let (refused, kept, to) = if first { (a, b, exit.to) } else { (b, a, other.to) };
        self.note(to, class, Err(refused));
        kept.keep();
    }

    fn reserve(&self, dice: &mut Dice, job: &mut Job, exit: &Exit, class: usize, cx: &mut Context) {
        let n = 1 + dice.below(3) as usize;
        let (from, to) = (Some(self.stage), exit.to);
        let Ok(mut permits) = cx.reserve(&exit.sink, n) else {
            self.world.counts.lock().refused(from, to, class, n);
            return;
        };
        let sent = permits.send(self.child(dice, job, exit, class));
        self.note(to, class, sent.map_err(|refused| refused.into_event()));
        // Some are kept beyond the event, some given back at once.
        if dice.one_in(3) {
            self.world.permits.lock().push(Placed { permits, from, to, class });
        }
    }
}
