//! Service times between measured quantiles.
//!
//! Between two quantiles the service time grows evenly with ln 1/(1 − p), where p is the share of
//! services that took less. This is exact for exponential services; a longer tail comes out a
//! little too long.

use super::bounds::check_seconds;
use super::error::SpecError;
use super::moments::Moments;
use seda_core::stats::QuantileSummary;

/// The largest factor that [`fit`] applies to the excess over the shortest service. The quantiles
/// are within 1 %, so the mean of their points is nearly the measured mean: a factor of 2 is more
/// than enough.
const MAX_STRETCH: f64 = 2.0;
/// Bisection steps of [`fit`]; 50 halvings exhaust the precision of an `f64`.
const HALVINGS: u32 = 50;

/// Returns the points (share, seconds) of services with the shape of `summary` and the mean `mean`,
/// in seconds. The points go through all quantiles of `summary`; then the excess over the shortest
/// service is scaled until the mean is the measured one; then all services are scaled to `mean`,
/// because on shared cores a service is stretched in proportion to its demand.
pub(super) fn fit(summary: &QuantileSummary, mean: f64) -> Vec<(f64, f64)> {
    // In n services, about one in n takes longer than the longest.
    let share_of_max = (1.0 - 1.0 / summary.count.max(1) as f64).max(0.9995);
    // The known quantiles, from the shortest service on.
    let quantiles = summary.quantiles().map(|(_, share, seconds)| (share, seconds));
    let all = quantiles.into_iter().chain([(share_of_max, summary.max), (1.0, summary.max)]);
    let known = all.filter_map(|(share, seconds)| Some((share, seconds?)));
    let mut points: Vec<(f64, f64)> = known.collect();
    let Some(least) = points.first().map(|(_, least)| *least) else {
        return vec![(0.0, 0.0), (1.0, 0.0)];
    };
    points.insert(0, (0.0, least));
    // In a small sample the last quantiles are all the maximum, up to rounding: make them ascend.
    let mut longest = least;
    for (_, seconds) in &mut points {
        longest = longest.max(*seconds);
        *seconds = longest;
    }
    // The mean grows with the factor on the excess: find the factor by bisection.
    let measured = summary.mean.unwrap_or(0.0).max(least);
    let mut low = 0.0;
    let mut high = MAX_STRETCH;
    for _ in 0..HALVINGS {
        let middle = (low + high) / 2.0;
        if moments(&scale_excess(&points, least, middle)).mean > measured {
            high = middle;
        } else {
            low = middle;
        }
    }
    let mut fitted = scale_excess(&points, least, low);
    let factor = if measured > 0.0 { mean.max(0.0) / measured } else { 1.0 };
    // A spec in TOML has whole nanoseconds.
    for (_, seconds) in &mut fitted {
        *seconds = (*seconds * factor * 1e9).round() / 1e9;
    }
    fitted
}

/// Returns the points with their excess over `least` multiplied by `factor`.
fn scale_excess(points: &[(f64, f64)], least: f64, factor: f64) -> Vec<(f64, f64)> {
    points.iter().map(|(share, seconds)| (*share, least + (seconds - least) * factor)).collect()
}

/// Returns the distance of two shares on the scale of ln 1/(1 − p); `None` if it is infinite, as up
/// to the share 1.
fn tail_distance(from: f64, to: f64) -> Option<f64> {
    (to < 1.0).then(|| ((1.0 - from) / (1.0 - to)).ln())
}

/// Returns the seconds within which the given share of services ends.
pub(super) fn value_at(points: &[(f64, f64)], share: f64) -> f64 {
    let found = points.windows(2).find_map(|pair| match pair {
        [(from, shorter), (to, longer)] if share < *to => {
            let part = match tail_distance(*from, *to) {
                Some(length) => ((1.0 - from) / (1.0 - share)).ln() / length,
                None => (share - from) / (to - from),
            };
            Some(shorter + (longer - shorter) * part)
        }
        _ => None,
    });
    found.unwrap_or_else(|| points.last().map_or(0.0, |(_, longest)| *longest))
}

