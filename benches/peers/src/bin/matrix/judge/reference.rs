//! The goodput of one ideal server on recorded arrivals. They come in bursts and leave the server
//! idle in between, so a capacity that assumes steady arrivals is no fair bound for them.

use seda_tools::trace::{Entry, Trace};
use std::collections::VecDeque;

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Job {
    /// Arrival, in seconds.
    pub(crate) at: f64,
    /// CPU time that it needs, in seconds.
    pub(crate) demand: f64,
}

/// Returns the requests of a trace replayed at `speed`. The demand of each is its `micros` and
/// `overhead`, the seconds that every request costs in addition.
pub(crate) fn jobs(trace: &Trace, speed: f64, overhead: f64) -> impl Iterator<Item = Job> + '_ {
    trace.entries.iter().map(move |Entry { at_nanos, target }| {
        let path = trace.targets.get(*target as usize).map_or("", |target| &target.path);
        let micros = path.rsplit_once("micros=").and_then(|(_, micros)| micros.parse::<f64>().ok());
        let demand = micros.unwrap_or(0.0) / 1e6 + overhead;
        Job { at: *at_nanos as f64 / 1e9 / speed, demand }
    })
}

/// The rule by which an ideal server admits requests. It serves them one after the other without
/// a pause; a refusal costs nothing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum AdmissionRule {
    /// Admits each request that will be in time: its demand is known on arrival.
    Clairvoyant,
    /// Admits each request with a wait of at most this many seconds: waits are known, demands are
    /// not.
    Wait(f64),
}

impl AdmissionRule {
    /// Counts the requests from second `from` on that are answered within the SLO.
    pub(crate) fn good(self, jobs: &[Job], slo: f64, from: f64) -> u64 {
        let mut free = 0.0_f64;
        let mut good = 0;
        for Job { at, demand } in jobs {
            let wait = (free - at).max(0.0);
            let in_time = wait + demand <= slo;
            let admitted = match self {
                AdmissionRule::Clairvoyant => in_time,
                AdmissionRule::Wait(most) => wait <= most,
            };
            if admitted {
                free = at + wait + demand;
                good += u64::from(in_time && *at >= from);
            }
        }
        good
    }
}

/// Counts the answers within the SLO of the hindsight oracle, for requests from second `from` on.
/// It has `servers` servers, and each request takes `service` seconds of one. It knows all arrivals
/// and refuses at no cost.
///
/// It takes the requests in order, each one that will be in time. No plan does better: services
/// are equal and deadlines come in the order of the arrivals, so any plan can serve in that order,
/// too. In that order the oracle's i-th answer is never later than the plan's i-th, because the
/// oracle takes the first request that fits behind its last answer. So a plan with as many answers
/// has no time left for a request that the oracle refuses.
pub(crate) fn oracle(
    arrivals: impl Iterator<Item = f64>,
    servers: usize,
    service: f64,
    slo: f64,
    from: f64,
) -> u64 {
    // Requests in order of equal length end in order, so the server that is free next is the one
    // with the oldest of the last services.
    let mut ends = VecDeque::from(vec![0.0_f64; servers.max(1)]);
    let mut good = 0;
    for at in arrivals {
        let begin = ends.front().copied().unwrap_or_default().max(at);
        if begin + service <= at + slo {
            ends.pop_front();
            ends.push_back(begin + service);
            good += u64::from(at >= from);
        }
    }
    good
}

/// The SLO is divided into this many limits on the wait. A finer grid changes the result less than
/// two runs differ.
const STEPS: u32 = 20;

