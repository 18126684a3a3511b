//! A rig that simulates its server.

use crate::experiment::sweep::{Load, Measured, Rig, StagePoint};
use crate::load::plan::Pace;
use crate::report::outcome::Outcomes;
use crate::report::{InFlight, LoadReport, SloGoodput};
use seda_sim::{SimError, SimReport, Spec};
use std::time::Duration;

/// Runs loads against a simulated server.
#[derive(Clone, Debug)]
pub struct SimRig {
    spec: Spec,
    seed: u64,
}

impl SimRig {
    /// Makes a rig for `spec`; each round of a sweep adds its number to `seed`.
    pub fn new(spec: Spec, seed: u64) -> Self {
        Self { spec, seed }
    }
}

impl Rig for SimRig {
    type Error = SimError;

    fn run(&mut self, _label: &str, load: &Load) -> Result<Measured, SimError> {
        let Pace::Open { profile, .. } = &load.pace else {
            // Only a settled server is tried by a closed loop; each simulated run has a new server.
            return Ok(Measured::default());
        };
        let rate = profile.parts().last().map_or(0.0, |part| part.rate);
        let mut spec = self.spec.at_rate(rate)?;
        (spec.warm_up, spec.window) = (load.warm_up, profile.total());
        let seed = self.seed.wrapping_add(u64::from(load.round));
        let report = seda_sim::run(&spec, seed)?;
        let mut measured = Measured::of(as_load(&spec, &report));
        measured.stages = report.graph.stages.iter().map(StagePoint::of).collect();
        Ok(measured)
    }

    fn pause(&mut self, _time: Duration) {}
}

/// Returns the report of a generator that sends the simulated load.
fn as_load(spec: &Spec, report: &SimReport) -> LoadReport {
    let ends = &report.ends;
    let slo = spec.slo.unwrap_or_default().as_secs_f64();
    let mut load = LoadReport {
        url: format!("sim:{}", spec.name),
        arrivals: format!("{:.0}/s simulated", spec.mean_rate()),
        seed: report.seed,
        slo_seconds: vec![slo],
        unfinished: ends.unfinished,
        duration_seconds: report.duration_seconds,
        outcomes: Outcomes {
            scheduled: ends.scheduled - ends.unfinished,
            good: ends.good,
            late: ends.late,
            refused: ends.refused,
            timed_out: ends.timed_out,
            // For a client, a lost request is a connection that ends without an answer.
            broken: ends.lost,
            ..Outcomes::default()
        },
        offered_per_second: report.offered_per_second,
        throughput_per_second: report.throughput_per_second,
        goodput_per_second: report.goodput_per_second,
        goodput_by_slo: vec![SloGoodput {
            slo_seconds: slo,
            good: ends.good,
            goodput_per_second: report.goodput_per_second,
        }],
        response_seconds: report.response_seconds.clone(),
        raw_seconds: report.response_seconds.clone(),
        refusal_seconds: report.refusal_seconds.clone(),
        cdf: report.cdf.clone(),
        attempts: report.attempts,
        amplification: report.amplification,
        in_flight: InFlight {
            mean: report.in_flight_mean,
            max: report.in_flight_max,
            sojourn_mean: report.sojourn_mean,
        },
        ..LoadReport::default()
    };
    load.generator.kept_schedule = true;
    load
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::{Pause, SweepPlan, sweep};
    use crate::load::arrivals::Process;

    #[test]
    fn a_spec_can_be_swept_like_a_server() {
        let spec: Spec = r#"
            slo = "100ms"
            window = "5s"
            arrivals = { rate = 1.0 }
            [[stage]]
            name = "serve"
            capacity = 50
            demand = { kind = "exponential", mean = "1ms" }
        "#
        .parse()
        .unwrap();
        let plan = SweepPlan {
            name: "simulated".to_owned(),
            url: "sim".to_owned(),
            command: String::new(),
            multiples: vec![0.5, 2.0],
            repeat: 2,
            process: Process::Poisson,
            duration: spec.window,
            warm_up: Duration::from_secs(1),
            cool_down: spec.cool_down,
            slos: vec![Duration::from_millis(100)],
            deadline: Duration::from_secs(1),
            capacity: Some(1000.0),
            pause: Pause { least: Duration::ZERO, most: Duration::ZERO },
        };
        let report = sweep(&plan, &mut SimRig::new(spec, 1)).unwrap();
        let ratios: Vec<f64> = report.points.iter().map(|p| p.goodput_ratio.median).collect();
        assert!((0.45..0.55).contains(&ratios[0]) && ratios[1] > 0.95, "{ratios:?}");
        for run in report.rounds.iter().flat_map(|round| &round.runs) {
            assert_eq!(run.load.outcomes.ended(), run.load.outcomes.scheduled);
        }
        // Above the capacity the excess is refused, and each round draws other arrivals.
        assert!(report.points[1].shares[2] > 0.4);
        assert_ne!(report.rounds[0].runs[0].load.outcomes, report.rounds[1].runs[0].load.outcomes);
        assert!(crate::page::sweep(&report).unwrap().contains("serve"));
    }
}
