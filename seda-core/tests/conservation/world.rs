//! The world outside the graph, which keeps the ledgers a second time.

use crate::conservation::clients::Clients;
use crate::conservation::job::Job;
use parking_lot::Mutex;
use seda_core::{ManualClock, Pending, Permits, Source};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub(crate) const STAGES: usize = 10;
pub(crate) const CLASSES: usize = 4;

/// Properties of a stage that its jobs use.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Facts {
    /// It has an `on_lost`.
    pub(crate) notified: bool,
    pub(crate) keyed: bool,
    pub(crate) weighs: bool,
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) counts: Mutex<Counts>,
    pub(crate) clients: Mutex<Clients>,
    pub(crate) outside: Mutex<Vec<Deferred>>,
    pub(crate) permits: Mutex<Vec<HeldPermits>>,
    /// A source of each stage, for user code that sends from inside the graph.
    pub(crate) sources: Mutex<Vec<Source<Job>>>,
    pub(crate) classes: usize,
    facts: Vec<Facts>,
}

/// A deferred job.
#[derive(Debug)]
pub(crate) struct Deferred {
    pub(crate) pending: Pending,
    pub(crate) job: Job,
    pub(crate) stage: usize,
    pub(crate) exits: Vec<crate::conservation::node::Outgoing>,
}

/// Permits that outlive their event.
#[derive(Debug)]
pub(crate) struct HeldPermits {
    pub(crate) permits: Permits<Job>,
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    pub(crate) class: usize,
}

/// The jobs of one stage and class.
#[derive(Clone, Debug, Default)]
pub(crate) struct Count {
    pub(crate) accepted: u64,
    pub(crate) refused: u64,
    pub(crate) begun: u64,
    pub(crate) handled: u64,
    pub(crate) failed: u64,
    pub(crate) lost: BTreeMap<&'static str, u64>,
    /// Dropped before they were begun, without a notification.
    pub(crate) silent: u64,
    pub(crate) alive: u64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StageCount {
    /// Weight of all living jobs.
    pub(crate) bytes: u64,
    /// Number of held jobs.
    pub(crate) held: u64,
    /// Number of jobs ever delayed.
    pub(crate) timed: u64,
    pub(crate) factory_failures: u64,
}

#[derive(Debug)]
pub(crate) struct Counts {
    of: Vec<Count>,
    pub(crate) stages: [StageCount; STAGES],
    /// Sent and refused by edge: from a stage, or from outside as the last row, into a stage.
    pub(crate) edges: [[(u64, u64); STAGES]; STAGES + 1],
    order: u64,
    /// Latest begun job from outside, by stage, class and key.
    pub(crate) last: HashMap<(usize, usize, u8), u64>,
    /// The first fault.
    pub(crate) fault: Option<String>,
}

impl Counts {
    fn new() -> Self {
        Self {
            of: vec![Count::default(); STAGES * CLASSES],
            stages: [StageCount::default(); STAGES],
            edges: [[(0, 0); STAGES]; STAGES + 1],
            order: 0,
            last: HashMap::new(),
            fault: None,
        }
    }

    pub(crate) fn of(&mut self, stage: usize, class: usize) -> &mut Count {
        &mut self.of[stage * CLASSES + class]
    }

    /// Returns a stage's counts by class.
    pub(crate) fn by_class(&self, stage: usize) -> &[Count] {
        &self.of[stage * CLASSES..][..CLASSES]
    }

    pub(crate) fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    pub(crate) fn fault(&mut self, fault: String) {
        self.fault.get_or_insert(fault);
    }

    /// Counts `n` jobs that `to` accepted from a stage, or from outside.
    pub(crate) fn sent(&mut self, from: Option<usize>, to: usize, class: usize, n: usize) {
        self.of(to, class).accepted += n as u64;
        self.edges[from.unwrap_or(STAGES)][to].0 += n as u64;
    }

    pub(crate) fn refused(&mut self, from: Option<usize>, to: usize, class: usize, n: usize) {
        self.of(to, class).refused += n as u64;
        self.edges[from.unwrap_or(STAGES)][to].1 += n as u64;
    }
}

impl World {
    pub(crate) fn new(facts: Vec<Facts>, classes: usize) -> Arc<Self> {
        Arc::new(Self {
            clock: Arc::default(),
            counts: Mutex::new(Counts::new()),
            clients: Mutex::default(),
            outside: Mutex::default(),
            permits: Mutex::default(),
            sources: Mutex::default(),
            classes,
            facts,
        })
    }

    pub(crate) fn facts(&self, stage: usize) -> Facts {
        self.facts[stage]
    }

    /// Counts the end of a begun job.
    pub(crate) fn end(&self, stage: usize, class: usize, handled: bool) {
        let mut counts = self.counts.lock();
        let count = counts.of(stage, class);
        if handled {
            count.handled += 1;
        } else {
            count.failed += 1;
        }
    }

    /// Counts the result of sending one job.
    pub(crate) fn note(&self, from: Option<usize>, to: usize, class: usize, sent: Result<(), Job>) {
        match sent {
            Ok(()) => self.counts.lock().sent(from, to, class, 1),
            Err(job) => {
                self.counts.lock().refused(from, to, class, 1);
                job.give_back();
            }
        }
    }

    /// Counts the result of sending several jobs, all or none.
    pub(crate) fn note_all(
        &self,
        from: Option<usize>,
        (to, class, n): (usize, usize, usize),
        sent: Result<(), Vec<Job>>,
    ) {
        match sent {
            Ok(()) => self.counts.lock().sent(from, to, class, n),
            Err(jobs) => {
                self.counts.lock().refused(from, to, class, n);
                jobs.into_iter().for_each(Job::give_back);
            }
        }
    }

    /// Returns the source of a stage; `None` after the end.
    pub(crate) fn source(&self, to: usize) -> Option<Source<Job>> {
        self.sources.lock().get(to).cloned()
    }

    /// Returns the number of reserved places of `stage`.
    pub(crate) fn places(&self, stage: usize) -> usize {
        let permits = self.permits.lock();
        permits.iter().filter(|placed| placed.to == stage).map(|placed| placed.permits.left()).sum()
    }
}
