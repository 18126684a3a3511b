//! The load steps over the capacity: how long answers are late.

use crate::judge::verdict::{Check, Row, time};
use crate::measure::profile::Pooling;
use crate::measure::runner::Bench;
use crate::measure::series::{between, worst_p99};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Asked, Requests};
use seda_tools::sweep::Spread;
use serde::Deserialize;
use std::error::Error;
use std::time::Duration;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Step {
    pub(crate) name: String,
    requests: Asked,
    /// Multiples of the capacity.
    from: f64,
    to: f64,
    #[serde(with = "humantime_serde")]
    before: Duration,
    #[serde(with = "humantime_serde")]
    lasts: Duration,
    /// Runs that are pooled.
    runs: u32,
    /// From when on every bin is to keep the SLO.
    #[serde(with = "humantime_serde")]
    within: Duration,
}

impl Step {
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let requests = Requests::from(&self.requests);
        let base = bench.probe(&self.name, &requests, bench.settings.slo, 0)?;
        let runs = if bench.quick { bench.settings.quick_runs } else { self.runs };
        let pooling = Pooling {
            cell: &self.name,
            requests: &requests,
            subject: Subject::Judged,
            runs,
            retries: 0,
        };
        let parts = [(base * self.from, self.before), (base * self.to, self.lasts)];
        let bins = pooling.pool(bench, &parts)?;
        let (step, end) = (self.before, self.before + self.lasts);
        let worst =
            |from: Duration| worst_p99(between(&bins, from.as_secs_f64(), end.as_secs_f64()));
        let slo = bench.settings.slo.as_secs_f64();
        let name = format!("{}x to {}x, {runs} runs", self.from, self.to);
        let within = humantime::format_duration(self.within);
        let checks = vec![
            Check::at_most(
                &format!("worst p99 of a bin from {within} on"),
                Spread::of(worst(step + self.within)),
                slo,
                time,
            ),
            Check::at_most("of any bin", Spread::of(worst(step)), slo, time).unjudged(),
        ];
        Ok(vec![Row { kind: "step", name, checks, notes: Vec::new() }])
    }
}
