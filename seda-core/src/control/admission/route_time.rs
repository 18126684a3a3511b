//! The time that a request spends on its route, beside the wait at one stage.

use crate::config::{Position, StageIndex, Stages};
use crate::monitor::Topology;
use std::time::Duration;

/// The share of the SLO within which 99 of 100 requests are to be answered. An event is shed if it
/// cannot be answered within 95 %; half a percent is for the way there and back.
const P99_SHARE: f64 = 0.945;
/// The same share for the mean request where no wait keeps the SLO for 99 of 100: the rest is for
/// services that take longer than usual.
const MEAN_SHARE: f64 = 0.8;
/// The number of hops over which the remaining time is summed. A cycle ends there.
const MOST_HOPS: usize = 16;

/// The services and waits of one stage, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct StageTime {
    /// The mean service.
    pub(super) service: f64,
    /// The 99th percentile of the service.
    pub(super) p99: f64,
    /// The 90th percentile of the wait.
    pub(super) wait: f64,
}

/// The time of a route beside the wait at one of its stages, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct RouteTime {
    /// The mean services of all stages.
    services: f64,
    /// The margin of the 99th percentile of their sum over its mean.
    tail: f64,
    /// The waits at the other stages.
    waits: f64,
}

impl RouteTime {
    /// Returns the time of a request that visits all of `stages` and waits elsewhere than at
    /// `here`. The margins of independent services add like standard deviations.
    pub(super) fn of(stages: impl Iterator<Item = (bool, StageTime)>) -> Self {
        let (mut sum, mut squares) = (Self::default(), 0.0);
        for (here, time) in stages {
            sum.services += time.service;
            squares += (time.p99 - time.service) * (time.p99 - time.service);
            sum.waits += if here { 0.0 } else { time.wait };
        }
        Self { tail: f64::sqrt(squares), ..sum }
    }

    /// Returns the 99th percentile of the services, and the waits at the other stages.
    pub(super) fn total(&self) -> f64 {
        self.services + self.tail + self.waits
    }

    /// Returns the wait that an SLO leaves for 99 of 100 requests; negative if it leaves none.
    pub(super) fn slack_p99(&self, slo: f64) -> f64 {
        slo * P99_SHARE - self.total()
    }

    /// Returns the wait that an SLO leaves for the mean request.
    pub(super) fn slack_mean(&self, slo: f64) -> f64 {
        slo * MEAN_SHARE - self.services - self.waits
    }
}

/// The times of all stages at one tick.
pub(super) struct RouteTimes {
    /// By stage: the longest of the routes through it.
    longest: Stages<RouteTime>,
    /// By stage: the mean time from the beginning of a service to the answer, in seconds.
    remaining: Stages<f64>,
}

impl RouteTimes {
    /// Sums the `times` of stages along the routes, declared or measured, and along the edges. A
    /// stage without a service yet counts as nothing.
    pub(super) fn new(
        topology: &Topology,
        next: &Stages<Vec<(StageIndex, f64)>>,
        times: Stages<Option<StageTime>>,
    ) -> Self {
        let time = |stage: StageIndex| times[stage].unwrap_or_default();
        let mut longest = times.map(|stage, _| RouteTime::of(std::iter::once((true, time(stage)))));
        let admission = &topology.core.admission;
        let declared = (0..admission.declared_routes()).map(|route| admission.stages_on(route));
        let measured = admission.entries().iter().map(|entry| admission.stages_from(*entry));
        for stages in declared.chain(measured) {
            let on_route = || stages.iter().map(|stage| StageIndex::declared(*stage));
            for here in on_route() {
                let sum = RouteTime::of(on_route().map(|stage| (stage == here, time(stage))));
                if sum.total() > longest[here].total() {
                    longest[here] = sum;
                }
            }
        }
        Self { longest, remaining: remaining(next, time) }
    }

    /// Returns the time of the longest route through `stage`.
    pub(super) fn of(&self, stage: StageIndex) -> RouteTime {
        self.longest[stage]
    }

    /// Returns how long before its deadline an event of `stage` has to begin. Zero if the rest of
    /// its route takes the whole SLO; then only the wait counts.
    pub(super) fn lead(&self, stage: StageIndex, slo: Duration) -> Duration {
        let seconds = self.remaining[stage];
        if seconds < slo.as_secs_f64() * P99_SHARE {
            Duration::try_from_secs_f64(seconds).unwrap_or(Duration::ZERO)
        } else {
            Duration::ZERO
        }
    }
}

/// Returns, for each stage, its service and the waits and services of the stages that its events go
/// on to, each as often as events are sent there.
fn remaining(
    next: &Stages<Vec<(StageIndex, f64)>>,
    time: impl Fn(StageIndex) -> StageTime,
) -> Stages<f64> {
    let mut remaining = next.map(|stage, _| time(stage).service);
    let hops = if next.iter().all(Vec::is_empty) { 0 } else { next.len().min(MOST_HOPS) };
    for _ in 0..hops {
        remaining = next.map(|stage, next| {
            let next = next.iter().map(|(next, sent)| {
                // The answer waits for the longest branch of a fan-out, not for all in turn.
                sent.min(1.0) * (time(*next).wait + remaining[*next])
            });
            time(stage).service + next.fold(0.0, f64::max)
        });
    }
    remaining
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(service: f64, p99: f64, wait: f64) -> StageTime {
        StageTime { service, p99, wait }
    }

    #[test]
    fn the_slo_leaves_less_wait_the_more_a_request_does_elsewhere() {
        let (here, there) = (time(0.010, 0.040, 0.3), time(0.010, 0.050, 0.020));
        let alone = RouteTime::of([(true, here)].into_iter());
        assert!((alone.slack_p99(0.2) - (0.189 - 0.040)).abs() < 1e-9);
        assert!((alone.slack_mean(0.2) - 0.150).abs() < 1e-9);
        let both = RouteTime::of([(true, here), (false, there)].into_iter());
        // The margins of 30 and 40 ms make 50.
        assert!((both.slack_p99(0.2) - (0.189 - 0.020 - 0.050 - 0.020)).abs() < 1e-9);
    }

    #[test]
    fn the_remaining_time_follows_the_edges_and_a_cycle_ends() {
        let next = |stage, sent| vec![(StageIndex::declared(stage), sent)];
        let times = |_| time(0.010, 0.010, 0.005);
        let chain: Stages<_> = [next(1, 1.0), next(2, 0.5), Vec::new()].into_iter().collect();
        let sums: Vec<f64> = remaining(&chain, times).iter().map(|s| (s * 1e4).round()).collect();
        assert_eq!(sums, [325.0, 175.0, 100.0]);
        let cycle: Stages<_> = [next(0, 1.0)].into_iter().collect();
        assert!(remaining(&cycle, times).iter().all(|seconds| *seconds < 0.1));
    }
}
