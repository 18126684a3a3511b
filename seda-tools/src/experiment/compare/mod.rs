//! Compares sweeps, and tells where they differ, where they do not, and where it cannot be told.

mod display;
mod pairs;

use crate::experiment::sweep::{Point, Round, Run, Spread, SweepReport};
use crate::report::Interval;
use crate::report::outcome::Outcomes;
use pairs::Pairs;
use serde::Serialize;

/// Several sweeps beside the first of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The names of the sweeps; the first is the reference.
    pub names: Vec<String>,
    /// One row for each figure at each load that all sweeps have.
    pub rows: Vec<Row>,
    /// The loads that only some sweeps have; they are not compared.
    pub elsewhere: Vec<f64>,
}

/// One figure at one load.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Row {
    /// The load, as a multiple of each server's own capacity.
    pub multiple: f64,
    /// The figure.
    pub figure: Figure,
    /// The figure of each sweep; `None` if it has none.
    pub spreads: Vec<Option<Spread>>,
    /// The share of the scheduled requests that each sweep answered right, 0 to 1. Response times
    /// are of these alone: a server that lets most requests time out may answer the others soon.
    pub right: Vec<f64>,
    /// The difference of each sweep from the first.
    pub verdicts: Vec<Difference>,
}

/// A figure that is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Figure {
    /// Good answers per second.
    Goodput,
    /// Good answers per second over the capacity.
    GoodputRatio,
    /// Median of the response times, in seconds.
    P50,
    /// 99th percentile of the response times, in seconds.
    P99,
}

/// The difference of one sweep from the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Difference {
    /// It is the first sweep.
    Itself,
    /// No difference was found.
    None,
    /// The figure differs. It is this many times that of the first sweep, with the 95 % interval;
    /// both are `None` if a round has zero.
    Differs {
        /// The factor: the geometric mean over the rounds.
        times: Option<f64>,
        /// Its interval.
        interval: Option<Interval>,
    },
    /// There are too few rounds that both sweeps have.
    TooFew {
        /// The rounds that both have.
        pairs: usize,
        /// The rounds with which a difference could be found among so many figures.
        needed: usize,
    },
    /// One of the two has no such figure.
    Unknown,
}

const FIGURES: [Figure; 4] = [Figure::Goodput, Figure::GoodputRatio, Figure::P50, Figure::P99];

impl Comparison {
    /// Compares the sweeps with the first of them.
    pub fn of(sweeps: &[SweepReport]) -> Self {
        // 1. The loads that all sweeps have.
        let mut multiples: Vec<f64> =
            sweeps.iter().flat_map(|sweep| &sweep.points).map(|point| point.multiple).collect();
        multiples.sort_by(f64::total_cmp);
        multiples.dedup();
        let (common, elsewhere): (Vec<f64>, Vec<f64>) = multiples
            .into_iter()
            .partition(|multiple| sweeps.iter().all(|sweep| at(sweep, *multiple).is_some()));
        // 2. The figures at each of them.
        let mut rows = Vec::new();
        for figure in FIGURES {
            rows.extend(common.iter().map(|multiple| Row::of(sweeps, *multiple, figure)));
        }
        // 3. The differences, corrected for the number of all figures.
        judge(&mut rows, sweeps);
        Self { names: sweeps.iter().map(|sweep| sweep.name.clone()).collect(), rows, elsewhere }
    }
}

fn at(sweep: &SweepReport, multiple: f64) -> Option<&Point> {
    sweep.points.iter().find(|point| point.multiple == multiple)
}

