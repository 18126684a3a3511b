//! Controlled delay: gives up what would only make a standing queue stand.

use crate::config::{CodelConfig, CodelLaw};
use crate::platform::Time;
use std::time::Duration;

/// An event that was taken from its queue and is not begun yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dequeued {
    /// How long it waited.
    pub sojourn: Duration,
    /// How many events are queued behind it.
    pub behind: usize,
}

/// What becomes of a dequeued event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "an event to be dropped is to be counted as shed, and its owner to be told"]
pub(crate) enum Verdict {
    /// It is handled.
    Keep,
    /// It is given up.
    Drop,
}

/// Judges the events of one queue as they are taken.
///
/// It looks at the shortest wait of an interval: a burst that is worked off lets somebody through
/// quickly, a standing queue nobody. What is given up is the oldest, unless the lane is newest-first:
/// the gate judges whichever event it is shown.
///
/// It never empties a queue: an event with nothing behind it is kept, and counts as one that did not
/// wait, as a queue of one event does not stand (RFC 8289, section 4, has it of the last packet).
/// So shedding costs no throughput.
///
/// It needs to see more than one event per interval. Where one takes longer than that,
/// `CodelLaw::ServerCodel` never acts.
///
/// A question costs a few comparisons; with `CodelLaw::Rfc8289` a drop costs a square root.
#[derive(Clone, Debug)]
pub(crate) struct Codel {
    config: CodelConfig,
    slough: ServerCodel,
    spaced: Rfc8289,
    cap: Cap,
}

impl Codel {
    /// A gate that has seen nothing yet.
    pub(crate) fn new(config: CodelConfig) -> Self {
        let (slough, spaced, cap) = Default::default();
        Self { config, slough, spaced, cap }
    }

    /// What is to become of `event`, which is taken from its queue `now`.
    pub(crate) fn verdict(&mut self, event: Dequeued, now: Time) -> Verdict {
        let may_drop = self.cap.pass(&self.config, now) && event.behind > 0;
        let due = match self.config.law {
            CodelLaw::ServerCodel => self.slough.is_due(&self.config, event, now),
            CodelLaw::Rfc8289 => self.spaced.is_due(&self.config, event, now),
        };
        if !(may_drop && due) {
            return Verdict::Keep;
        }
        self.cap.shed += 1;
        self.spaced.drop_one(&self.config, now);
        Verdict::Drop
    }

    /// Whether the queue stood when it was last looked at: events may be given up.
    pub(crate) fn is_shedding(&self) -> bool {
        match self.config.law {
            CodelLaw::ServerCodel => self.slough.overloaded,
            CodelLaw::Rfc8289 => self.spaced.dropping,
        }
    }
}

/// How much of an interval was shed.
#[derive(Clone, Debug, Default)]
struct Cap {
    ends: Option<Time>,
    taken: u64,
    shed: u64,
}

impl Cap {
    /// Counts an event that was taken, and tells whether it may be given up. What was not shed in
    /// one interval cannot be made up for in the next: else an hour of calm would allow a minute
    /// without an answer.
    fn pass(&mut self, config: &CodelConfig, now: Time) -> bool {
        if self.ends.is_none_or(|ends| now >= ends) {
            *self = Self { ends: Some(now.after(config.interval)), taken: 0, shed: 0 };
        }
        self.taken += 1;
        let one_in = u64::from(config.keep_one_in.max(1));
        (self.shed + 1).saturating_mul(one_in) <= self.taken.saturating_mul(one_in - 1)
    }
}

/// `CodelLaw::ServerCodel`: the shortest wait of the last interval says whether there is overload.
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
            // The first of an interval is kept: it may be the first after a long silence.
            return false;
        }
        self.shortest = self.shortest.min(wait);
        self.overloaded && event.sojourn > config.target.saturating_mul(2)
    }
}

/// How soon after an episode of dropping the next one goes on where it ended, in intervals: 16
/// (RFC 8289, section 5, the routine for dequeueing).
const SAME_EPISODE: u32 = 16;

/// `CodelLaw::Rfc8289`; names as in RFC 8289, section 5.
#[derive(Clone, Debug, Default)]
struct Rfc8289 {
    /// When the wait will have been above the target for an interval; `None` while it is not.
    first_above: Option<Time>,
    dropping: bool,
    drop_next: Time,
    count: u32,
    last_count: u32,
}

impl Rfc8289 {
    fn is_due(&mut self, config: &CodelConfig, event: Dequeued, now: Time) -> bool {
        let stands = self.stands(config, event, now);
        self.dropping &= stands;
        stands && (!self.dropping || now >= self.drop_next)
    }

    fn stands(&mut self, config: &CodelConfig, event: Dequeued, now: Time) -> bool {
        if event.sojourn < config.target || event.behind == 0 {
            self.first_above = None;
            return false;
        }
        now >= *self.first_above.get_or_insert(now.after(config.interval))
    }

    /// Sets when the next one is due, or begins an episode.
    fn drop_one(&mut self, config: &CodelConfig, now: Time) {
        if self.dropping {
            self.count = self.count.saturating_add(1);
            self.drop_next = spaced_from(self.drop_next, config.interval, self.count);
            return;
        }
        let before = self.count.saturating_sub(self.last_count);
        let soon = now.since(self.drop_next) < config.interval.saturating_mul(SAME_EPISODE);
        self.dropping = true;
        self.count = if before > 1 && soon { before } else { 1 };
        self.last_count = self.count;
        self.drop_next = spaced_from(now, config.interval, self.count);
    }
}

/// The control law: interval/√n later.
fn spaced_from(from: Time, interval: Duration, count: u32) -> Time {
    from.after(interval.div_f64(f64::from(count.max(1)).sqrt()))
}
