//! What the rounds have in common: one point for each load.

use super::report::{Point, Round, Run, Spread};
use super::rounds::SweepPlan;
use crate::report::LoadReport;
use crate::report::outcome::Outcome;
use crate::watch::verdict;
use std::time::Duration;

/// One point for each load, in the order of the plan.
pub(super) fn points(rounds: &[Round], plan: &SweepPlan) -> Vec<Point> {
    let point = |(index, multiple): (usize, &f64)| {
        let runs: Vec<(&Round, &Run)> =
            rounds.iter().filter_map(|round| Some((round, round.runs.get(index)?))).collect();
        point(*multiple, &runs, &plan.slos)
    };
    plan.multiples.iter().enumerate().map(point).collect()
}

fn point(multiple: f64, runs: &[(&Round, &Run)], slos: &[Duration]) -> Point {
    let each = |figure: &dyn Fn(&LoadReport) -> f64| {
        Spread::of(runs.iter().map(|(_, run)| figure(&run.load))).unwrap_or_default()
    };
    let some = |figure: &dyn Fn(&LoadReport) -> Option<f64>| {
        Spread::of(runs.iter().filter_map(|(_, run)| figure(&run.load)))
    };
    let by_slo = |index: usize| {
        each(&|load| load.goodput_by_slo.get(index).map_or(0.0, |slo| slo.goodput_per_second))
    };
    let ratio = |(round, run): &(&Round, &Run)| {
        run.load.goodput_per_second / round.capacity_per_second.max(f64::MIN_POSITIVE)
    };
    let utilization = some(&|load| load.server.as_ref().map(|server| server.utilization));
    let demand_seconds = some(&demand);
    Point {
        multiple,
        offered_per_second: each(&|load| load.offered_per_second),
        throughput_per_second: each(&|load| load.throughput_per_second),
        goodput_per_second: each(&|load| load.goodput_per_second),
        goodput_ratio: Spread::of(runs.iter().map(ratio)).unwrap_or_default(),
        goodput_by_slo: (0..slos.len()).map(by_slo).collect(),
        mean: some(&|load| load.response_seconds.mean),
        p50: some(&|load| load.response_seconds.p50),
        p99: some(&|load| load.response_seconds.p99),
        p999: some(&|load| load.response_seconds.p999),
        refusal_p99: some(&|load| load.refusal_seconds.p99),
        shares: Outcome::ALL.map(|outcome| {
            each(&|load| {
                load.outcomes.of(outcome) as f64 / (load.outcomes.scheduled as f64).max(1.0)
            })
            .median
        }),
        in_flight: each(&|load| load.in_flight_mean),
        rate_times_response: each(&|load| {
            load.offered_per_second * load.sojourn_mean.unwrap_or_default()
        }),
        utilization,
        demand_seconds,
        predicted_mean: predicted_mean(runs, utilization, demand_seconds),
        verdict: words(runs),
        kept_schedule: runs.iter().all(|(_, run)| run.load.generator.kept_schedule),
        settled_after: Spread::of(runs.iter().map(|(_, run)| run.settled_after))
            .unwrap_or_default(),
        cdf: runs.first().map(|(_, run)| run.load.cdf.clone()).unwrap_or_default(),
        stages: runs.last().map(|(_, run)| run.stages.clone()).unwrap_or_default(),
    }
}

/// D = U·cores/X.
fn demand(load: &LoadReport) -> Option<f64> {
    let server = load.server.as_ref()?;
    let demand = server.utilization * server.cores as f64 / load.throughput_per_second;
    demand.is_finite().then_some(demand)
}

/// D/(1−U): the mean response time of an open queue in front of one resource. Where the server is
/// not watched, one server that is busy at the capacity is assumed: D = 1/C, U = offered/C.
fn predicted_mean(
    runs: &[(&Round, &Run)],
    utilization: Option<Spread>,
    demand: Option<Spread>,
) -> Option<f64> {
    let (demand, utilization) = match (demand, utilization) {
        (Some(demand), Some(utilization)) => (demand.median, utilization.median),
        _ => {
            let of = |(round, run): &(&Round, &Run)| {
                run.load.offered_per_second / round.capacity_per_second
            };
            let capacity = Spread::of(runs.iter().map(|(round, _)| round.capacity_per_second))?;
            (1.0 / capacity.median, Spread::of(runs.iter().map(of))?.median)
        }
    };
    (utilization < 1.0).then(|| demand / (1.0 - utilization))
}

/// What limited the last run, where the server was watched.
fn words(runs: &[(&Round, &Run)]) -> Option<String> {
    let (_, run) = runs.last()?;
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
    Some(verdict.words)
}
