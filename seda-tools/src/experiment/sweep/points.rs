//! One point for each load, over all rounds.

use super::plan::SweepPlan;
use super::report::{Point, Round, Run};
use super::response_spreads::ResponseSpreads;
use super::spread::Spread;
use crate::report::outcome::Outcome;
use crate::report::{LoadReport, verdict};

/// Returns one point for each load that was run, in the order of the plan.
pub(super) fn points(rounds: &[Round], plan: &SweepPlan) -> Vec<Point> {
    let loads = plan.multiples.iter().enumerate();
    let runs = loads.map(|(index, multiple)| (*multiple, Runs::of_load(rounds, index)));
    let run = runs.filter(|(_, runs)| !runs.0.is_empty());
    run.map(|(multiple, runs)| runs.point(multiple, plan)).collect()
}

/// The runs of one load, each with its round.
struct Runs<'a>(Vec<(&'a Round, &'a Run)>);

impl<'a> Runs<'a> {
    fn of_load(rounds: &'a [Round], index: usize) -> Self {
        let runs = rounds.iter().filter_map(|round| Some((round, round.runs.get(index)?)));
        Self(runs.collect())
    }

    fn point(&self, multiple: f64, plan: &SweepPlan) -> Point {
        let utilization = self.known(|load| load.server.as_ref().map(|server| server.utilization));
        let demand_seconds = self.known(demand);
        let responses: Vec<_> = self.0.iter().map(|(_, run)| &run.load.response_seconds).collect();
        Point {
            multiple,
            offered_per_second: self.spread(|load| load.offered_per_second),
            throughput_per_second: self.spread(|load| load.throughput_per_second),
            goodput_per_second: self.spread(|load| load.goodput_per_second),
            goodput_ratio: Spread::of(self.0.iter().map(goodput_ratio)).unwrap_or_default(),
            goodput_by_slo: (0..plan.slos.len())
                .map(|slo| self.spread(|load| goodput_within(load, slo)))
                .collect(),
            response: ResponseSpreads::of(&responses),
            refusal_p99: self.known(|load| load.refusal_seconds.p99),
            shares: Outcome::ALL.map(|outcome| self.spread(|load| share(load, outcome)).median),
            in_flight: self.spread(|load| load.in_flight.mean),
            rate_times_response: self.spread(|load| {
                load.offered_per_second * load.in_flight.sojourn_mean.unwrap_or_default()
            }),
            utilization,
            demand_seconds,
            predicted_mean: self.predicted_mean(utilization, demand_seconds),
            verdict: self.verdict(),
            kept_schedule: self.0.iter().all(|(_, run)| run.load.generator.kept_schedule),
            settled_after: Spread::of(self.0.iter().map(|(_, run)| run.settled_after))
                .unwrap_or_default(),
            cdf: self.0.first().map(|(_, run)| run.load.cdf.clone()).unwrap_or_default(),
            stages: self.0.last().map(|(_, run)| run.stages.clone()).unwrap_or_default(),
        }
    }

    /// The spread of a figure that every run has; zero without runs.
    fn spread(&self, figure: impl Fn(&LoadReport) -> f64) -> Spread {
        Spread::of(self.0.iter().map(|(_, run)| figure(&run.load))).unwrap_or_default()
    }

    /// The spread of a figure that a run may lack; `None` if all lack it.
    fn known(&self, figure: impl Fn(&LoadReport) -> Option<f64>) -> Option<Spread> {
        Spread::of(self.0.iter().filter_map(|(_, run)| figure(&run.load)))
    }

    /// D/(1−U): the mean response time of an open queue in front of one resource; `None` if
    /// saturated. For a server that is not watched, the model is one server that is busy at the
    /// capacity: D = 1/C, U = offered/C.
    fn predicted_mean(&self, utilization: Option<Spread>, demand: Option<Spread>) -> Option<f64> {
        let (demand, utilization) = match (demand, utilization) {
            (Some(demand), Some(utilization)) => (demand.median, utilization.median),
            _ => {
                let capacities = self.0.iter().map(|(round, _)| round.capacity_per_second);
                let utilizations = self
                    .0
                    .iter()
                    .map(|(round, run)| run.load.offered_per_second / round.capacity_per_second);
                (1.0 / Spread::of(capacities)?.median, Spread::of(utilizations)?.median)
            }
        };
        (utilization < 1.0).then(|| demand / (1.0 - utilization))
    }

    /// Describes the limit of the last run; `None` if the server was not watched.
    fn verdict(&self) -> Option<String> {
        let (_, run) = self.0.last()?;
        if run.unwatched.is_some() {
            return run.unwatched.clone();
        }
        let load = &run.load;
        load.server.as_ref()?;
        let verdict = verdict(
            load.server.as_ref(),
            load.offered_per_second,
            load.throughput_per_second,
            load.generator.kept_schedule,
            load.generator.cpu_share,
        );
        Some(verdict.message)
    }
}

fn goodput_ratio((round, run): &(&Round, &Run)) -> f64 {
    run.load.goodput_per_second / round.capacity_per_second.max(f64::MIN_POSITIVE)
}

/// Goodput under the SLO number `slo`; 0 if the run did not measure it.
fn goodput_within(load: &LoadReport, slo: usize) -> f64 {
    load.goodput_by_slo.get(slo).map_or(0.0, |slo| slo.goodput_per_second)
}

fn share(load: &LoadReport, outcome: Outcome) -> f64 {
    load.outcomes.of(outcome) as f64 / (load.outcomes.scheduled as f64).max(1.0)
}

/// D = U·cores/X, in seconds.
fn demand(load: &LoadReport) -> Option<f64> {
    let server = load.server.as_ref()?;
    let demand = server.utilization * server.cores as f64 / load.throughput_per_second;
    demand.is_finite().then_some(demand)
}