/// Counts the same as [`AdmissionRule::good`] with the limit on the wait that turns out best.
pub(crate) fn best_wait(jobs: &[Job], slo: f64, from: f64) -> u64 {
    let limits = (0..=STEPS).map(|step| slo * f64::from(step) / f64::from(STEPS));
    let goods = limits.map(|limit| AdmissionRule::Wait(limit).good(jobs, slo, from));
    goods.max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda_tools::arrivals::{Arrivals, Process, Profile};
    use std::time::Duration;

    fn bursts() -> Vec<Job> {
        let burst = |at: f64| (0..5).map(move |_| Job { at, demand: 0.05 });
        burst(0.0).chain(burst(1.0)).collect()
    }

    #[test]
    fn a_demand_is_the_recorded_work_and_the_overhead() {
        let text = "seconds\tmicros\n0.0\t1000\n1.0\t2000\n3.0\t500\n";
        let trace = Trace::parse("t", text.as_bytes()).unwrap();
        let found: Vec<Job> = jobs(&trace, 2.0, 0.25).collect();
        let expected = [(0.0, 0.251), (0.5, 0.252), (1.5, 0.2505)];
        assert_eq!(found, expected.map(|(at, demand)| Job { at, demand }));
    }

    #[test]
    fn of_a_burst_only_the_requests_that_are_in_time_are_admitted() {
        assert_eq!(AdmissionRule::Clairvoyant.good(&bursts(), 0.151, 0.0), 6);
        let second = AdmissionRule::Clairvoyant.good(&bursts(), 0.151, 0.5);
        assert_eq!(second, 3, "those of the second burst");
    }

    /// Returns the most answers in time of any choice of requests, served in order.
    fn best_of_all_choices(arrivals: &[f64], servers: usize, service: f64, slo: f64) -> u64 {
        let in_time = |choice: u32| {
            let mut free = vec![0.0_f64; servers];
            let chosen = arrivals.iter().zip(0..).filter(|(_, n)| choice & (1 << n) != 0);
            chosen.fold(0, |good, (at, _)| {
                free.sort_by(f64::total_cmp);
                free[0] = free[0].max(*at) + service;
                good + u64::from(free[0] <= at + slo)
            })
        };
        (0..1 << arrivals.len()).map(in_time).max().unwrap_or(0)
    }

    #[test]
    fn no_choice_of_requests_is_better_than_the_oracles() {
        let profile = Profile::constant(4.0, Duration::from_secs(3)).unwrap();
        for seed in 0..40 {
            let drawn = Arrivals::drawn(Process::Poisson, &profile, seed);
            let arrivals: Vec<f64> = drawn.take(11).map(|at| at as f64 / 1e9).collect();
            for (servers, service, slo) in [(1, 0.5, 0.5), (1, 0.4, 1.1), (2, 0.75, 1.0)] {
                let found = oracle(arrivals.iter().copied(), servers, service, slo, 0.0);
                let best = best_of_all_choices(&arrivals, servers, service, slo);
                assert_eq!(found, best, "seed {seed}, {servers} servers: {arrivals:?}");
            }
        }
    }

    #[test]
    fn the_oracle_counts_only_from_a_moment_on_and_serves_nothing_that_is_too_long() {
        let burst = |at: f64| std::iter::repeat_n(at, 5);
        let arrivals = || burst(0.0).chain(burst(1.0));
        assert_eq!(oracle(arrivals(), 1, 0.05, 0.151, 0.0), 6);
        assert_eq!(oracle(arrivals(), 1, 0.05, 0.151, 0.5), 3);
        assert_eq!(oracle(arrivals(), 4, 0.05, 0.051, 0.0), 8);
        assert_eq!(oracle(arrivals(), 4, 0.05, 0.049, 0.0), 0);
    }

    #[test]
    fn only_the_clairvoyant_rule_refuses_a_request_that_is_too_long_by_itself() {
        let jobs = [Job { at: 0.0, demand: 0.3 }, Job { at: 0.1, demand: 0.1 }];
        assert_eq!(AdmissionRule::Clairvoyant.good(&jobs, 0.2, 0.0), 1);
        let good = AdmissionRule::Wait(0.1).good(&jobs, 0.2, 0.0);
        assert_eq!(good, 0, "the server is busy with the long one");
    }

    #[test]
    fn the_best_limit_on_the_wait_is_never_better_than_the_clairvoyant_rule() {
        assert_eq!(AdmissionRule::Wait(0.0).good(&bursts(), 0.151, 0.0), 2);
        assert_eq!(best_wait(&bursts(), 0.151, 0.0), 6);
        assert_eq!(best_wait(&[], 0.2, 0.0), 0);
    }
}
