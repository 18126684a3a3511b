//! Adds up what the threads saw, and says whether it can be trusted.

use super::driver::Driven;
use super::loaded::Loaded;
use super::tally::Tally;
use super::window::rate;
use crate::load::plan::LoadPlan;
use crate::report::outcome::Outcomes;
use crate::report::{Fairness, GeneratorReport, LoadReport, PathReport, SloGoodput};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// Requests may begin this late, at the 99th percentile, before the load is called another one
/// than the one asked for: what a shared machine's scheduler takes now and then is below it, and
/// what matters to an SLO of 100 ms and more is above.
const MOST_LAG: Duration = Duration::from_millis(10);
/// With a tighter SLO, a tenth of it: a later start would be a tenth of what is measured.
const LAG_TO_SLO: u32 = 10;
/// Even a perfect schedule is kept to no better than this on a shared machine.
const LEAST_LAG: Duration = Duration::from_millis(1);
/// Jain's index over fewer good answers a client says more about chance than about fairness.
const ANSWERS_FOR_FAIRNESS: u64 = 200;

/// The report of a run.
pub(super) fn loaded(plan: &LoadPlan, driven: Vec<Driven>) -> Loaded {
    let until = driven.iter().filter_map(|thread| thread.interrupted).min().unwrap_or(Time::NEVER);
    let generator = generator(&driven);
    let bytes_received = driven.iter().map(|thread| thread.sockets.bytes_received).sum();
    let mut tallies = driven.into_iter().map(|thread| thread.tally);
    let Some(mut tally) = tallies.next() else {
        return Loaded { report: LoadReport::default(), series: None };
    };
    tallies.for_each(|other| tally.add(&other));
    let mut report = report(plan, &tally, until);
    report.bytes_received = bytes_received;
    report.generator = judged(generator, plan, &tally);
    Loaded { report, series: tally.series }
}

fn report(plan: &LoadPlan, tally: &Tally, until: Time) -> LoadReport {
    let mut outcomes = Outcomes::default();
    let mut response = Quantiles::default();
    let (mut seconds, mut came_in, mut good_in) = (0.0, 0, 0);
    let mut within_in = vec![0; tally.within.len()];
    for window in tally.windows.iter().filter(|window| window.window.measured) {
        outcomes.add(&window.outcomes);
        response.add(&window.response);
        seconds += window.seconds(until);
        came_in += window.came_in;
        good_in += window.good_in();
        let counts = within_in.iter_mut().zip(&window.came_in_within);
        counts.for_each(|(sum, count)| *sum += count);
    }
    let slo = |((slo, good), came_in): (&(Duration, u64), u64)| SloGoodput {
        slo_seconds: slo.as_secs_f64(),
        good: *good,
        goodput_per_second: rate(came_in, seconds),
    };
    LoadReport {
        url: plan.url.to_string(),
        arrivals: plan.pace.describe(),
        seed: plan.seed,
        slo_seconds: plan.slos.iter().map(Duration::as_secs_f64).collect(),
        deadline_seconds: plan.deadline.as_secs_f64(),
        interrupted: until != Time::NEVER,
        unfinished: tally.unfinished,
        duration_seconds: seconds,
        outcomes,
        offered_per_second: rate(outcomes.scheduled, seconds),
        throughput_per_second: rate(came_in, seconds),
        goodput_per_second: rate(good_in, seconds),
        goodput_by_slo: tally.within.iter().zip(within_in).map(slo).collect(),
        response_seconds: response.summary(),
        raw_seconds: tally.raw.summary(),
        refusal_seconds: tally.refusal.summary(),
        sojourn_mean: tally.sojourn.mean_seconds(),
        cdf: cdf(&response),
        paths: paths(plan, tally),
        windows: tally.windows.iter().map(|window| window.report(until)).collect(),
        statuses: tally.statuses.clone(),
        failures: tally.failures.iter().map(|(why, n)| ((*why).to_owned(), *n)).collect(),
        attempts: tally.attempts,
        amplification: tally.attempts as f64 / outcomes.scheduled.max(1) as f64,
        in_flight_mean: tally.occupancy.mean(until),
        in_flight_max: tally.occupancy.max(),
        fairness: fairness(&tally.clients),
        series: tally.series.as_ref().map(super::Series::report).unwrap_or_default(),
        ..LoadReport::default()
    }
}

