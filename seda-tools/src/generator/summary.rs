//! Adds up the results of the threads and checks whether the schedule was kept.

use super::driver::Driven;
use super::loaded::Loaded;
use super::tally::window::rate;
use super::tally::{Punctuality, Tally};
use crate::load::plan::LoadPlan;
use crate::report::outcome::Outcomes;
use crate::report::units::whole_percent;
use crate::report::{Fairness, GeneratorReport, InFlight, LoadReport, PathReport, SloGoodput};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::time::Duration;

/// The largest lag at the 99th percentile with which the schedule is kept. Delays by the scheduler
/// of a shared machine are shorter; delays that matter to an SLO of 100 ms or more are longer.
const MOST_LAG: Duration = Duration::from_millis(10);
/// The largest lag is an SLO divided by this, if that is less: a tenth of the measured time.
const LAG_TO_SLO: u32 = 10;
/// The lower bound of the largest lag, because a shared machine keeps no schedule better.
const LEAST_LAG: Duration = Duration::from_millis(1);
/// The share of a core from which a thread of the generator counts as busy: it spins for short
/// waits, and a thread that sleeps for long ones stays far below.
const BUSY_THREAD: f64 = 0.8;
/// Good answers that every client needs; with fewer, Jain's index shows chance, not fairness.
const ANSWERS_FOR_FAIRNESS: u64 = 200;

/// Makes the report of a run.
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
    report.generator = with_schedule_check(generator, plan, &tally);
    Loaded { report, series: tally.series }
}

fn report(plan: &LoadPlan, tally: &Tally, until: Time) -> LoadReport {
    // The totals are sums over the measured windows.
    let mut outcomes = Outcomes::default();
    let mut response = Quantiles::default();
    let mut seconds = 0.0;
    let mut completed = 0;
    let mut completed_good = 0;
    let mut completed_within = vec![0; tally.within.len()];
    for window in tally.windows.iter().filter(|window| window.window.measured) {
        outcomes.add(&window.outcomes);
        response.add(&window.response);
        seconds += window.seconds(until);
        completed += window.completed;
        completed_good += window.completed_good();
        let counts = completed_within.iter_mut().zip(&window.completed_within);
        counts.for_each(|(sum, count)| *sum += count);
    }
    // Goodput counts the answers that arrived within the windows.
    let mut goodput_by_slo = Vec::with_capacity(tally.within.len());
    for (count, completed) in tally.within.iter().zip(completed_within) {
        goodput_by_slo.push(SloGoodput {
            slo_seconds: count.slo.as_secs_f64(),
            good: count.good,
            goodput_per_second: rate(completed, seconds),
        });
    }
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
        throughput_per_second: rate(completed, seconds),
        goodput_per_second: rate(completed_good, seconds),
        goodput_by_slo,
        response_seconds: response.summary(),
        raw_seconds: tally.raw.summary(),
        refusal_seconds: tally.refusal.summary(),
        cdf: cdf(&response),
        paths: paths(plan, tally),
        windows: tally.windows.iter().map(|window| window.report(until)).collect(),
        statuses: tally.statuses.clone(),
        failures: tally.failures.iter().map(|(why, n)| ((*why).to_owned(), *n)).collect(),
        attempts: tally.attempts,
        amplification: tally.attempts as f64 / outcomes.scheduled.max(1) as f64,
        in_flight: InFlight {
            mean: tally.occupancy.mean(until),
            max: tally.occupancy.max(),
            sojourn_mean: tally.sojourn.mean_seconds(),
        },
        intervals: tally.batches.intervals(until),
        fairness: fairness(&tally.clients),
        series: tally.series.as_ref().map(super::Series::report).unwrap_or_default(),
        ..LoadReport::default()
    }
}

/// Returns pairs of seconds and the share of answers that took no longer.
fn cdf(response: &Quantiles) -> Vec<(f64, f64)> {
    let count = response.count().max(1) as f64;
    response.cdf().into_iter().map(|(seconds, n)| (seconds, n as f64 / count)).collect()
}

/// Returns the reports of the paths that were requested.
fn paths(plan: &LoadPlan, tally: &Tally) -> Vec<PathReport> {
    let mut paths = Vec::new();
    for (label, responses) in plan.workload.labels.iter().zip(&tally.labels) {
        if responses.outcomes.scheduled > 0 {
            paths.push(PathReport {
                path: label.clone(),
                outcomes: responses.outcomes,
                response_seconds: responses.times.summary(),
            });
        }
    }
    paths
}

/// Returns Jain's index (sum x)^2 / (n * sum x^2) and the range; `None` without clients.
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
    GeneratorReport {
        kept_schedule: true,
        threads: driven.len() as u64,
        cpu_seconds: driven.iter().map(|thread| thread.cpu.as_secs_f64()).sum(),
        cpu_share: driven.iter().map(Driven::cpu_share).fold(0.0, f64::max),
        connections_opened: driven.iter().map(|thread| thread.sockets.opened).sum(),
        connections_max: driven.iter().map(|thread| thread.sockets.max).sum(),
        waited_for_connection: driven.iter().map(|thread| thread.sockets.waited).sum(),
        resent: driven.iter().map(|thread| thread.sockets.resent).sum(),
        ..GeneratorReport::default()
    }
}

/// Decides whether the load was the one asked for.
fn with_schedule_check(
    mut generator: GeneratorReport,
    plan: &LoadPlan,
    tally: &Tally,
) -> GeneratorReport {
    let tenth = plan.slos.first().map_or(MOST_LAG, |slo| *slo / LAG_TO_SLO);
    let allowed = tenth.clamp(LEAST_LAG, MOST_LAG);
    let Punctuality { lag, local_faults } = &tally.punctuality;
    let late = lag.quantile_seconds(0.99).unwrap_or_default();
    if late > allowed.as_secs_f64() {
        let used = whole_percent(generator.cpu_share);
        // A thread that has a core to spare is late because it does not get it.
        let remedy = if generator.cpu_share >= BUSY_THREAD {
            format!(
                "its busiest thread used {used} of a core: give it more --threads, or offer less"
            )
        } else {
            format!(
                "its busiest thread used only {used} of a core: other processes had the machine, so \
                 give the generator a core of its own"
            )
        };
        generator.why_not = Some(format!(
            "1 % of the requests began {:.1} ms or more after they were meant to (allowed: {:.1} \
             ms); {remedy}",
            late * 1e3,
            allowed.as_secs_f64() * 1e3,
        ));
    } else if *local_faults > 0 {
        generator.why_not = Some(format!(
            "{local_faults} connections could not be opened from this side: no local port or \
             descriptor left"
        ));
    }
    generator.kept_schedule = generator.why_not.is_none();
    generator.lag_seconds = lag.summary();
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
