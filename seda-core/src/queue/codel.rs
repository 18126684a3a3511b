//! CoDel, controlled delay: sheds events while a queue stands.

use crate::config::{CodelConfig, CodelLaw};
use crate::platform::Time;
use std::time::Duration;

/// An event that has left its queue and has not begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dequeued {
    /// The wait in the queue.
    pub(super) sojourn: Duration,
    /// The number of events still queued behind it.
    pub(super) behind: usize,
}

/// The decision about a dequeued event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a dropped event has to be counted as shed, and its owner told"]
pub(super) enum Verdict {
    /// The event is handled.
    Keep,
    /// The event is shed.
    Drop,
}

/// Decides about the events of one queue as they are dequeued.
///
/// The shortest wait of an interval distinguishes a standing queue from a burst: some event waits
/// briefly while a burst drains, and none does in a standing queue. CoDel decides about the event
/// that it is given, so it sheds the oldest, or the newest where the newest is served first.
///
/// CoDel never empties a queue, so shedding costs no throughput. An event with nothing behind it is
/// kept and counts as one without a wait (RFC 8289, section 4, on the last packet).
///
/// It needs more than one event per interval. If a single event takes longer than that,
/// `CodelLaw::ServerCodel` never acts.
///
/// A verdict costs a few comparisons; a drop under `CodelLaw::Rfc8289` costs a square root.
#[derive(Clone, Debug)]
pub(super) struct Codel {
    config: CodelConfig,
    server: ServerCodel,
    rfc8289: Rfc8289,
    cap: Cap,
}

impl Codel {
    /// CoDel without any observation.
    pub(super) fn new(config: CodelConfig) -> Self {
        let (server, rfc8289, cap) = Default::default();
        Self { config, server, rfc8289, cap }
    }

    /// Decides about `event`, which leaves its queue at `now`.
    pub(super) fn verdict(&mut self, event: Dequeued, now: Time) -> Verdict {
        let may_drop = self.cap.admits_drop(&self.config, now) && event.behind > 0;
        let due = match self.config.law {
            CodelLaw::ServerCodel => self.server.is_due(&self.config, event, now),
            CodelLaw::Rfc8289 => self.rfc8289.is_due(&self.config, event, now),
        };
        if !(may_drop && due) {
            return Verdict::Keep;
        }
        self.cap.shed += 1;
        self.rfc8289.drop_one(&self.config, now);
        Verdict::Drop
    }

    /// Returns whether the queue stood at the last verdict, so that events may be shed.
    pub(super) fn is_shedding(&self) -> bool {
        match self.config.law {
            CodelLaw::ServerCodel => self.server.overloaded,
            CodelLaw::Rfc8289 => self.rfc8289.dropping,
        }
    }
}

/// The cap on the share of an interval's events that is shed.
#[derive(Clone, Debug, Default)]
struct Cap {
    ends: Option<Time>,
    taken: u64,
    shed: u64,
}

impl Cap {
    /// Counts a dequeued event and returns whether it may be shed. The count starts over in each
    /// interval: otherwise an hour of calm would allow a minute without any answer.
    fn admits_drop(&mut self, config: &CodelConfig, now: Time) -> bool {
        if self.ends.is_none_or(|ends| now >= ends) {
            *self = Self { ends: Some(now.after(config.interval)), taken: 0, shed: 0 };
        }
        self.taken += 1;
        let one_in = u64::from(config.keep_one_in.max(1));
        (self.shed + 1).saturating_mul(one_in) <= self.taken.saturating_mul(one_in - 1)
    }
}

/// `CodelLaw::ServerCodel`: overload is a shortest wait above the target in the last interval.
#[derive(Clone, Debug, Default)]
struct ServerCodel {
    ends: Option<Time>,
    shortest: Duration,
    overloaded: bool,
}

impl ServerCodel {
    fn is_due(&mut self, config: &CodelConfig, event: Dequeued, now: Time) -> bool {
        let wait = if event.behind == 0 { Duration::ZERO } else { event.sojourn };
        if self.ends.is_none_or(|ends| now >= ends) {
            self.overloaded = self.shortest > config.target;
            self.ends = Some(now.after(config.interval));
            self.shortest = wait;
            // The first event of an interval is kept: it may be the first after a long silence.
            return false;
        }
        self.shortest = self.shortest.min(wait);
        self.overloaded && event.sojourn > config.target.saturating_mul(2)
    }
}

/// An episode of dropping that begins within this many intervals after the last one resumes at its
/// drop rate (RFC 8289, section 5, the routine for dequeueing).
const SAME_EPISODE: u32 = 16;

/// `CodelLaw::Rfc8289`; names as in RFC 8289, section 5.
#[derive(Clone, Debug, Default)]
struct Rfc8289 {
    /// When the wait will have exceeded the target for a whole interval; `None` while it does not.
    first_above: Option<Time>,
    dropping: bool,
    drop_next: Time,
    count: u32,
    last_count: u32,
}

impl Rfc8289 {
    fn is_due(&mut self, config: &CodelConfig, event: Dequeued, now: Time) -> bool {
        let stands = self.is_standing(config, event, now);
        self.dropping &= stands;
        stands && (!self.dropping || now >= self.drop_next)
    }

    fn is_standing(&mut self, config: &CodelConfig, event: Dequeued, now: Time) -> bool {
        if event.sojourn < config.target || event.behind == 0 {
            self.first_above = None;
            return false;
        }
        now >= *self.first_above.get_or_insert(now.after(config.interval))
    }

    /// Counts a drop: begins an episode, or sets when its next drop is due.
    fn drop_one(&mut self, config: &CodelConfig, now: Time) {
        if self.dropping {
            self.count = self.count.saturating_add(1);
            self.drop_next = next_drop(self.drop_next, config.interval, self.count);
            return;
        }
        let before = self.count.saturating_sub(self.last_count);
        let soon = now.since(self.drop_next) < config.interval.saturating_mul(SAME_EPISODE);
        self.dropping = true;
        self.count = if before > 1 && soon { before } else { 1 };
        self.last_count = self.count;
        self.drop_next = next_drop(now, config.interval, self.count);
    }
}

/// Returns the time of the next drop by the control law: `interval / √count` after `from`.
fn next_drop(from: Time, interval: Duration, count: u32) -> Time {
    from.after(interval.div_f64(f64::from(count.max(1)).sqrt()))
}
