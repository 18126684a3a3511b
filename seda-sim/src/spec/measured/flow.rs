//! The routes between stages, and the circles that feed themselves.

use crate::spec::TimerSpec;
use crate::spec::stage::RouteSpec;
use seda_core::Report;
use seda_core::report::{EdgeReport, StageReport};

/// Below this number of events in the window a stage's routes are those of its whole life.
const FEW_EVENTS: u64 = 30;
/// Up to this sum of shares, an excess above 1 is an event that was under way when the window
/// began.
const ROUNDING: f64 = 1.02;
/// Below this share of a circle's events that come from outside of it, it feeds itself: a request
/// would go around fifty times.
const FED: f64 = 0.02;

/// The routes of a report, and the timers that stand for circles that feed themselves.
pub(super) struct Flow {
    /// The length of the window.
    pub(super) seconds: f64,
    pub(super) timers: Vec<TimerSpec>,
    /// The routes, with the stage that each leaves.
    routes: Vec<(String, RouteSpec)>,
}

impl Flow {
    pub(super) fn of(report: &Report) -> Self {
        let seconds = report.stages.iter().map(|stage| stage.last_ten_seconds.seconds);
        let seconds = seconds.fold(f64::MIN_POSITIVE, f64::max);
        let mut flow = Self { seconds, timers: Vec::new(), routes: Vec::new() };
        let circles = circles(report);
        let endless: Vec<&Vec<usize>> =
            circles.iter().filter(|circle| feeds_itself(circle, report)).collect();
        for stage in endless.iter().flat_map(|circle| circle.iter()) {
            if let Some(stage) = report.stages.get(*stage) {
                let rate = stage.last_ten_seconds.offered as f64 / seconds;
                flow.timers.push(TimerSpec::new(&stage.name, rate));
            }
        }
        for (index, stage) in report.stages.iter().enumerate() {
            // The events of an endless circle come from its timers, not from each other.
            let own = endless.iter().find(|circle| circle.contains(&index));
            let leaves = |edge: &&EdgeReport| {
                own.is_none_or(|circle| {
                    place(report, &edge.to).is_none_or(|n| !circle.contains(&n))
                })
            };
            let routes = routes(stage, report, leaves);
            flow.routes.extend(routes.into_iter().map(|route| (stage.name.clone(), route)));
        }
        flow
    }

    /// Returns the routes of a stage, by how often they were taken.
    pub(super) fn routes_of(&self, stage: &str) -> Vec<RouteSpec> {
        let own = self.routes.iter().filter(|(from, _)| from == stage);
        own.map(|(_, route)| route.clone()).collect()
    }

    /// Returns whether any stage sends more than one event for one.
    pub(super) fn has_copies(&self) -> bool {
        self.routes.iter().any(|(_, route)| route.copies)
    }
}

fn place(report: &Report, name: &str) -> Option<usize> {
    report.stages.iter().position(|stage| stage.name == name)
}

/// Returns the routes over the edges of a stage that `counts` holds for.
fn routes(
    stage: &StageReport,
    report: &Report,
    counts: impl Fn(&&EdgeReport) -> bool,
) -> Vec<RouteSpec> {
    let window = &stage.last_ten_seconds;
    let lately = window.served + window.failed;
    let ever = stage.handled + stage.failed;
    let edges = report.edges.iter().filter(|edge| edge.from.as_ref() == Some(&stage.name));
    let edges: Vec<&EdgeReport> = edges.filter(counts).collect();
    // The requests that the entry refused for the next stage would have gone there.
    let is_entry = report.edges.iter().any(|edge| edge.from.is_none() && edge.to == stage.name);
    let away = |edge: &EdgeReport| {
        let target = report.stages.iter().find(|target| is_entry && target.name == edge.to);
        target.map_or(0, |target| target.last_ten_seconds.turned_away)
    };
    let all_away: u64 = edges.iter().map(|edge| away(edge)).sum();
    let share = |edge: &EdgeReport| {
        if lately >= FEW_EVENTS {
            let sent = edge.last_ten_seconds.sent + edge.last_ten_seconds.refused + away(edge);
            sent as f64 / (lately + all_away) as f64
        } else {
            (edge.sent + edge.refused) as f64 / ever.max(1) as f64
        }
    };
    let taken = edges.iter().map(|edge| RouteSpec::new(&edge.to, share(edge)));
    let taken: Vec<RouteSpec> = taken.filter(|route| route.share > 0.0).collect();
    let ever_sent: u64 = edges.iter().map(|edge| edge.sent + edge.refused).sum();
    let slack = ROUNDING + 3.0 / ever.max(1) as f64;
    with_copies(taken, ever_sent as f64 > slack * ever.max(1) as f64)
}

