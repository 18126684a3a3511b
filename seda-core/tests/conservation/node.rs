//! The handler of every stage: what it does with a job follows from the job's seed.

use crate::job::{Dice, Fate, Fates, Job};
use crate::support::ON_PURPOSE;
use parking_lot::Mutex;
use seda_core::{Batch, Clock, Context, Handler, Held, ManualClock, Pending, Permits, Sink, Time};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

/// What lives outside the graph.
#[derive(Debug, Default)]
pub(crate) struct World {
    pub(crate) clock: ManualClock,
    pub(crate) fates: Arc<Fates>,
    pub(crate) pending: Mutex<Vec<(Pending, Job)>>,
    pub(crate) permits: Mutex<Vec<Permits<Job>>>,
    /// Events that handlers keep.
    pub(crate) held: AtomicU64,
    /// Places that were refused before a job was made for them.
    pub(crate) refused_places: AtomicU64,
}

impl Clock for World {
    fn now(&self) -> Time {
        self.clock.now()
    }
}

impl World {
    pub(crate) fn job(&self, hops: u8, seed: u64) -> Job {
        Job { hops, seed, fate: Fate::new(&self.fates), reply: None }
    }
}

pub(crate) struct Node {
    pub(crate) world: Arc<World>,
    pub(crate) sinks: Vec<Sink<Job>>,
    pub(crate) cohort: bool,
    /// Whether there is something to send on when the handler is finished.
    owes: bool,
    held: Vec<(Held, Job)>,
}

impl Handler<Job> for Node {
    fn handle(&mut self, mut job: Job, cx: &mut Context) {
        job.fate.begin();
        let mut dice = Dice(job.seed);
        self.world.clock.advance(Duration::from_micros(dice.below(1_500)));
        self.owes |= job.hops > 0;
        assert_on_purpose(!dice.one_in(14));
        if dice.one_in(6) {
            match cx.defer() {
                Ok(pending) => return self.world.pending.lock().push((pending, job)),
                Err(_) => drop(job.reply.take()),
            }
        }
        if dice.one_in(3) {
            self.let_go(&mut dice);
        }
        if dice.one_in(8) {
            match self.hold(job, cx) {
                Some(refused) => job = refused,
                None => return,
            }
        }
        if job.hops > 0 {
            for _ in 0..dice.below(4) {
                self.send(&mut dice, &mut job, cx);
            }
        }
        if dice.one_in(10) {
            cx.flush();
        }
        assert_on_purpose(!dice.one_in(14));
        if let Some(reply) = job.reply.take().filter(|_| !dice.one_in(4)) {
            reply.respond(job.seed);
        }
        if dice.one_in(20) {
            job.fate.arm();
        }
    }

    fn handle_batch(&mut self, batch: &mut Batch<'_, Job>, cx: &mut Context) {
        if self.cohort && batch.len() > 1 {
            let jobs = batch.take_all(cx);
            jobs.iter().for_each(|job| job.fate.begin());
            return assert_on_purpose(!jobs.iter().any(|job| Dice(job.seed).one_in(9)));
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
        let owes = std::mem::take(&mut self.owes);
        if let Some(sink) = self.sinks.first().filter(|_| owes) {
            give_back(cx.send(sink, self.world.job(0, 1)).map_err(|refused| refused.into_event()));
        }
        while let Some((mut held, job)) = self.held.pop() {
            let mut dice = Dice(job.seed ^ 5);
            if let Some(sink) = self.sinks.last().filter(|_| dice.one_in(2)) {
                let sent = held.send(cx, sink, self.world.job(0, dice.next()));
                give_back(sent.map_err(|refused| refused.into_event()));
            }
            self.world.held.fetch_sub(1, SeqCst);
            if !dice.one_in(4) {
                held.release();
            }
            assert_on_purpose(!dice.one_in(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.world.held.fetch_sub(self.held.len() as u64, SeqCst);
    }
}

impl Node {
    pub(crate) fn new(world: Arc<World>, sinks: Vec<Sink<Job>>, cohort: bool) -> Self {
        Self { world, sinks, cohort, owes: false, held: Vec::new() }
    }

    /// Keeps a job for a while, if it may.
    fn hold(&mut self, job: Job, cx: &mut Context) -> Option<Job> {
        let Ok(held) = cx.hold() else {
            return Some(job);
        };
        self.world.held.fetch_add(1, SeqCst);
        self.held.push((held, job));
        None
    }

    /// Ends what was held longest, one way or the other.
    fn let_go(&mut self, dice: &mut Dice) {
        if self.held.is_empty() {
            return;
        }
        let (held, _job) = self.held.remove(0);
        self.world.held.fetch_sub(1, SeqCst);
        if !dice.one_in(4) {
            held.release();
        }
    }

    fn child(&self, dice: &mut Dice, parent: &mut Job) -> Job {
        let reply = parent.reply.take().filter(|_| dice.one_in(2));
        Job { reply, ..self.world.job(parent.hops - 1, dice.next()) }
    }

    /// Sends one job or a few, in one of the ways there are.
    fn send(&self, dice: &mut Dice, job: &mut Job, cx: &mut Context) {
        let pick = |dice: &mut Dice| self.sinks.get(dice.below(self.sinks.len() as u64) as usize);
        let (Some(sink), Some(other)) = (pick(dice), pick(dice)) else {
            return;
        };
        match dice.below(6) {
            5 => {
                let (child, delay) = (self.child(dice, job), dice.below(30));
                let sent = cx.send_after(Duration::from_millis(delay), sink, child);
                give_back(sent.map_err(|refused| refused.into_event()));
            }
            0 | 1 => {
                let child = self.child(dice, job);
                give_back(cx.send(sink, child).map_err(|refused| refused.into_event()));
            }
            2 => {
                let children = (0..dice.below(4)).map(|_| self.child(dice, job)).collect();
                if let Err(refused) = cx.send_all(sink, children) {
                    refused.into_event().into_iter().for_each(|child| give_back(Err(child)));
                }
            }
            3 => {
                let (a, b) = (self.child(dice, job), self.child(dice, job));
                if let Err(refused) = cx.send_both((sink, a), (other, b)) {
                    let (a, b) = refused.into_event();
                    // One of the two stages refused; the other job was never offered to it.
                    a.fate.refuse();
                    b.fate.keep();
                }
            }
            _ => self.reserve(dice, job, sink, cx),
        }
    }

    fn reserve(&self, dice: &mut Dice, job: &mut Job, sink: &Sink<Job>, cx: &mut Context) {
        let n = 1 + dice.below(3) as usize;
        let Ok(mut permits) = cx.reserve(sink, n) else {
            self.world.refused_places.fetch_add(n as u64, SeqCst);
            return;
        };
        give_back(permits.send(self.child(dice, job)).map_err(|refused| refused.into_event()));
        // Some are kept beyond the event, some given back at once.
        if dice.one_in(3) {
            self.world.permits.lock().push(permits);
        }
    }
}

/// Notes a job that was not taken.
pub(crate) fn give_back(sent: Result<(), Job>) {
    if let Err(job) = sent {
        job.fate.refuse();
    }
}

#[track_caller]
fn assert_on_purpose(goes_on: bool) {
    if !goes_on {
        std::panic::panic_any(ON_PURPOSE);
    }
}
