//! The trial of a growth: more workers stay only if they help.

use std::fmt;

/// The least length of a trial, in seconds: several ticks, and several services of 50 ms.
const SECONDS: f64 = 0.5;
/// The services that a new worker must have had the time for: before, throughput says nothing about
/// it, because the first event of a worker ends a service after its start.
const SERVICES: f64 = 2.0;
/// Workers help if throughput rises by this part at least; less is noise. The thesis of SEDA (Welsh
/// 2002, section 4.3) reverts only 20 % below the best throughput, so a pool that gains nothing
/// creeps up.
const GAIN: f64 = 0.05;
/// A trial ends early if throughput is above the gain by this many standard deviations of a count
/// of random events.
const CERTAIN: f64 = 2.0;
/// The pause after a growth that did not help, in seconds. Then conditions may have changed.
const REST: f64 = 5.0;

/// The state of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) enum Trial {
    /// No growth is on trial.
    #[default]
    None,
    /// Workers were added.
    Grown(Growth),
    /// The last growth did not help and was reverted.
    Resting {
        /// Seconds left of the pause.
        left: f64,
    },
}

/// A growth on trial.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Growth {
    /// Workers before.
    from: usize,
    /// Events per second that all of them served.
    before: f64,
    /// The service time before, in seconds. `None` if it was not measured: then the present one
    /// counts.
    service: Option<f64>,
    /// Events served since.
    served: u64,
    /// Seconds since the last growth.
    passed: f64,
}

/// A growth that did not help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct NoHelp {
    pub(super) back_to: usize,
    before: f64,
    after: f64,
}

impl Trial {
    /// Begins a trial: workers are added to `from`, which together serve `before` events per
    /// second, each in `service` seconds if that was measured. A growth during a trial prolongs it.
    pub(super) fn begin(&mut self, from: usize, before: f64, service: Option<f64>) {
        let grown = match self {
            Trial::Grown(grown) => Growth { served: 0, passed: 0.0, ..*grown },
            _ => Growth { from, before, service, served: 0, passed: 0.0 },
        };
        *self = Trial::Grown(grown);
    }

    /// Returns whether a growth may begin: not after one that could have helped by now. `service`
    /// is the present service time in seconds, if it is known.
    pub(super) fn may_grow(&self, service: Option<f64>) -> bool {
        match self {
            Trial::None => true,
            Trial::Grown(grown) => !grown.could_help_by_now(service),
            Trial::Resting { .. } => false,
        }
    }

    /// Advances the trial by a tick of `seconds`, in which `completed` events were served. `short`:
    /// the pool is still short of workers. Returns the growth on trial if it did not help.
    pub(super) fn pass(
        &mut self,
        completed: u64,
        seconds: f64,
        service: Option<f64>,
        short: bool,
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
            Trial::Grown(_) if !short => {
                *self = Trial::None;
                None
            }
            Trial::Grown(grown) => {
                grown.served += completed;
                grown.passed += seconds;
                let grown = *grown;
                if grown.certainly_helped() {
                    // The trial ends early, so that the pool can grow further.
                    *self = Trial::None;
                    return None;
                }
                if grown.passed < SECONDS || !grown.could_help_by_now(service) {
                    return None;
                }
                let after = grown.served as f64 / grown.passed;
                if after > grown.before * (1.0 + GAIN) {
                    *self = Trial::None;
                    return None;
                }
                *self = Trial::Resting { left: REST };
                Some(NoHelp { back_to: grown.from, before: grown.before, after })
            }
        }
    }
}

impl Growth {
    /// Returns whether the new workers had the time to serve events.
    fn could_help_by_now(&self, service: Option<f64>) -> bool {
        let service = self.service.or(service);
        service.is_some_and(|service| self.passed >= service * SERVICES)
    }

    /// Returns whether more events were served than chance explains.
    fn certainly_helped(&self) -> bool {
        let expected = self.before * (1.0 + GAIN) * self.passed;
        self.served as f64 > expected + CERTAIN * expected.sqrt()
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
        trial.begin(2, 100.0, Some(0.02));
        trial
    }

    #[test]
    fn a_growth_that_gains_nothing_is_reverted_and_not_tried_again_for_five_seconds() {
        let mut trial = grown();
        let verdicts: Vec<_> = (0..4).map(|_| trial.pass(13, 0.125, None, true)).collect();
        assert_eq!(verdicts[..3], [None; 3]);
        assert_eq!(verdicts[3].map(|no_help| no_help.back_to), Some(2));
        assert_eq!((0..40).filter(|_| trial.pass(13, 0.125, None, true).is_some()).count(), 0);
        assert!(trial.may_grow(None));
    }

    #[test]
    fn a_growth_that_gains_or_clears_the_queue_stays() {
        let mut trial = grown();
        assert!(trial.pass(12, 0.125, None, true).is_none() && !trial.may_grow(None));
        assert!(trial.pass(25, 0.125, None, true).is_none() && trial.may_grow(None));
        let mut trial = grown();
        assert!(trial.pass(0, 0.125, None, false).is_none() && trial.may_grow(None));
    }
}