/// Returns routes that a simulated event can take: one of them at most, and copies over the others.
/// With `copies` false an excess above 1 is due to the window.
fn with_copies(mut routes: Vec<RouteSpec>, copies: bool) -> Vec<RouteSpec> {
    let sum: f64 = routes.iter().map(|route| route.share).sum();
    if sum <= 1.0 {
        return routes;
    }
    if !copies {
        routes.iter_mut().for_each(|route| route.share /= sum);
        return routes;
    }
    let mut onward = 0.0;
    for route in &mut routes {
        if onward + route.share <= ROUNDING {
            route.share = route.share.min(1.0 - onward);
            onward += route.share;
        } else {
            route.copies = true;
        }
    }
    // What rounding left of a route is no route.
    routes.retain(|route| route.share > 0.0);
    routes
}

/// Returns the circles of stages: each set of stages that reach each other.
fn circles(report: &Report) -> Vec<Vec<usize>> {
    let stages = report.stages.len();
    let mut reach = vec![vec![false; stages]; stages];
    for edge in report.edges.iter().filter(|edge| edge.sent + edge.refused > 0) {
        let from = edge.from.as_deref().and_then(|name| place(report, name));
        if let (Some(from), Some(to)) = (from, place(report, &edge.to))
            && let Some(reached) = reach.get_mut(from).and_then(|row| row.get_mut(to))
        {
            *reached = true;
        }
    }
    // Transitive closure (Warshall 1962).
    for middle in 0..stages {
        let through = reach.get(middle).cloned().unwrap_or_default();
        for row in &mut reach {
            if row.get(middle).copied().unwrap_or(false) {
                row.iter_mut().zip(&through).for_each(|(reached, more)| *reached |= more);
            }
        }
    }
    let reaches = |from: usize, to: usize| {
        reach.get(from).and_then(|row| row.get(to)).copied().unwrap_or(false)
    };
    let mut circles: Vec<Vec<usize>> = Vec::new();
    for stage in 0..stages {
        let is_known = circles.iter().any(|circle| circle.contains(&stage));
        if reaches(stage, stage) && !is_known {
            let around = (0..stages).filter(|to| reaches(stage, *to) && reaches(*to, stage));
            circles.push(around.collect());
        }
    }
    circles
}

/// Returns whether nearly all events of a circle come from the circle itself.
fn feeds_itself(circle: &[usize], report: &Report) -> bool {
    let is_in = |name: &str| place(report, name).is_some_and(|n| circle.contains(&n));
    let into = report.edges.iter().filter(|edge| is_in(&edge.to));
    let mut inside = 0;
    let mut from_outside = 0;
    for edge in into {
        let count = edge.last_ten_seconds.sent + edge.last_ten_seconds.refused;
        let is_own = edge.from.as_deref().is_some_and(is_in);
        *if is_own { &mut inside } else { &mut from_outside } += count;
    }
    inside > 0 && (from_outside as f64) < FED * (inside + from_outside) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(routes: &[f64], copies: bool) -> Vec<(f64, bool)> {
        let routes = routes.iter().map(|share| RouteSpec::new("next", *share)).collect();
        with_copies(routes, copies).iter().map(|route| (route.share, route.copies)).collect()
    }

    #[test]
    fn an_excess_of_the_window_is_scaled_away_and_a_real_one_is_sent_as_copies() {
        assert_eq!(shares(&[0.6, 0.3], true), [(0.6, false), (0.3, false)]);
        assert_eq!(shares(&[0.9, 0.3], false), [(0.75, false), (0.25, false)]);
        assert_eq!(shares(&[1.0, 3.0], true), [(1.0, false), (3.0, true)]);
        assert_eq!(shares(&[1.01, 0.5], true), [(1.0, false), (0.5, true)]);
        assert_eq!(shares(&[2.5], true), [(2.5, true)]);
    }
}
