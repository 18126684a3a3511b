//! The journal: every decision of a controller, with its reason.

use crate::platform::Time;
use crate::platform::sync::{AtomicU64, Mutex, Ordering};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use serde::{Deserialize, Serialize};
use std::collections::{HashMap, VecDeque};
use std::fmt;

/// The number of decisions kept for each controller: minutes of resizing, or the last six seconds
/// of a valve that journals at every tick. At about 200 bytes each, all controllers stay below 150
/// KB.
const KEPT: usize = 64;
/// The number of decisions that a subscriber may lag behind before it misses the next ones.
const SUBSCRIBER_LAG: usize = 1_024;

/// The part of the control plane that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Controller {
    /// The pool-size controller.
    PoolSize,
    /// The controller of places outside, which a deferring stage bounds.
    Outstanding,
    /// The batch-size controller.
    BatchSize,
    /// The admission controller.
    Admission,
    /// The overload valve.
    Valve,
    /// Active queue management: CoDel, and serving the newest first.
    QueueDelay,
    /// The watch for stuck handlers.
    Watch,
    /// The watch for hot pools.
    Hotspot,
    /// The watch for failing factories.
    Factory,
    /// A drain.
    Drain,
    /// A change of settings by the program or the operator.
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
///
/// `Display` writes it as one line:
///
/// ```
/// # use seda_core::{Controller, Decision};
/// let decision = Decision {
///     at_seconds: 1.5,
///     controller: Controller::PoolSize,
///     stage: Some("draw".to_owned()),
///     seen: "20 queued".to_owned(),
///     action: "grew the pool".to_owned(),
///     changed: "workers 1 → 6".to_owned(),
///     acted: true,
/// };
/// let line = "    1.500s pool_size `draw`: grew the pool: 20 queued [workers 1 → 6]";
/// assert_eq!(decision.to_string(), line);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// The time, in seconds of the graph's clock.
    pub at_seconds: f64,
    /// The controller that decided.
    pub controller: Controller,
    /// The stage or pool that it is about; `None` for the whole graph.
    pub stage: Option<String>,
    /// The evidence.
    pub seen: String,
    /// The action, or in mode `observe` the action that was not taken.
    pub action: String,
    /// The change, as `before → after`.
    pub changed: String,
    /// False if the controller only observes.
    pub acted: bool,
}

/// Builds a decision step by step: its texts start empty, and it counts as acted upon.
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

    /// Names the stage or pool that the decision is about.
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

/// The last decisions of each controller, and the subscribers to new ones. Each controller has room
/// of its own, so one that decides often displaces no other's decisions.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    entries: Mutex<HashMap<Controller, VecDeque<Entry>>>,
    subscribers: Mutex<Vec<Sender<Decision>>>,
    written: AtomicU64,
    missed: AtomicU64,
}

/// A decision, and the number of decisions before it.
#[derive(Debug)]
struct Entry {
    number: u64,
    decision: Decision,
}

impl Journal {
    /// Adds a decision, in place of the controller's oldest when there is no room. A subscriber
    /// that lags misses it.
    pub(crate) fn record(&self, decision: Decision) {
        tracing::debug!(target: "seda::journal", %decision);
        self.subscribers.lock().retain(|subscriber| match subscriber.try_send(decision.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed.fetch_add(1, Ordering::Relaxed);
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

    /// Returns the last decisions of all controllers, oldest first.
    pub(crate) fn entries(&self) -> Vec<Decision> {
        let entries = self.entries.lock();
        let mut all: Vec<&Entry> = entries.values().flatten().collect();
        all.sort_by(|a, b| {
            let times = a.decision.at_seconds.total_cmp(&b.decision.at_seconds);
            times.then(a.number.cmp(&b.number))
        });
        all.into_iter().map(|entry| entry.decision.clone()).collect()
    }

    /// Returns how many decisions did not reach a subscriber, because it lagged.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Returns a channel that carries every decision from now on. A reader that is 1,024 decisions
    /// behind misses the next ones.
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
    fn a_controller_that_floods_the_journal_displaces_no_other_decisions() {
        let journal = Journal::default();
        journal.record(Decision { controller: Controller::Admission, ..decision(1.0) });
        (0..1_000).for_each(|n| journal.record(decision(f64::from(n) / 100.0)));
        journal.record(Decision { controller: Controller::PoolSize, ..decision(9.5) });
        let entries = journal.entries();
        assert_eq!((entries.len(), entries[0].controller), (KEPT + 2, Controller::Admission));
        assert!(entries.is_sorted_by_key(|entry| entry.at_seconds));
    }

    #[test]
    fn a_subscriber_gets_every_decision_until_it_lags() {
        let journal = Journal::default();
        let received = journal.subscribe();
        (0..SUBSCRIBER_LAG + 3).for_each(|n| journal.record(decision(n as f64)));
        assert_eq!(received.len(), SUBSCRIBER_LAG);
        assert_eq!(journal.missed(), 3);
        drop(received);
        journal.record(decision(0.0));
        assert!(journal.subscribers.lock().is_empty());
    }
}
