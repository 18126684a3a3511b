//! The trial of a growth: more workers stay only if they help.

use std::fmt;

/// The length of a trial, in seconds: several ticks, and several services of 50 ms.
const SECONDS: f64 = 0.5;
/// Workers help if throughput rises by this part at least; less is noise. The thesis of SEDA (Welsh
/// 2002, section 4.3) reverts only 20 % below the best throughput, so a pool that gains nothing
/// creeps up.
const GAIN: f64 = 0.05;
/// The pause after a growth that did not help, in seconds. Then conditions may have changed.
const REST: f64 = 5.0;

/// The state of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Trial {
    /// No growth is on trial.
    #[default]
    None,
    /// Workers were added.
    Grown {
        /// Workers before.
        from: usize,
        /// Events per second before.
        throughput: f64,
        /// Events that ended since.
        ended: u64,
        /// Seconds since.
        passed: f64,
    },
    /// The last growth did not help and was reverted.
    Resting {
        /// Seconds left of the pause.
        left: f64,
    },
}

/// A growth that did not help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NoHelp {
    pub(super) back_to: usize,
    before: f64,
    after: f64,
}

impl Trial {
    /// Begins a trial: workers are added to `from`, which completed `throughput` events per second.
    pub(super) fn begin(&mut self, from: usize, throughput: f64) {
        *self = Trial::Grown { from, throughput, ended: 0, passed: 0.0 };
    }

    /// Returns whether a growth may begin.
    pub(super) fn may_grow(&self) -> bool {
        *self == Trial::None
    }

    /// Advances the trial by a tick of `seconds`, in which `completed` events ended. Returns the
    /// growth on trial if it did not help.
    pub(super) fn pass(
        &mut self,
        completed: u64,
        seconds: f64,
        queue_stands: bool,
    ) -> Option<NoHelp> {
        match self {
            Trial::None => None,
            Trial::Resting { left } => {
                *left -= seconds;
                if *left <= 0.0 {
                    *self = Trial::None;
                }
                None
            }
            // The workers have cleared the queue: the growth helped.
            Trial::Grown { .. } if !queue_stands => {
                *self = Trial::None;
                None
            }
            Trial::Grown { from, throughput, ended, passed } => {
                *ended += completed;
                *passed += seconds;
                let after = *ended as f64 / passed.max(1e-9);
                let (from, before, over) = (*from, *throughput, *passed >= SECONDS);
                if after > before * (1.0 + GAIN) {
                    // The trial ends early, so that the pool can grow further.
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
    fn a_growth_that_gains_nothing_is_reverted_and_not_tried_again_for_five_seconds() {
        let mut trial = grown();
        let verdicts: Vec<_> = (0..4).map(|_| trial.pass(13, 0.125, true)).collect();
        assert_eq!(verdicts[..3], [None; 3]);
        assert_eq!(verdicts[3].map(|no_help| no_help.back_to), Some(2));
        assert_eq!((0..40).filter(|_| trial.pass(13, 0.125, true).is_some()).count(), 0);
        assert!(trial.may_grow());
    }

    #[test]
    fn a_growth_that_gains_or_clears_the_queue_stays() {
        let mut trial = grown();
        assert!(trial.pass(12, 0.125, true).is_none() && !trial.may_grow());
        assert!(trial.pass(25, 0.125, true).is_none() && trial.may_grow());
        let mut trial = grown();
        assert!(trial.pass(0, 0.125, false).is_none() && trial.may_grow());
    }
}