/// Writes the differences of all rows.
fn judge(rows: &mut [Row], sweeps: &[SweepReport]) {
    let Some((first, others)) = sweeps.split_first() else { return };
    // 1. Test each figure of each further sweep.
    let mut tests = Vec::new();
    for row in rows.iter() {
        let values = |sweep| row.figure.of_rounds(sweep, row.multiple);
        let reference = values(first);
        tests.extend(others.iter().map(|other| Pairs::new(&reference, &values(other))));
    }
    let probabilities: Vec<f64> = tests.iter().map(Pairs::p).collect();
    let differs = pairs::holm(&probabilities);
    let needed = pairs::needed(tests.len());
    // 2. Tell what they mean, in the same order.
    let mut results = tests.iter().zip(differs);
    for row in rows.iter_mut() {
        let found = results.by_ref().take(others.len());
        let found = found.map(|(pairs, differs)| Difference::of(pairs, differs, needed));
        row.verdicts = std::iter::once(Difference::Itself).chain(found).collect();
    }
}

impl Row {
    fn of(sweeps: &[SweepReport], multiple: f64, figure: Figure) -> Self {
        let points = sweeps.iter().map(|sweep| at(sweep, multiple));
        let spreads = points.map(|point| point.and_then(|point| figure.of(point))).collect();
        let right = sweeps.iter().map(|sweep| right_share(sweep, multiple)).collect();
        Self { multiple, figure, spreads, right, verdicts: Vec::new() }
    }
}

/// Returns the runs of one load, each with its round.
fn runs(sweep: &SweepReport, multiple: f64) -> impl Iterator<Item = (&Round, &Run)> {
    let run = move |round: &'_ Round| round.runs.iter().position(|run| run.multiple == multiple);
    sweep.rounds.iter().filter_map(move |round| Some((round, round.runs.get(run(round)?)?)))
}

/// Returns the share of the scheduled requests that were answered right, over all rounds.
fn right_share(sweep: &SweepReport, multiple: f64) -> f64 {
    let mut all = Outcomes::default();
    runs(sweep, multiple).for_each(|(_, run)| all.add(&run.load.outcomes));
    (all.good + all.late) as f64 / (all.scheduled as f64).max(1.0)
}

impl Difference {
    fn of(pairs: &Pairs, differs: bool, needed: usize) -> Self {
        match pairs.len() {
            0 => Difference::Unknown,
            count if count < needed => Difference::TooFew { pairs: count, needed },
            _ if !differs => Difference::None,
            _ => {
                let (times, interval) = pairs.ratio().unzip();
                Difference::Differs { times, interval }
            }
        }
    }
}

impl Figure {
    fn of(self, point: &Point) -> Option<Spread> {
        match self {
            Figure::Goodput => Some(point.goodput_per_second),
            Figure::GoodputRatio => Some(point.goodput_ratio),
            Figure::P50 => point.response.p50,
            Figure::P99 => point.response.p99,
        }
    }

    /// Returns the figure of each round, in their order.
    fn of_rounds(self, sweep: &SweepReport, multiple: f64) -> Vec<Option<f64>> {
        let figure = |(round, run): (&Round, &Run)| match self {
            Figure::Goodput => Some(run.load.goodput_per_second),
            Figure::GoodputRatio => {
                Some(run.load.goodput_per_second / round.capacity_per_second.max(f64::MIN_POSITIVE))
            }
            Figure::P50 => run.load.response_seconds.p50,
            Figure::P99 => run.load.response_seconds.p99,
        };
        runs(sweep, multiple).map(figure).collect()
    }

