//! What a spec does, by several runs of it.

use super::change::time_of;
use crate::model::error::SimError;
use crate::report::SimReport;
use crate::spec::capacity::{Capacity, Resource, ResourceKind};
use crate::spec::{Spec, StageSpec};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Below this load nothing is called a bottleneck, as in a report.
const FREE: f64 = 0.62;

/// A figure over several runs: the lowest, the middle one and the highest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Range {
    /// The lowest.
    pub low: f64,
    /// The median; of an even number the upper one of the two in the middle.
    pub median: f64,
    /// The highest.
    pub high: f64,
}

/// What a graph does, over several runs with different seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Forecast {
    /// Requests that start, per second.
    pub offered: Range,
    /// Answers per second.
    pub throughput: Range,
    /// The share of the requests that is answered, 0 to 1.
    pub answered: Range,
    /// Median response time, in seconds; `None` without an answer.
    pub p50: Option<Range>,
    /// The response time that 99 % of the answers keep, in seconds.
    pub p99: Option<Range>,
    /// The stages, in order of declaration.
    pub stages: Vec<StageForecast>,
    /// The resource that is full first.
    pub limit: Limit,
}

/// One stage of a forecast.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StageForecast {
    /// Its name.
    pub name: String,
    /// The share of its pool's time that its events take, 0 to 1.
    pub utilization: Range,
    /// Time in its queue that 99 % of its events keep, in seconds.
    pub wait_p99: Range,
}

/// The resource with the highest load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Limit {
    /// The resource, like `workers of render`.
    pub resource: String,
    /// The stage with the largest part of its demand.
    pub stage: Option<String>,
    /// The kind as reports name it; `none` below a load of 62 %.
    pub kind: String,
    /// The load that is offered to it; 1 is full.
    pub load: f64,
    /// Requests per second at which it is full; `None` if none need it.
    pub full_at: Option<f64>,
}

impl Range {
    /// Returns the range of some figures; zeros of none.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            low: sorted.first().copied().unwrap_or(0.0),
            median: sorted.get(sorted.len() / 2).copied().unwrap_or(0.0),
            high: sorted.last().copied().unwrap_or(0.0),
        }
    }

    /// Returns the range with all its ends multiplied.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self { low: self.low * factor, median: self.median * factor, high: self.high * factor }
    }

    /// Returns the range that also holds its ends multiplied by `factor`.
    #[must_use]
    pub fn stretched(self, factor: f64) -> Self {
        Self {
            low: self.low * factor.min(1.0),
            median: self.median,
            high: self.high * factor.max(1.0),
        }
    }
}

impl Forecast {
    /// Runs a spec with the seeds `seed`, `seed` + 1 and so on, `runs` times.
    ///
    /// ```
    /// use seda_sim::{Spec, plan::Forecast};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let spec: Spec = r#"
    ///     window = "10s"
    ///     arrivals = { rate = 90.0 }
    ///     [[stage]]
    ///     name = "serve"
    ///     capacity = 1000
    ///     demand = { kind = "exponential", mean = "10ms" }
    /// "#.parse()?;
    /// let forecast = Forecast::of(&spec, 1, 3)?;
    /// assert_eq!(forecast.limit.resource, "workers of serve");
    /// assert!(forecast.throughput.low > 70.0 && forecast.throughput.high < 110.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The spec is invalid.
    pub fn of(spec: &Spec, seed: u64, runs: u32) -> Result<Self, SimError> {
        let mut reports = Vec::with_capacity(runs as usize);
        for run in 0..u64::from(runs.max(1)) {
            reports.push(crate::run::run(spec, seed.wrapping_add(run))?);
        }
        let over = |figure: &dyn Fn(&SimReport) -> f64| Range::of(reports.iter().map(figure));
        let quantile = |figure: fn(&SimReport) -> Option<f64>| {
            let known: Vec<f64> = reports.iter().filter_map(figure).collect();
            (!known.is_empty()).then(|| Range::of(known))
        };
        let throughput = over(&|report| report.throughput_per_second);
        // A closed loop offers as much as is answered.
        let rate = match spec.mean_rate() {
            rate if rate > 0.0 => rate,
            _ => throughput.median,
        };
        Ok(Self {
            offered: over(&|report| report.offered_per_second),
            throughput,
            answered: over(&answered),
            p50: quantile(|report| report.response_seconds.p50),
            p99: quantile(|report| report.response_seconds.p99),
            stages: stages(spec, &reports),
            limit: Limit::of(spec, rate),
        })
    }
}

