//! Active queue management of one stage: CoDel, and newest-first service under delay.

use crate::config::{AqmConfig, CodelConfig, Mode};
use crate::platform::Time;
use crate::queue::codel::{Codel, Dequeued, Verdict};
use std::time::Duration;

/// Acts on a standing queue: by CoDel, by serving the newest event first, both or neither.
#[derive(Debug, Default)]
pub(crate) struct Aqm {
    mode: Mode,
    codel: Option<(CodelConfig, Codel)>,
    /// The newest event is served first while the oldest has waited longer than this.
    newest_first_above: Option<Duration>,
    /// Events that CoDel would have shed if it did not only observe.
    exempt: u64,
}

/// The state of queue management at one moment. In mode `observe` it tells what would be done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AqmState {
    /// Whether CoDel sheds events, as of the last one taken.
    pub(crate) sheds: bool,
    /// Whether the newest event is served first.
    pub(crate) lifo: bool,
    /// Events that CoDel would have shed if it did not only observe.
    pub(crate) exempt: u64,
    /// The wait of the oldest event; zero if the queue is empty or has a row per shard.
    pub(crate) oldest: Duration,
}

impl Aqm {
    /// Sets the options, live. CoDel keeps its state if its settings stay and it was not off: a
    /// state from before an interruption describes another load.
    pub(crate) fn set(&mut self, config: &AqmConfig) {
        let before = if self.mode.watches() { self.codel.take() } else { None };
        let same = before.filter(|(known, _)| Some(known) == config.codel.as_ref());
        let new = || config.codel.clone().map(|config| (config.clone(), Codel::new(config)));
        self.codel = same.or_else(new);
        self.newest_first_above = config.newest_first_above;
        self.mode = config.mode;
    }

    /// Returns whether any option is in effect.
    pub(super) fn is_set(&self) -> bool {
        self.mode.watches() && (self.codel.is_some() || self.newest_first_above.is_some())
    }

    /// Returns whether the newest event is to be served, if the oldest was queued at `oldest`.
    pub(super) fn switches_to_lifo(&self, oldest: Time, now: Time) -> bool {
        self.mode.acts() && self.exceeds_wait(now.since(oldest))
    }

    /// Returns whether a dequeued event, with `behind` events still queued, is to be shed. In mode
    /// `observe` such an event is counted and kept.
    pub(super) fn drops(&mut self, enqueued: Time, behind: usize, now: Time) -> bool {
        let Some((_, codel)) = self.codel.as_mut() else { return false };
        if !self.mode.watches() {
            return false;
        }
        let event = Dequeued { sojourn: now.since(enqueued), behind };
        let due = codel.verdict(event, now) == Verdict::Drop;
        let exempt = due && !self.mode.acts();
        self.exempt += u64::from(exempt);
        due && !exempt
    }

    /// Returns the state at `now`, if the oldest event was queued at `oldest`.
    pub(super) fn state(&self, oldest: Option<Time>, now: Time) -> AqmState {
        let oldest = oldest.map(|oldest| now.since(oldest)).unwrap_or_default();
        let is_set = self.is_set();
        let sheds = self.codel.as_ref().is_some_and(|(_, codel)| codel.is_shedding());
        AqmState {
            sheds: is_set && sheds,
            lifo: is_set && self.exceeds_wait(oldest),
            exempt: self.exempt,
            oldest,
        }
    }

    fn exceeds_wait(&self, oldest: Duration) -> bool {
        self.newest_first_above.is_some_and(|above| oldest > above)
    }
}
