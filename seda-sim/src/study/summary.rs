//! The trials of a cell, or of a map, together.

use super::trial::Trial;
use serde::{Deserialize, Serialize};

/// The quantile of the normal distribution for an interval of 95 %.
const Z: f64 = 1.96;

/// The figures of several trials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// The number of trials.
    pub trials: u64,
    /// The seeds of those that are stuck.
    pub stuck: Vec<u64>,
    /// The lowest goodput.
    pub least_goodput: f64,
    /// The lowest share of good answers without the trigger.
    pub least_untriggered: f64,
    /// The seeds of those that are back later than after two seconds, or never.
    pub late: Vec<u64>,
    /// The longest time to recovery; `None` if one trial does not recover.
    pub most_back_seconds: Option<f64>,
    /// The highest amplification.
    pub most_amplification: f64,
    /// The seeds of those with an amplification above 1.1.
    pub amplified: Vec<u64>,
}

/// The longest time to recovery of a server that is upright.
const BACK_SECONDS: f64 = 2.0;
/// The highest amplification of a server that is upright.
const AMPLIFICATION: f64 = 1.1;

impl Summary {
    /// Returns the figures of trials.
    pub fn of<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Self {
        let mut sum = Self {
            least_goodput: f64::MAX,
            least_untriggered: f64::MAX,
            most_back_seconds: Some(0.0),
            ..Self::default()
        };
        for trial in trials {
            sum.trials += 1;
            sum.stuck.extend(trial.is_stuck().then_some(trial.seed));
            sum.least_goodput = sum.least_goodput.min(trial.goodput);
            sum.least_untriggered = sum.least_untriggered.min(trial.untriggered);
            let is_late = trial.back_seconds.is_none_or(|back| back > BACK_SECONDS);
            sum.late.extend(is_late.then_some(trial.seed));
            sum.most_back_seconds = match (sum.most_back_seconds, trial.back_seconds) {
                (Some(most), Some(back)) => Some(most.max(back)),
                _ => None,
            };
            sum.most_amplification = sum.most_amplification.max(trial.amplification);
            let is_amplified = trial.amplification > AMPLIFICATION;
            sum.amplified.extend(is_amplified.then_some(trial.seed));
        }
        sum
    }

    /// Returns the share of stuck trials.
    pub fn stuck_share(&self) -> f64 {
        self.stuck.len() as f64 / self.trials.max(1) as f64
    }

    /// Returns the bounds of the probability to be stuck, at 95 % (Wilson 1927). They are never
    /// empty, not even if no trial or every trial is stuck.
    pub fn interval(&self) -> (f64, f64) {
        let n = self.trials.max(1) as f64;
        let share = self.stuck_share();
        let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        let middle = share + Z * Z / (2.0 * n);
        let scale = 1.0 + Z * Z / n;
        (((middle - spread) / scale).max(0.0), ((middle + spread) / scale).min(1.0))
    }

    /// Returns whether no trial is stuck, all are back within two seconds, and none is amplified by
    /// more than a tenth.
    pub fn is_upright(&self) -> bool {
        self.stuck.is_empty() && self.late.is_empty() && self.amplified.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(seed: u64, goodput: f64) -> Trial {
        Trial { seed, goodput, untriggered: 1.0, back_seconds: Some(1.0), amplification: 1.0 }
    }

    #[test]
    fn the_interval_of_none_in_a_hundred_reaches_to_four_in_a_hundred() {
        let trials: Vec<_> = (0..100).map(|seed| trial(seed, 1.0)).collect();
        let (least, most) = Summary::of(&trials).interval();
        // Wilson: z²/(n + z²).
        assert_eq!(least, 0.0);
        assert!((most - 0.037).abs() < 0.001, "{most}");
    }

    #[test]
    fn a_summary_names_the_stuck_seeds_and_the_worst_figures() {
        let late = Trial { back_seconds: Some(2.5), amplification: 1.2, ..trial(8, 0.95) };
        let summary = Summary::of(&[trial(7, 0.89), late]);
        assert_eq!((summary.stuck.as_slice(), summary.least_goodput), (&[7][..], 0.89));
        assert_eq!((summary.late.as_slice(), summary.amplified.as_slice()), (&[8][..], &[8][..]));
        assert!(!summary.is_upright());
        assert!(Summary::of(&[trial(1, 1.0)]).is_upright());
    }
}
