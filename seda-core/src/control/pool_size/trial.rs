//! Whether more workers helped.

use std::fmt;

/// How long more workers get to show that they help, in seconds: several ticks, and for a service
/// of 50 ms still several services of each worker.
const SECONDS: f64 = 0.5;
/// They help if throughput is above what it was by this part, at least. Below is noise: the thesis
/// of SEDA (Welsh 2002, section 4.3) reverts below the best throughput by 20 %, which lets a pool
/// creep up that gains nothing.
const GAIN: f64 = 0.05;
/// After a growth that did not help nothing is tried for this long, in seconds; then conditions may
/// have changed.
const REST: f64 = 5.0;

/// A growth that is on trial, or the rest after one that did not help.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Trial {
    /// Nothing is tried.
    #[default]
    None,
    /// More workers have been hired.
    Grown {
        /// How many there were.
        from: usize,
        /// Events ended per second, then.
        throughput: f64,
        /// Events that ended since, and in how many seconds.
        since: (u64, f64),
    },
    /// They did not help, and were let go.
    Resting {
        /// How long it lasts, in seconds.
        left: f64,
    },
}

/// Why a growth is taken back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NoHelp {
    pub(super) back_to: usize,
    before: f64,
    after: f64,
}

impl Trial {
    /// More workers are hired: `from` of them ended `throughput` events per second.
    pub(super) fn begin(&mut self, from: usize, throughput: f64) {
        *self = Trial::Grown { from, throughput, since: (0, 0.0) };
    }

    /// Whether a growth may be tried now.
    pub(super) fn may_grow(&self) -> bool {
        *self == Trial::None
    }

    /// A tick of `seconds` in which `completed` events ended, while events still stand in the
    /// queue or do not. Returns what to do if the growth on trial did not help.
    pub(super) fn pass(&mut self, completed: u64, seconds: f64, stands: bool) -> Option<NoHelp> {
        match self {
            Trial::None => None,
            Trial::Resting { left } => {
                *left -= seconds;
                if *left <= 0.0 {
                    *self = Trial::None;
                }
                None
            }
            // The queue is gone: that is what they were hired for.
            Trial::Grown { .. } if !stands => {
                *self = Trial::None;
                None
            }
            Trial::Grown { from, throughput, since: (ended, passed) } => {
                *ended += completed;
                *passed += seconds;
                let after = *ended as f64 / passed.max(1e-9);
                let (from, before, over) = (*from, *throughput, *passed >= SECONDS);
                if after > before * (1.0 + GAIN) {
                    // Known at once, so that a pool that has to grow further does.
                    *self = Trial::None;
                    return None;
                }
                if over {
                    *self = Trial::Resting { left: REST };
                }
                over.then_some(NoHelp { back_to: from, before, after })
            }
        }
    }
}

impl fmt::Display for NoHelp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, after, .. } = self;
        write!(f, "more workers did not help: {after:.1} events/s, {before:.1} before")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown() -> Trial {
        let mut trial = Trial::default();
        trial.begin(2, 100.0);
        trial
    }

    #[test]
    fn a_growth_that_gains_nothing_is_taken_back_and_not_tried_again_for_five_seconds() {
        let mut trial = grown();
        let verdicts: Vec<_> = (0..4).map(|_| trial.pass(13, 0.125, true)).collect();
        assert_eq!(verdicts[..3], [None; 3]);
        assert_eq!(verdicts[3].map(|no_help| no_help.back_to), Some(2));
        assert_eq!((0..40).filter(|_| trial.pass(13, 0.125, true).is_some()).count(), 0);
        assert!(trial.may_grow());
    }

    #[test]
    fn a_growth_that_gains_or_that_emptied_the_queue_stays() {
        let mut trial = grown();
        assert!(trial.pass(12, 0.125, true).is_none() && !trial.may_grow());
        assert!(trial.pass(25, 0.125, true).is_none() && trial.may_grow());
        let mut trial = grown();
        assert!(trial.pass(0, 0.125, false).is_none() && trial.may_grow());
    }
}
