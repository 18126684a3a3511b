//! Services between measured quantiles. Between two of them a service grows evenly with ln 1/(1 − p),
//! p being the share that took less: of an exponential one this is exact, a longer tail comes out a
//! little too long.

use super::check::SpecError;
use super::demand::{Demand, check_seconds};
use seda_core::stats::QuantileSummary;

/// Quantiles that are within 1 % give a mean that is nearly the measured one: twice is more than
/// enough.
const MOST_STRETCH: f64 = 2.0;
/// After which a figure is exact to what an `f64` tells apart.
const HALVINGS: u32 = 50;

impl Demand {
    /// As measured: through all quantiles of a summary, with its mean less the share of it that was
    /// waiting for a core. That makes some services longer and none shorter: the least stay.
    pub(super) fn measured(summary: &QuantileSummary, waited: f64) -> Self {
        let named = [
            (0.1, summary.p10),
            (0.5, summary.p50),
            (0.9, summary.p90),
            (0.99, summary.p99),
            (0.999, summary.p999),
            // The longest of n is about where one in n is longer.
            ((1.0 - 1.0 / summary.count.max(1) as f64).max(0.9995), summary.max),
            (1.0, summary.max),
        ];
        let known = named.iter().filter_map(|(share, seconds)| Some((*share, (*seconds)?)));
        let mut points: Vec<(f64, f64)> = known.collect();
        let Some(least) = points.first().map(|(_, least)| *least) else {
            return Demand::Quantiles { points: vec![(0.0, 0.0), (1.0, 0.0)] };
        };
        points.insert(0, (0.0, least));
        // Of few events the last quantiles are the longest, each up to its rounding.
        let mut longest = least;
        for (_, seconds) in &mut points {
            longest = longest.max(*seconds);
            *seconds = longest;
        }
        let mean = (summary.mean.unwrap_or(0.0) * (1.0 - waited)).max(least);
        // The mean grows with what is left of the excess over the least: found by halving.
        let shrunk = |left: f64| {
            let shrink = |(share, seconds): &(f64, f64)| (*share, least + (seconds - least) * left);
            points.iter().map(shrink).collect::<Vec<_>>()
        };
        let (mut few, mut many) = (0.0, MOST_STRETCH);
        for _ in 0..HALVINGS {
            let middle = (few + many) / 2.0;
            let side = if moments(&shrunk(middle)).0 > mean { &mut many } else { &mut few };
            *side = middle;
        }
        let whole = |(share, seconds): (f64, f64)| (share, (seconds * 1e9).round() / 1e9);
        Demand::Quantiles { points: shrunk(few).into_iter().map(whole).collect() }
    }
}

/// How far a share is up the tail; the last stretch, to 1, has no such length.
fn up_the_tail(from: f64, to: f64) -> Option<f64> {
    (to < 1.0).then(|| ((1.0 - from) / (1.0 - to)).ln())
}

/// The seconds that a share of all took at most.
pub(super) fn at(points: &[(f64, f64)], share: f64) -> f64 {
    let found = points.windows(2).find_map(|pair| match pair {
        [(from, shorter), (to, longer)] if share < *to => {
            let part = match up_the_tail(*from, *to) {
                Some(length) => ((1.0 - from) / (1.0 - share)).ln() / length,
                None => (share - from) / (to - from),
            };
            Some(shorter + (longer - shorter) * part)
        }
        _ => None,
    });
    found.unwrap_or_else(|| points.last().map_or(0.0, |(_, longest)| *longest))
}

/// First and second moment.
pub(super) fn moments(points: &[(f64, f64)]) -> (f64, f64) {
    let part = |pair: &[(f64, f64)]| match pair {
        [(from, a), (to, b)] => match up_the_tail(*from, *to) {
            // The integral of (a + slope t) and of its square over exp(-t), t up to `length`.
            Some(length) => {
                let (slope, rest) = ((b - a) / length, (-length).exp());
                let zeroth = 1.0 - rest;
                let first = 1.0 - rest * (1.0 + length);
                let second = 2.0 - rest * (length * length + 2.0 * length + 2.0);
                let mean = a * zeroth + slope * first;
                let square = a * a * zeroth + 2.0 * a * slope * first + slope * slope * second;
                ((1.0 - from) * mean, (1.0 - from) * square)
            }
            None => ((to - from) * (a + b) / 2.0, (to - from) * (a * a + a * b + b * b) / 3.0),
        },
        _ => (0.0, 0.0),
    };
    let add = |sum: (f64, f64), more: (f64, f64)| (sum.0 + more.0, sum.1 + more.1);
    points.windows(2).map(part).fold((0.0, 0.0), add)
}

pub(super) fn check(key: &str, points: &[(f64, f64)]) -> Result<(), SpecError> {
    let seconds: Vec<f64> = points.iter().map(|(_, seconds)| *seconds).collect();
    check_seconds(key, &seconds)?;
    let ends = (points.first().map(|first| first.0), points.last().map(|last| last.0));
    let ascends = points.windows(2).all(|pair| match pair {
        [(from, a), (to, b)] => from < to && a <= b,
        _ => true,
    });
    if ends == (Some(0.0), Some(1.0)) && ascends {
        return Ok(());
    }
    let allowed = "pairs of share and seconds that ascend, with shares from 0 to 1";
    Err(SpecError::value(key, format!("{points:?}"), allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_of_an_exponential_service_give_its_mean_and_nearly_its_tail() {
        let of = |share: f64| Some(-(1.0 - share).ln());
        let mut summary = QuantileSummary::default();
        (summary.p10, summary.p50, summary.p90) = (of(0.1), of(0.5), of(0.9));
        (summary.p99, summary.p999, summary.max) = (of(0.99), of(0.999), of(0.9999));
        (summary.mean, summary.count) = (Some(1.0), 10_000);
        let Demand::Quantiles { points } = Demand::measured(&summary, 0.0) else {
            panic!("they are quantiles")
        };
        let (mean, square) = moments(&points);
        assert!((mean - 1.0).abs() < 1e-6 && (square - 2.0).abs() < 0.15, "{mean} {square}");
        for share in [0.5, 0.9, 0.99, 0.999] {
            let off = at(&points, share) / of(share).unwrap() - 1.0;
            assert!(off.abs() < 0.04, "{share}: {off}");
        }
        assert!(check("points", &points).is_ok());
    }

    #[test]
    fn what_waited_for_a_core_is_taken_from_the_long_services_and_not_from_the_short() {
        let mut summary = QuantileSummary::default();
        (summary.p10, summary.p50, summary.p90) = (Some(0.002), Some(0.004), Some(0.013));
        (summary.p99, summary.max, summary.mean) = (Some(0.023), Some(0.038), Some(0.006));
        let least = |waited| match Demand::measured(&summary, waited) {
            Demand::Quantiles { points } => (at(&points, 0.0), moments(&points).0),
            other => panic!("{other:?}"),
        };
        assert!((least(0.5).0 - 0.002).abs() < 1e-9 && (least(0.5).1 - 0.003).abs() < 1e-5);
        // More than that was waiting for a core: all were as long as the shortest.
        assert!((least(0.9).1 - 0.002).abs() < 1e-9);
    }

    #[test]
    fn what_was_never_served_takes_no_time() {
        let demand = Demand::measured(&QuantileSummary::default(), 0.0);
        assert_eq!(demand.mean(), 0.0);
    }
}
