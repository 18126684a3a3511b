//! Whether a promise can be kept at all.

use crate::platform::Time;
use std::time::Duration;

/// So long a promise has to look impossible before that is said, and possible before that is: a
/// moment in which the machine stands still is neither. Within seconds, and not for every tick.
const PERSISTS: Duration = Duration::from_secs(1);
/// From this share of what was promised on, services leave too little room for it to be said that
/// the promise can be kept again.
const ROOM: f64 = 0.8;

/// What the services of a stage, or of the stages on a route, say of what was promised to a class:
/// they alone take longer, or they do not. No limit, number of workers or batch changes that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Feasibility {
    infeasible: bool,
    /// Since when it looks different from that.
    other: Option<Time>,
}

impl Feasibility {
    /// Services take so many seconds of the promised ones. Returns what is new, if anything:
    /// whether the promise is impossible to keep.
    pub(crate) fn judge(&mut self, service: f64, promised: f64, now: Time) -> Option<bool> {
        let differs = if self.infeasible { service < promised * ROOM } else { service >= promised };
        if !differs {
            self.other = None;
            return None;
        }
        let since = *self.other.get_or_insert(now);
        if now.since(since) < PERSISTS {
            return None;
        }
        *self = Self { infeasible: !self.infeasible, other: None };
        Some(self.infeasible)
    }

    pub(crate) fn is_infeasible(&self) -> bool {
        self.infeasible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of these services of a promise of one second, told every 600 ms.
    fn said<const N: usize>(services: [f64; N]) -> [Option<bool>; N] {
        let (mut prospect, mut millis) = (Feasibility::default(), 0);
        services.map(|service| {
            millis += 600;
            prospect.judge(service, 1.0, Time::from_nanos(millis * 1_000_000))
        })
    }

    #[test]
    fn what_stays_impossible_is_said_once_and_what_is_possible_again_too() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(said([2.0, 2.0, 2.0, 2.0, 2.0]), [None, None, yes, None, None]);
        assert_eq!(
            said([2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5]),
            [None, None, yes, None, None, no, None]
        );
    }

    #[test]
    fn a_moment_and_what_is_about_the_promise_are_no_news() {
        assert_eq!(said([2.0, 0.5, 2.0, 0.5, 2.0, 2.0]), [None; 6]);
        assert_eq!(said([1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9, 1.1, 1.1])[3..], [None; 6]);
        assert_eq!(said([f64::NAN; 4]), [None; 4]);
    }
}