fn cdf(response: &Quantiles) -> Vec<(f64, f64)> {
    let count = response.count().max(1) as f64;
    response.cdf().into_iter().map(|(seconds, n)| (seconds, n as f64 / count)).collect()
}

fn paths(plan: &LoadPlan, tally: &Tally) -> Vec<PathReport> {
    let asked = |(_, (outcomes, _)): &(&String, &(Outcomes, Quantiles))| outcomes.scheduled > 0;
    let path = |(label, (outcomes, response)): (&String, &(Outcomes, Quantiles))| PathReport {
        path: label.clone(),
        outcomes: *outcomes,
        response_seconds: response.summary(),
    };
    plan.workload.labels.iter().zip(&tally.labels).filter(asked).map(path).collect()
}

/// Jain's index: (sum x)^2 / (n * sum x^2).
fn fairness(clients: &[u64]) -> Option<Fairness> {
    let fewest = *clients.iter().min()?;
    let sum: f64 = clients.iter().map(|good| *good as f64).sum();
    let squares: f64 = clients.iter().map(|good| (*good as f64).powi(2)).sum();
    Some(Fairness {
        clients: clients.len() as u64,
        jain: (squares > 0.0).then(|| sum * sum / (clients.len() as f64 * squares)),
        fewest,
        most: clients.iter().max().copied().unwrap_or_default(),
        enough: fewest >= ANSWERS_FOR_FAIRNESS,
    })
}

fn generator(driven: &[Driven]) -> GeneratorReport {
    let share = |thread: &Driven| {
        let wall = thread.ended.as_secs_f64();
        if wall > 0.0 { thread.cpu.as_secs_f64() / wall } else { 0.0 }
    };
    GeneratorReport {
        kept_schedule: true,
        threads: driven.len() as u64,
        cpu_seconds: driven.iter().map(|thread| thread.cpu.as_secs_f64()).sum(),
        cpu_share: driven.iter().map(share).fold(0.0, f64::max),
        connections_opened: driven.iter().map(|thread| thread.sockets.opened).sum(),
        connections_max: driven.iter().map(|thread| thread.sockets.max).sum(),
        waited_for_connection: driven.iter().map(|thread| thread.sockets.waited).sum(),
        resent: driven.iter().map(|thread| thread.sockets.resent).sum(),
        ..GeneratorReport::default()
    }
}

/// Whether the load was the one asked for.
fn judged(mut generator: GeneratorReport, plan: &LoadPlan, tally: &Tally) -> GeneratorReport {
    let tenth = plan.slos.first().map_or(MOST_LAG, |slo| *slo / LAG_TO_SLO);
    let allowed = tenth.clamp(LEAST_LAG, MOST_LAG);
    let lag = tally.lag.quantile_seconds(0.99).unwrap_or_default();
    if lag > allowed.as_secs_f64() {
        generator.why_not = Some(format!(
            "1 % of the requests began {:.1} ms or more after they were meant to (allowed: {:.1} \
             ms); its busiest thread used {:.0} % of a core",
            lag * 1e3,
            allowed.as_secs_f64() * 1e3,
            generator.cpu_share * 100.0
        ));
    } else if tally.own_faults > 0 {
        generator.why_not = Some(format!(
            "{} connections could not be opened from this side: no local port or descriptor left",
            tally.own_faults
        ));
    }
    generator.kept_schedule = generator.why_not.is_none();
    generator.lag_seconds = tally.lag.summary();
    generator
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jains_index_is_one_for_equals_and_one_over_n_for_a_monopoly() {
        assert_eq!(fairness(&[300; 8]).unwrap().jain, Some(1.0));
        let monopoly = fairness(&[0, 0, 0, 900]).unwrap();
        assert_eq!((monopoly.jain, monopoly.enough), (Some(0.25), false));
        assert_eq!((fairness(&[]), fairness(&[0, 0]).unwrap().jain), (None, None));
    }
}