/// Returns the moments of the services between all points.
pub(super) fn moments(points: &[(f64, f64)]) -> Moments {
    let mut sum = Moments { mean: 0.0, mean_square: 0.0 };
    for pair in points.windows(2) {
        if let [from, to] = pair {
            let part = moments_between(*from, *to);
            sum.mean += part.mean;
            sum.mean_square += part.mean_square;
        }
    }
    sum
}

/// Returns what the services between two neighbouring points add to the moments.
fn moments_between((from, a): (f64, f64), (to, b): (f64, f64)) -> Moments {
    match tail_distance(from, to) {
        // The integral of (a + slope t) and of its square over exp(-t), t up to `length`.
        Some(length) => {
            let slope = (b - a) / length;
            let rest = (-length).exp();
            let zeroth = 1.0 - rest;
            let first = 1.0 - rest * (1.0 + length);
            let second = 2.0 - rest * (length * length + 2.0 * length + 2.0);
            let mean = a * zeroth + slope * first;
            let square = a * a * zeroth + 2.0 * a * slope * first + slope * slope * second;
            Moments { mean: (1.0 - from) * mean, mean_square: (1.0 - from) * square }
        }
        None => Moments {
            mean: (to - from) * (a + b) / 2.0,
            mean_square: (to - from) * (a * a + a * b + b * b) / 3.0,
        },
    }
}

/// Checks that points ascend and that their shares go from 0 to 1.
pub(super) fn check(key: &str, points: &[(f64, f64)]) -> Result<(), SpecError> {
    let seconds: Vec<f64> = points.iter().map(|(_, seconds)| *seconds).collect();
    check_seconds(key, &seconds)?;
    let first = points.first().map(|(share, _)| *share);
    let last = points.last().map(|(share, _)| *share);
    let ascends = points.windows(2).all(|pair| match pair {
        [(from, a), (to, b)] => from < to && a <= b,
        _ => true,
    });
    if first == Some(0.0) && last == Some(1.0) && ascends {
        return Ok(());
    }
    let allowed = "pairs of share and seconds that ascend, with shares from 0 to 1";
    Err(SpecError::value(key, format!("{points:?}"), allowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quantile of an exponential service with mean one second.
    fn exponential(share: f64) -> Option<f64> {
        Some(-(1.0 - share).ln())
    }

    #[test]
    fn exponential_quantiles_give_the_exponential_mean_and_nearly_its_tail() {
        let mut summary = QuantileSummary::default();
        summary.p10 = exponential(0.1);
        summary.p50 = exponential(0.5);
        summary.p90 = exponential(0.9);
        summary.p99 = exponential(0.99);
        summary.p999 = exponential(0.999);
        summary.max = exponential(0.9999);
        (summary.mean, summary.count) = (Some(1.0), 10_000);
        let points = fit(&summary, 1.0);
        let found = moments(&points);
        assert!((found.mean - 1.0).abs() < 1e-6, "{found:?}");
        assert!((found.mean_square - 2.0).abs() < 0.15, "{found:?}");
        for share in [0.5, 0.9, 0.99, 0.999] {
            let error = value_at(&points, share) / exponential(share).unwrap() - 1.0;
            assert!(error.abs() < 0.04, "{share}: {error}");
        }
        assert!(check("points", &points).is_ok());
    }

    #[test]
    fn time_on_the_run_queue_is_taken_from_all_services_in_proportion() {
        let mut summary = QuantileSummary::default();
        (summary.p10, summary.p50, summary.p90) = (Some(0.002), Some(0.004), Some(0.013));
        (summary.p99, summary.max, summary.mean) = (Some(0.023), Some(0.038), Some(0.006));
        for mean in [0.006, 0.003, 0.0006] {
            let points = fit(&summary, mean);
            assert!((moments(&points).mean - mean).abs() < 1e-5);
            assert!((value_at(&points, 0.0) - 0.002 * mean / 0.006).abs() < 1e-8);
        }
    }

    #[test]
    fn a_stage_without_services_takes_no_time() {
        assert_eq!(moments(&fit(&QuantileSummary::default(), 0.1)), Moments::default());
    }
}
