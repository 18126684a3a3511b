//! The figures of a measured report, and how far the simulation is off from them.

use super::report::{Measured, MeasuredStage, ModelError, Side};
use seda_core::Report;
use seda_sim::plan::Forecast;

impl Measured {
    /// Returns the figures of the last ten seconds.
    pub(super) fn of(report: &Report) -> Self {
        let seconds = report.stages.iter().map(|stage| stage.last_ten_seconds.seconds);
        let seconds = seconds.fold(f64::MIN_POSITIVE, f64::max);
        let entries = report.edges.iter().filter(|edge| edge.from.is_none());
        let (mut accepted, mut refused) = (0, 0);
        for edge in entries.map(|edge| &edge.last_ten_seconds) {
            accepted += edge.sent;
            refused += edge.refused;
        }
        let answered: u64 = report.classes.iter().map(|class| class.last_ten_seconds.count).sum();
        let throughput = if answered > 0 { answered } else { accepted };
        let found = &report.bottleneck;
        let stages = report.stages.iter().map(|stage| MeasuredStage {
            name: stage.name.clone(),
            utilization: stage.last_ten_seconds.utilization,
        });
        Self {
            seconds,
            offered: (accepted + refused) as f64 / seconds,
            throughput: throughput as f64 / seconds,
            p50: quantile(report, 0.5),
            p99: quantile(report, 0.99),
            stages: stages.collect(),
            bottleneck: if found.resource.is_empty() {
                found.kind.to_string()
            } else {
                format!("{} ({})", found.resource, found.kind)
            },
            load: found.load,
            full_at: found.max_rate.map(|rate| rate.per_second),
        }
    }

    /// Returns the figures in which a forecast is off by more than the share `off`.
    pub(super) fn errors(&self, forecast: &Forecast, off: f64) -> Vec<ModelError> {
        let pairs = [
            ("answered/s", Some(self.throughput), Some(forecast.throughput)),
            ("p50", self.p50, forecast.p50),
            ("p99", self.p99, forecast.p99),
        ];
        let known = pairs.into_iter().filter_map(|(figure, measured, simulated)| {
            let above = simulated?.median / measured.filter(|measured| *measured > 0.0)? - 1.0;
            Some(ModelError { figure: figure.to_owned(), above })
        });
        known.filter(|error| error.above.abs() > off).collect()
    }

    /// Returns the factor between the measured and the simulated p99; 1 if either is unknown.
    pub(super) fn p99_factor(&self, forecast: &Forecast) -> f64 {
        let simulated = forecast.p99.map(|p99| p99.median).filter(|p99| *p99 > 0.0);
        self.p99.zip(simulated).map_or(1.0, |(measured, simulated)| measured / simulated)
    }
}

impl Side {
    /// Returns the side with its times stretched to one that is off by `factor`, as the simulation
    /// of the unchanged graph was.
    pub(super) fn stretched(mut self, factor: f64) -> Self {
        self.forecast.p99 = self.forecast.p99.map(|range| range.stretched(factor));
        self
    }
}

/// Returns a quantile of the answers' times: of the last ten seconds where there is one class with
/// answers, else of all classes since the graph began.
fn quantile(report: &Report, q: f64) -> Option<f64> {
    let answered = report.classes.iter().filter(|class| class.last_ten_seconds.count > 0);
    let answered: Vec<_> = answered.map(|class| class.last_ten_seconds).collect();
    if let [only] = answered.as_slice() {
        return if q < 0.9 { only.p50 } else { only.p99 };
    }
    // Each class counts its answers within some times; together they count all.
    let mut points: Vec<(f64, u64)> = Vec::new();
    for response in report.response_seconds.values() {
        let mut before = 0;
        for (time, within) in &response.cdf {
            points.push((*time, within.saturating_sub(before)));
            before = *within;
        }
    }
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let all: u64 = points.iter().map(|(_, n)| n).sum();
    let mut within = 0;
    points.into_iter().find_map(|(time, n)| {
        within += n;
        (within as f64 >= q * all as f64 && all > 0).then_some(time)
    })
}