/// Returns the share of a run's requests that is answered.
fn answered(report: &SimReport) -> f64 {
    let ends = &report.ends;
    (ends.good + ends.late) as f64 / ends.scheduled.max(1) as f64
}

/// Returns the stages of a spec over all runs.
fn stages(spec: &Spec, reports: &[SimReport]) -> Vec<StageForecast> {
    let of = |stage: &StageSpec| {
        let runs = reports
            .iter()
            .filter_map(|report| report.graph.stages.iter().find(|found| found.name == stage.name));
        let windows: Vec<_> = runs.map(|found| &found.last_ten_seconds).collect();
        StageForecast {
            name: stage.name.clone(),
            utilization: Range::of(windows.iter().map(|window| window.utilization)),
            wait_p99: Range::of(windows.iter().filter_map(|window| window.wait.p99)),
        }
    };
    // The stage that only spreads requests is none of the measured graph.
    let real = spec.stages.iter().filter(|stage| time_of(stage) > 0.0);
    real.map(of).collect()
}

impl Limit {
    /// Returns the resource with the highest load at `rate` requests per second.
    pub fn of(spec: &Spec, rate: f64) -> Self {
        let resources = Capacity::resources(spec);
        let first = resources.iter().max_by(|a, b| a.load(rate).total_cmp(&b.load(rate)));
        let Some(first) = first else {
            return Self {
                resource: "nothing".to_owned(),
                stage: None,
                kind: "none".to_owned(),
                load: 0.0,
                full_at: None,
            };
        };
        let load = first.load(rate);
        let kind = if load < FREE { "none" } else { kind(first, spec) };
        Self {
            resource: name(first),
            stage: first.stage.clone(),
            kind: kind.to_owned(),
            load,
            full_at: Some(first.full_at()).filter(|rate| rate.is_finite()),
        }
    }
}

/// Returns the resource as reports name it.
fn name(resource: &Resource) -> String {
    let of = &resource.name;
    match resource.kind {
        ResourceKind::Workers => format!("workers of {of}"),
        ResourceKind::Pool => format!("pool {of}"),
        ResourceKind::Cap => format!("cap of {of}"),
        ResourceKind::Cores => "cores".to_owned(),
        ResourceKind::Outside => format!("places outside of {of}"),
        ResourceKind::Key => format!("hottest key of {of}"),
        ResourceKind::Rate => format!("rate of {of}"),
    }
}

/// Returns the kind of a full resource as reports name it.
fn kind(resource: &Resource, spec: &Spec) -> &'static str {
    let stage = spec.stages.iter().find(|stage| Some(&stage.name) == resource.stage.as_ref());
    match resource.kind {
        ResourceKind::Workers if stage.is_some_and(|stage| stage.cpu_share < 0.5) => "blocked",
        ResourceKind::Workers => "cpu",
        ResourceKind::Pool | ResourceKind::Cap => "pool_limit",
        ResourceKind::Cores => "cores",
        ResourceKind::Outside => "outside",
        ResourceKind::Key => "key",
        ResourceKind::Rate => "admission",
    }
}

/// Returns the length of a run in which a quantile of 99 % is of many requests: two thousand, and
/// twenty seconds at least, as long as a measurement takes.
fn window(rate: f64) -> Duration {
    let seconds = (REQUESTS / rate.max(f64::MIN_POSITIVE)).clamp(SHORTEST, LONGEST);
    Duration::from_secs_f64(seconds.round())
}

const REQUESTS: f64 = 2_000.0;
const SHORTEST: f64 = 20.0;
const LONGEST: f64 = 600.0;

/// Returns the spec with a window that is long enough for a forecast at its rate.
#[must_use]
pub fn with_window(spec: &Spec) -> Spec {
    let mut spec = spec.clone();
    spec.window = match spec.mean_rate() {
        rate if rate > 0.0 => window(rate),
        _ => Duration::from_secs_f64(SHORTEST),
    };
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_has_the_ends_and_the_middle_and_is_stretched_to_one_side() {
        let range = Range::of([3.0, 1.0, 2.0]);
        assert_eq!((range.low, range.median, range.high), (1.0, 2.0, 3.0));
        assert_eq!(range.stretched(1.5), Range { high: 4.5, ..range });
        assert_eq!(range.stretched(0.5), Range { low: 0.5, ..range });
        assert_eq!(Range::of([]), Range::default());
    }

    #[test]
    fn a_window_has_enough_requests_and_does_not_last_for_ever() {
        assert_eq!(window(1e5), Duration::from_secs(20));
        assert_eq!(window(20.0), Duration::from_secs(100));
        assert_eq!(window(0.1), Duration::from_secs(600));
    }
}
