//! What the controllers decided, and why.

use crate::platform::Time;
use crate::platform::sync::{AtomicU64, Mutex, Ordering};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// Decisions of one controller that are kept: minutes of resizing, or, of a valve that says one
/// thing per tick, the last six seconds of an overload. Of all ten controllers, with about 200
/// bytes each, they stay below 150 KB.
const KEPT: usize = 64;
/// Decisions that a subscriber may be behind before it misses some.
const SUBSCRIBER_LAG: usize = 1_024;

/// Who decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Controller {
    /// The pool-size controller.
    PoolSize,
    /// The pool-size controller, of places outside.
    Outstanding,
    /// The batch-size controller.
    BatchSize,
    /// The admission controller.
    Admission,
    /// The overload valve.
    Valve,
    /// What stages do about a queue that stands.
    QueueDelay,
    /// The watch for stuck handlers.
    Watch,
    /// The watch for hot pools.
    Hotspot,
    /// The watch for failing factories.
    Factory,
    /// A drain.
    Drain,
    /// Whoever changed the settings of the running graph.
    Settings,
}

impl fmt::Display for Controller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Controller::PoolSize => "pool_size",
            Controller::Outstanding => "outstanding",
            Controller::BatchSize => "batch_size",
            Controller::Admission => "admission",
            Controller::Valve => "valve",
            Controller::QueueDelay => "queue_delay",
            Controller::Watch => "watch",
            Controller::Hotspot => "hotspot",
            Controller::Factory => "factory",
            Controller::Drain => "drain",
            Controller::Settings => "settings",
        })
    }
}

/// One decision of a controller.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When, in seconds of the graph's clock.
    pub at_seconds: f64,
    /// Who decided.
    pub controller: Controller,
    /// The stage or pool it is about.
    pub stage: Option<String>,
    /// What was seen.
    pub seen: String,
    /// What was done, or would have been.
    pub action: String,
    /// What it changed, as `before → after`.
    pub changed: String,
    /// False if the controller only observes.
    pub acted: bool,
}

/// A decision is told in steps. What is not told stays empty, and it counts as acted upon.
impl Decision {
    pub(crate) fn by(controller: Controller, at: Time) -> Self {
        Self {
            at_seconds: at.as_secs_f64(),
            controller,
            stage: None,
            seen: String::new(),
            action: String::new(),
            changed: String::new(),
            acted: true,
        }
    }

    /// Names the stage or pool that it is about.
    pub(crate) fn stage(self, name: impl Into<String>) -> Self {
        Self { stage: Some(name.into()), ..self }
    }

    pub(crate) fn seen(self, seen: impl Into<String>) -> Self {
        Self { seen: seen.into(), ..self }
    }

    pub(crate) fn action(self, action: impl Into<String>) -> Self {
        Self { action: action.into(), ..self }
    }

    pub(crate) fn changed(self, changed: impl Into<String>) -> Self {
        Self { changed: changed.into(), ..self }
    }

    pub(crate) fn acted(self, acted: bool) -> Self {
        Self { acted, ..self }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let would = if self.acted { "" } else { "(observed only) " };
        write!(f, "{:9.3}s {}", self.at_seconds, self.controller)?;
        if let Some(stage) = &self.stage {
            write!(f, " `{stage}`")?;
        }
        write!(f, ": {would}{}: {} [{}]", self.action, self.seen, self.changed)
    }
}

/// The last decisions of each controller, and those who want to hear of new ones. One that has
/// much to say takes no room from the others.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<HashMap<Controller, VecDeque<Entry>>>,
    subscribers: Mutex<Vec<Sender<Decision>>>,
    written: AtomicU64,
    violated: AtomicU64,
}

/// A decision, and how many were written before it.
#[derive(Debug)]
struct Entry {
    number: u64,
    decision: Decision,
}

impl Journal {
    /// Adds a decision; the controller's oldest makes room. A subscriber that lags misses it.
    pub(crate) fn record(&self, decision: Decision) {
        tracing::debug!(target: "seda::journal", %decision);
        self.subscribers.lock().retain(|subscriber| match subscriber.try_send(decision.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.violated.fetch_add(1, Ordering::Relaxed);
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        });
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let mut entries = self.entries.lock();
        let entries = entries.entry(decision.controller).or_default();
        if entries.len() == KEPT {
            entries.pop_front();
        }
        entries.push_back(Entry { number, decision });
    }

    /// The last decisions of all controllers, oldest first.
    pub(crate) fn entries(&self) -> Vec<Decision> {
        let entries = self.entries.lock();
        let mut all: Vec<&Entry> = entries.values().flatten().collect();
        all.sort_by(|a, b| {
            let times = a.decision.at_seconds.total_cmp(&b.decision.at_seconds);
            times.then(a.number.cmp(&b.number))
        });
        all.into_iter().map(|entry| entry.decision.clone()).collect()
    }

    /// How many decisions did not reach a subscriber, as it lagged.
    pub(crate) fn violated(&self) -> u64 {
        self.violated.load(Ordering::Relaxed)
    }

    /// A channel that carries every decision from now on. A reader that is 1,024 decisions
    /// behind misses what comes next.
    pub(crate) fn subscribe(&self) -> Receiver<Decision> {
        let (sender, receiver) = bounded(SUBSCRIBER_LAG);
        self.subscribers.lock().push(sender);
        receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decision(at_seconds: f64) -> Decision {
        let decision = Decision::by(Controller::Valve, Time::ZERO).stage("parse").seen("depth 9");
        Decision { at_seconds, ..decision.action("evicted 1").changed("9 → 8") }
    }

    #[test]
    fn the_journal_is_bounded_and_keeps_the_latest() {
        let journal = Journal::default();
        (0..KEPT + 10).for_each(|n| journal.record(decision(n as f64)));
        let entries = journal.entries();
        assert_eq!((entries.len(), entries[0].at_seconds), (KEPT, 10.0));
    }

    #[test]
    fn a_controller_that_floods_it_takes_no_room_from_the_others() {
        let journal = Journal::default();
        journal.record(Decision { controller: Controller::Admission, ..decision(1.0) });
        (0..1_000).for_each(|n| journal.record(decision(f64::from(n) / 100.0)));
        journal.record(Decision { controller: Controller::PoolSize, ..decision(9.5) });
        let entries = journal.entries();
        assert_eq!((entries.len(), entries[0].controller), (KEPT + 2, Controller::Admission));
        assert!(entries.is_sorted_by_key(|entry| entry.at_seconds));
    }

    #[test]
    fn a_subscriber_hears_of_every_decision_until_it_lags() {
        let journal = Journal::default();
        let heard = journal.subscribe();
        (0..SUBSCRIBER_LAG + 3).for_each(|n| journal.record(decision(n as f64)));
        assert_eq!(heard.len(), SUBSCRIBER_LAG);
        assert_eq!(journal.violated(), 3);
        drop(heard);
        journal.record(decision(0.0));
        assert!(journal.subscribers.lock().is_empty());
    }
}
