//! What a stage does about a queue that stands: options of its settings.

use crate::config::{CodelConfig, Mode, StandingConfig};
use crate::platform::Time;
use crate::queue::codel::{Codel, Dequeued, Verdict};
use std::time::Duration;

/// CoDel, newest first, both or neither.
#[derive(Debug, Default)]
pub(crate) struct Aqm {
    mode: Mode,
    codel: Option<(CodelConfig, Codel)>,
    /// While the oldest event has waited for longer, the newest is served first.
    newest_first_above: Option<Duration>,
    /// Events that CoDel would have given up, had it not only observed.
    spared: u64,
}

/// What is being done about the queue at one moment, or would be.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AqmState {
    /// Whether CoDel gives up events: as of the last one that was taken.
    pub(crate) sheds: bool,
    /// Whether the newest event is served first.
    pub(crate) turned: bool,
    /// Events that CoDel would have given up, had it not only observed.
    pub(crate) spared: u64,
    /// How long the oldest event has waited; zero where keys have rows of their own.
    pub(crate) oldest: Duration,
}

impl Aqm {
    /// Sets the options, live. A gate whose settings stay keeps what it has seen, unless it was
    /// switched off: then it would speak of another time.
    pub(crate) fn set(&mut self, config: &StandingConfig) {
        let before = self.codel.take().filter(|_| self.mode != Mode::Off);
        let same = before.filter(|(known, _)| Some(known) == config.codel.as_ref());
        let new = || config.codel.clone().map(|config| (config.clone(), Codel::new(config)));
        self.codel = same.or_else(new);
        self.newest_first_above = config.newest_first_above;
        self.mode = config.mode;
    }

    /// Whether there is anything to ask.
    pub(crate) fn is_set(&self) -> bool {
        self.mode != Mode::Off && (self.codel.is_some() || self.newest_first_above.is_some())
    }

    /// Whether the newest is to be served, where the oldest is queued since then.
    pub(crate) fn switches_to_lifo(&self, oldest: Time, now: Time) -> bool {
        self.mode == Mode::On && self.would_turn(now.since(oldest))
    }

    /// Whether an event that was taken, with so many queued behind it, is to be given up. Who only
    /// observes counts it, and keeps it.
    pub(crate) fn drops(&mut self, enqueued: Time, behind: usize, now: Time) -> bool {
        let Some((_, codel)) = self.codel.as_mut().filter(|_| self.mode != Mode::Off) else {
            return false;
        };
        let event = Dequeued { sojourn: now.since(enqueued), behind };
        let due = codel.verdict(event, now) == Verdict::Drop;
        let spares = due && self.mode == Mode::Observe;
        self.spared += u64::from(spares);
        due && !spares
    }

    /// What is being done where the oldest event is queued since then, as far as that is known.
    pub(crate) fn stood(&self, oldest: Option<Time>, now: Time) -> AqmState {
        let oldest = oldest.map(|oldest| now.since(oldest)).unwrap_or_default();
        let is_set = self.is_set();
        let sheds = self.codel.as_ref().is_some_and(|(_, codel)| codel.is_shedding());
        AqmState {
            sheds: is_set && sheds,
            turned: is_set && self.would_turn(oldest),
            spared: self.spared,
            oldest,
        }
    }

    fn would_turn(&self, oldest: Duration) -> bool {
        self.newest_first_above.is_some_and(|above| oldest > above)
    }
}
