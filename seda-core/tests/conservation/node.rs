//! The handler of every stage. A job's seed determines the handler's actions.

use crate::conservation::build::number;
use crate::conservation::job::Job;
use crate::conservation::rng::{PanicOnDrop, Rng};
use crate::conservation::world::{Deferred, HeldPermits, World};
use seda_core::{Batch, Context, Handler, Held, Sink, WaitingSink};
use std::sync::Arc;
use std::time::Duration;

/// An edge out of a stage.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    pub(crate) to: usize,
    pub(crate) sink: Sink<Job>,
    /// The same edge as a waiting one, if it may wait.
    pub(crate) waiting: Option<WaitingSink<Job>>,
}

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) stage: usize,
    pub(crate) exits: Vec<Outgoing>,
    pub(crate) cohort: bool,
    /// True if the handler sends a job when it is finished.
    pub(crate) owes: bool,
    pub(crate) kept: Vec<Kept>,
    pub(crate) rng: Rng,
    pub(crate) _panic_on_drop: PanicOnDrop,
}

/// A held job.
#[derive(Debug)]
pub(crate) struct Kept {
    held: Held,
    job: Job,
    mark: Mark,
}

/// Counts a held job until it is dropped.
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

/// The classes of the jobs in hand. All jobs end when this is dropped.
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
        // Declared before the job's binding, so the job is dropped first: its drop may panic.
        let mut in_hand = self.in_hand(vec![cx.meta().class().index()]);
        let mut job = job;
        let mut rng = Rng(job.seed);
        self.world.clock.advance(Duration::from_micros(rng.below(1_500)));
        self.owes |= job.hops > 0;
        rng.panic_one_in(14);
        // Deferred or held before its sends, or after them, when the budget may refuse.
        if rng.one_in(2) {
            let Some(back) = self.detach(&mut rng, job, &mut in_hand, cx) else { return };
            job = back;
        }
        if job.hops > 0 {
            for _ in 0..rng.below(4) {
                self.send(&mut rng, &mut job, cx);
            }
        }
        if rng.one_in(6) {
            self.release(&mut rng, cx);
        }
        if rng.one_in(10) {
            cx.flush();
        }
        let Some(mut job) = self.detach(&mut rng, job, &mut in_hand, cx) else { return };
        rng.panic_one_in(14);
        if let Some(reply) = job.reply.take().filter(|_| !rng.one_in(4)) {
            reply.respond(job.seed);
        }
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Job>, cx: &mut Context) {
        if self.cohort && batch.len() > 1 {
            let jobs = batch.take_all(cx);
            let classes = jobs.iter().map(|job| job.fate.begin()).collect();
            let _in_hand = self.in_hand(classes);
            let jobs = jobs;
            jobs.iter().for_each(|job| Rng(job.seed).panic_one_in(9));
            return;
        }
        while let Some(job) = batch.next(cx) {
            // A handler may leave the rest of its batch, which is then shed as forgotten.
            let leaves = Rng(job.seed ^ 1).one_in(12);
            self.handle(job, cx);
            if leaves {
                return;
            }
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        while !self.kept.is_empty() && !self.rng.one_in(6) {
            let mut rng = Rng(self.rng.next());
            self.release(&mut rng, cx);
        }
        if std::mem::take(&mut self.owes) {
            let mut parent = Job::new(&self.world, self.stage, 0, 1, self.rng.next());
            let mut rng = Rng(self.rng.next());
            self.send(&mut rng, &mut parent, cx);
            parent.keep();
        }
        self.rng.panic_one_in(6);
    }
}

impl Node {
    fn in_hand(&self, classes: Vec<usize>) -> InHand {
        InHand { world: Arc::clone(&self.world), stage: self.stage, classes }
    }

