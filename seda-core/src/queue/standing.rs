//! What a stage does about a queue that stands: options of its settings.

use crate::clock::Time;
use crate::gate::{Codel, CodelConfig, Dequeued, Verdict};
use std::time::Duration;

/// CoDel, newest first, both or neither.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    codel: Option<(CodelConfig, Codel)>,
    /// While the oldest event has waited for longer, the newest is served first.
    newest_first_above: Option<Duration>,
}

/// The options as they are set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct StandingConfig {
    pub(crate) codel: Option<CodelConfig>,
    pub(crate) newest_first_above: Option<Duration>,
}

impl Standing {
    /// Sets the options, live. A gate whose settings stay keeps what it has seen.
    pub(crate) fn set(&mut self, config: &StandingConfig) {
        let before = self.codel.take();
        let same = before.filter(|(known, _)| Some(known) == config.codel.as_ref());
        let new = || config.codel.clone().map(|config| (config.clone(), Codel::new(config)));
        self.codel = same.or_else(new);
        self.newest_first_above = config.newest_first_above;
    }

    /// Whether there is anything to ask.
    pub(crate) fn is_set(&self) -> bool {
        self.codel.is_some() || self.newest_first_above.is_some()
    }

    /// Whether the newest is to be served, where the oldest is queued since then.
    pub(crate) fn turns_around(&self, oldest: Time, now: Time) -> bool {
        self.newest_first_above.is_some_and(|above| now.since(oldest) > above)
    }

    /// Whether an event that was taken, with so many queued behind it, is to be given up.
    pub(crate) fn drops(&mut self, enqueued: Time, behind: usize, now: Time) -> bool {
        let Some((_, codel)) = &mut self.codel else { return false };
        let event = Dequeued { sojourn: now.since(enqueued), behind };
        codel.verdict(event, now) == Verdict::Drop
    }
}
