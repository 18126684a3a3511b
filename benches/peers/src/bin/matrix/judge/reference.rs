//! The goodput of one ideal server on recorded arrivals. They come in bursts and leave the server
//! idle in between, so a capacity that assumes steady arrivals is no fair bound for them.

use seda_tools::trace::{Entry, Trace};

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