    /// Returns true for a time of right answers.
    fn is_time(self) -> bool {
        matches!(self, Figure::P50 | Figure::P99)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::LoadReport;

    /// A sweep at 1x and 5x with the goodputs of each round.
    fn sweep(name: &str, rounds: &[(f64, f64)]) -> SweepReport {
        let run = |multiple: f64, goodput: f64| {
            let mut load = LoadReport { goodput_per_second: goodput, ..LoadReport::default() };
            load.outcomes = Outcomes { scheduled: 100, good: 23, ..Outcomes::default() };
            load.response_seconds.p99 = Some(1.0 / goodput.max(1.0));
            Run { multiple, load, ..Run::default() }
        };
        let points = [1.0, 5.0].map(|multiple| Point { multiple, ..Point::default() });
        let rounds = rounds.iter().map(|(one, five)| Round {
            capacity_per_second: 900.0,
            runs: vec![run(1.0, *one), run(5.0, *five)],
            ..Round::default()
        });
        SweepReport {
            name: name.to_owned(),
            points: points.to_vec(),
            rounds: rounds.collect(),
            ..SweepReport::default()
        }
    }

    fn noisy(scale: f64, rounds: usize) -> Vec<(f64, f64)> {
        let noise = (0..rounds).map(|round| (round * 7 % 11) as f64);
        noise.map(|noise| (900.0 + noise, scale * (450.0 + noise))).collect()
    }

    fn verdicts(sweeps: &[SweepReport], figure: Figure) -> Vec<Difference> {
        let rows = Comparison::of(sweeps).rows;
        let rows = rows.into_iter().filter(|row| row.figure == figure);
        rows.filter_map(|row| row.verdicts.last().copied()).collect()
    }

    #[test]
    fn a_difference_in_every_round_is_found_with_its_interval() {
        let mut other = noisy(2.0, 10);
        other.iter_mut().step_by(2).for_each(|(one, _)| *one += 2.0);
        other.iter_mut().skip(1).step_by(2).for_each(|(one, _)| *one -= 2.0);
        let found = verdicts(&[sweep("a", &noisy(1.0, 10)), sweep("b", &other)], Figure::Goodput);
        assert_eq!(found.first(), Some(&Difference::None));
        let Some(Difference::Differs { times: Some(times), interval }) = found.last() else {
            panic!("{found:?}");
        };
        let Interval { low, high } = interval.unwrap();
        assert!((times - 2.0).abs() < 1e-6 && low <= high && high - low < 1e-6);
    }

    #[test]
    fn a_server_beside_itself_at_one_round_cannot_be_told_apart() {
        let [one, other] = [[(900.0, 450.0)], [(890.0, 90.0)]].map(|rounds| sweep("a", &rounds));
        let comparison = Comparison::of(&[one, other]);
        let text = comparison.to_string();
        assert!(text.contains("cannot tell: one round") && !text.contains("times"), "{text}");
        let five = verdicts(&[sweep("a", &noisy(1.0, 5)), sweep("b", &noisy(2.0, 5))], Figure::P99);
        assert!(matches!(five.last(), Some(Difference::TooFew { pairs: 5, needed: 9 })));
        let text = five.last().unwrap().to_string();
        assert_eq!(text, "cannot tell: fewer than 6 pairs");
    }

    #[test]
    fn response_times_stand_beside_the_share_that_was_answered() {
        let mut one = sweep("a", &noisy(1.0, 2));
        let p99 = Spread { median: 0.02, low: 0.01, high: 0.03 };
        one.points.iter_mut().for_each(|point| point.response.p99 = Some(p99));
        let text = Comparison::of(&[one.clone(), one]).to_string();
        assert!(text.contains("of the 23 % that were answered right"), "{text}");
    }

    #[test]
    fn loads_that_only_some_sweeps_have_are_not_compared() {
        let a = sweep("a", &[(1.0, 1.0); 2]);
        let mut b = a.clone();
        b.points.pop();
        let comparison = Comparison::of(&[a, b]);
        assert_eq!(comparison.elsewhere, [5.0]);
        assert!(comparison.rows.iter().all(|row| row.multiple == 1.0));
        assert_eq!(Comparison::of(&[]).rows, []);
    }

    #[test]
    fn a_figure_that_was_zero_differs_without_a_factor() {
        let none = sweep("none", &[(0.0, 0.0); 10]);
        let some = sweep("some", &[(9.0, 9.0); 10]);
        let expected = Difference::Differs { times: None, interval: None };
        assert_eq!(verdicts(&[none, some], Figure::Goodput), [expected; 2]);
    }
}