    /// Defers or holds a job at random. Returns the job if it does neither, or if that is refused.
    fn detach(
        &mut self,
        rng: &mut Rng,
        job: Job,
        in_hand: &mut InHand,
        cx: &mut Context,
    ) -> Option<Job> {
        match rng.below(14) {
            0 => {
                let Ok(pending) = cx.defer() else { return Some(job) };
                in_hand.classes.clear();
                let (stage, exits) = (self.stage, self.exits.clone());
                self.world.outside.lock().push(Deferred { pending, job, stage, exits });
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

    /// Releases the oldest held job, at random after a send on its behalf.
    fn release(&mut self, rng: &mut Rng, cx: &mut Context) {
        if self.kept.is_empty() {
            return;
        }
        let Kept { mut held, mut job, mut mark } = self.kept.remove(0);
        if let Some(exit) = rng.pick(&self.exits).filter(|_| job.hops > 0) {
            let class = held.meta().class().index();
            let child = self.child(rng, &mut job, exit, class);
            let sent = held.send(cx, &exit.sink, child);
            self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
        }
        if !rng.one_in(5) {
            held.release();
            mark.released = true;
        }
    }

    fn child(&self, rng: &mut Rng, parent: &mut Job, exit: &Outgoing, class: usize) -> Job {
        let reply = parent.reply.take().filter(|_| rng.one_in(2));
        let child = Job::new(&self.world, exit.to, class, parent.hops - 1, rng.next());
        Job { reply, ..child }
    }

    fn note(&self, to: usize, class: usize, sent: Result<(), Job>) {
        self.world.note(Some(self.stage), to, class, sent);
    }

    /// Sends one or more jobs by a random method.
    fn send(&self, rng: &mut Rng, job: &mut Job, cx: &mut Context) {
        let class = cx.meta().class().index();
        let (Some(exit), Some(other)) = (rng.pick(&self.exits), rng.pick(&self.exits)) else {
            return;
        };
        match rng.below(8) {
            0 | 1 => {
                let child = self.child(rng, job, exit, class);
                let sent = cx.send(&exit.sink, child);
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            2 => {
                let n = rng.below(4) as usize;
                let children = (0..n).map(|_| self.child(rng, job, exit, class)).collect();
                let sent = cx.send_all(&exit.sink, children);
                let sent = sent.map_err(|refused| refused.into_event());
                self.world.note_all(Some(self.stage), (exit.to, class, n), sent);
            }
            3 => self.send_both(rng, job, (exit, other), class, cx),
            4 => {
                let child = self.child(rng, job, exit, class);
                let delay = Duration::from_millis(rng.below(40));
                let sent = cx.send_after(delay, &exit.sink, child);
                if sent.is_ok() {
                    self.world.counts.lock().stages[exit.to].timed += 1;
                }
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            5 => {
                let Some(waiting) = &exit.waiting else { return };
                let child = self.child(rng, job, exit, class);
                let sent = cx.send_waiting(waiting, child);
                self.note(exit.to, class, sent.map_err(|refused| refused.into_event()));
            }
            6 => {
                // From inside the graph, through an entry.
                let Some(source) = self.world.source(exit.to) else { return };
                let child = Job::new(&self.world, exit.to, 0, job.hops - 1, rng.next());
                let sent = source.send(child).map_err(|refused| refused.into_event());
                self.world.note(None, exit.to, 0, sent);
            }
            _ => self.reserve(rng, job, exit, class, cx),
        }
    }

    fn send_both(
        &self,
        rng: &mut Rng,
        job: &mut Job,
        (exit, other): (&Outgoing, &Outgoing),
        class: usize,
        cx: &mut Context,
    ) {
        let a = self.child(rng, job, exit, class);
        let b = self.child(rng, job, other, class);
        let Err(refused) = cx.send_both((&exit.sink, a), (&other.sink, b)) else {
            let mut counts = self.world.counts.lock();
            counts.sent(Some(self.stage), exit.to, class, 1);
            counts.sent(Some(self.stage), other.to, class, 1);
            return;
        };
        // One stage refused; the other job was never offered.
        let first = number(refused.refusal().stage()) == Some(exit.to);
        let (a, b) = refused.into_event();
        let (refused, kept, to) = if first { (a, b, exit.to) } else { (b, a, other.to) };
        self.note(to, class, Err(refused));
        kept.keep();
    }

    fn reserve(
        &self,
        rng: &mut Rng,
        job: &mut Job,
        exit: &Outgoing,
        class: usize,
        cx: &mut Context,
    ) {
        let n = 1 + rng.below(3) as usize;
        let (from, to) = (Some(self.stage), exit.to);
        let Ok(mut permits) = cx.reserve(&exit.sink, n) else {
            self.world.counts.lock().refused(from, to, class, n);
            return;
        };
        let sent = permits.send(self.child(rng, job, exit, class));
        self.note(to, class, sent.map_err(|refused| refused.into_event()));
        // One permit in three outlives the event; the others are returned at once.
        if rng.one_in(3) {
            self.world.permits.lock().push(HeldPermits { permits, from, to, class });
        }
    }
}
