//! The 95 % intervals of a point: over the rounds, or within the only one.

use super::report::{Run, SweepReport};
use crate::report::units::{rate, seconds};
use crate::report::{Interval, Intervals, LoadReport};
use std::fmt;

/// The intervals of one load; `None` if there are too few samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PointIntervals {
    pub(crate) goodput: Option<Interval>,
    pub(crate) p50: Option<Interval>,
    pub(crate) p99: Option<Interval>,
}

impl SweepReport {
    /// Returns the intervals of the load `multiple`.
    pub(crate) fn intervals_at(&self, multiple: f64) -> PointIntervals {
        PointIntervals::of(self, multiple)
    }
}

impl PointIntervals {
    /// Returns true if no interval is known.
    pub(super) fn is_empty(&self) -> bool {
        self.goodput.or(self.p50).or(self.p99).is_none()
    }

    /// Returns the intervals of the load `multiple`.
    pub(super) fn of(sweep: &SweepReport, multiple: f64) -> Self {
        let runs = sweep.rounds.iter().flat_map(|round| &round.runs);
        let runs: Vec<&Run> = runs.filter(|run| run.multiple == multiple).collect();
        Self {
            goodput: of_figure(
                &runs,
                |load| Some(load.goodput_per_second),
                |within| within.goodput_per_second,
            ),
            p50: of_figure(
                &runs,
                |load| load.response_seconds.p50,
                |within| within.response_seconds.p50,
            ),
            p99: of_figure(
                &runs,
                |load| load.response_seconds.p99,
                |within| within.response_seconds.p99,
            ),
        }
    }
}

/// Returns the t interval over several rounds; of one round, the interval within it.
fn of_figure(
    runs: &[&Run],
    figure: fn(&LoadReport) -> Option<f64>,
    within: fn(&Intervals) -> Option<Interval>,
) -> Option<Interval> {
    match runs {
        [] => None,
        [only] => within(&only.load.intervals),
        // Two differences from their mean are one: the t interval of two rounds says nothing.
        [_, _] => None,
        several => {
            let figures: Vec<f64> = several.iter().filter_map(|run| figure(&run.load)).collect();
            let Interval { low, high } = Interval::of_mean(&figures)?;
            Some(Interval { low: low.max(0.0), high })
        }
    }
}

impl fmt::Display for PointIntervals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = |interval| Interval::describe(interval, seconds);
        let good = Interval::describe(self.goodput, rate);
        write!(out, "good {good}, p50 {}, p99 {}", times(self.p50), times(self.p99))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::Round;

    fn sweep(goodputs: &[f64]) -> SweepReport {
        let round = |goodput: &f64| {
            let mut load = LoadReport { goodput_per_second: *goodput, ..LoadReport::default() };
            load.intervals.goodput_per_second = Some(Interval { low: 880.0, high: 920.0 });
            Round { runs: vec![Run { multiple: 2.0, load, ..Run::default() }], ..Round::default() }
        };
        SweepReport { rounds: goodputs.iter().map(round).collect(), ..SweepReport::default() }
    }

    #[test]
    fn one_round_has_its_own_interval_and_several_have_that_over_them() {
        let one = PointIntervals::of(&sweep(&[900.0]), 2.0);
        assert_eq!(one.goodput, Some(Interval { low: 880.0, high: 920.0 }));
        assert!(one.to_string().contains("good 880/s to 920/s, p50 too few samples"), "{one}");
        // t with 4 degrees of freedom, and a standard error of √(10/4/5).
        let several = PointIntervals::of(&sweep(&[898.0, 899.0, 900.0, 901.0, 902.0]), 2.0);
        let interval = several.goodput.unwrap();
        assert!((interval.high - 901.963).abs() < 1e-3, "{interval:?}");
        assert_eq!(PointIntervals::of(&sweep(&[900.0]), 1.0).goodput, None);
    }
}
