//! The offered flow: events per second that would come to each stage if nothing were refused.
//!
//! With the events λ0 that enter from outside, refused ones included, and the routes p — events
//! sent from one stage to the next per event served — the flows solve λ = λ0 + Pᵀλ, around cycles,
//! too. A stage that no entry leads to has no flow.

use crate::monitor::report::{EdgeReport, Report, StageReport};
use std::collections::BTreeMap;

/// Below this number of served events in the window a stage's routes are those of its whole life.
const FEW_EVENTS: u64 = 30;
/// The most rounds of the iteration. A cycle that feeds back 99 % converges within them.
const ROUNDS: usize = 5_000;
/// Flows that change by less than this part between two rounds have converged.
const CONVERGED: f64 = 1e-7;
/// A cycle that grows beyond this many events per request feeds itself: the traffic equations have
/// no solution.
const MOST_VISITS: f64 = 1e6;
/// A gate's stage that at least this part of the requests visits stands for all requests.
const COMMON: f64 = 0.9;

/// The offered flow of a graph.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flows {
    /// Requests of the graph per second: events from outside, refused ones included.
    pub(super) entering: f64,
    /// The number of them in the window.
    pub(super) entered: u64,
    /// The window's length.
    pub(super) seconds: f64,
    /// Events per second that would come to each stage, in order of declaration.
    pub(super) per_second: Vec<f64>,
}

/// A route between two stages, by their places in the report.
struct Route {
    from: usize,
    to: usize,
    /// Events sent per event served.
    share: f64,
}

impl Flows {
    pub(super) fn of(report: &Report) -> Self {
        let places: BTreeMap<&str, usize> =
            report.stages.iter().enumerate().map(|(n, stage)| (stage.name.as_str(), n)).collect();
        let seconds = report.stages.iter().map(|stage| stage.last_ten_seconds.seconds);
        let seconds = seconds.fold(0.0, f64::max);
        let per_second = |n: u64| if seconds > 0.0 { n as f64 / seconds } else { 0.0 };
        let edges = offered_edges(report);
        let mut outside = vec![0.0; report.stages.len()];
        let mut entered = 0.0;
        for edge in edges.iter().filter(|edge| edge.from.is_none()) {
            entered += edge.lately;
            let place = places.get(edge.to).and_then(|n| outside.get_mut(*n));
            place.into_iter().for_each(|rate| *rate += edge.lately / seconds.max(1e-9));
        }
        let entered = entered as u64;
        let routes = routes(report, &places, &edges);
        let flow = flow_of_all(report, &routes, outside.clone(), &per_second);
        Self { entering: outside.iter().sum(), entered, seconds, per_second: flow }
    }
}

/// The events that were offered over an edge, refused ones included.
struct Offered<'a> {
    from: Option<&'a str>,
    to: &'a str,
    /// In the window, and since the graph began.
    lately: f64,
    ever: f64,
}

/// Returns the events offered over each edge. A sender to replicas counts a refusal at one of them
/// on behalf of all: it counts here at each, by the share of the events that each gets.
fn offered_edges(report: &Report) -> Vec<Offered<'_>> {
    let groups: BTreeMap<&str, &str> = report
        .stages
        .iter()
        .filter_map(|stage| Some((stage.name.as_str(), stage.limits.replica_of.as_deref()?)))
        .collect();
    let group = |edge: &EdgeReport| groups.get(edge.to.as_str()).copied();
    let edges = report.edges.iter().map(|edge| {
        let (mut lately, mut ever) = (Sends::default(), Sends::default());
        let beside = report.edges.iter().filter(|other| other.from == edge.from);
        for other in beside.filter(|other| group(edge).is_some() && group(other) == group(edge)) {
            lately.add(other.last_ten_seconds.sent, other.last_ten_seconds.refused);
            ever.add(other.sent, other.refused);
        }
        Offered {
            from: edge.from.as_deref(),
            to: &edge.to,
            lately: lately.offered_to(edge.last_ten_seconds.sent, edge.last_ten_seconds.refused),
            ever: ever.offered_to(edge.sent, edge.refused),
        }
    });
    edges.collect()
}

/// The sends to all replicas together.
#[derive(Clone, Copy, Default)]
struct Sends {
    sent: u64,
    refused: u64,
}

impl Sends {
    fn add(&mut self, sent: u64, refused: u64) {
        self.sent += sent;
        self.refused += refused;
    }

    /// Returns the events offered to one replica, which got `sent` and refused `refused` itself.
    fn offered_to(self, sent: u64, refused: u64) -> f64 {
        if self.sent == 0 {
            return (sent + refused) as f64;
        }
        sent as f64 * (1.0 + self.refused as f64 / self.sent as f64)
    }
}

/// Returns the flow of all requests, those included that a gate refused on behalf of some stage.
fn flow_of_all(
    report: &Report,
    routes: &[Route],
    outside: Vec<f64>,
    per_second: &impl Fn(u64) -> f64,
) -> Vec<f64> {
    let observed =
        || report.stages.iter().map(|stage| per_second(stage.last_ten_seconds.offered)).collect();
    let Some(alike) = solve(routes, &outside) else { return observed() };
    let entering: f64 = outside.iter().sum();
    // The requests refused for a stage that few requests visit would all have visited it.
    let mut common = outside.clone();
    let mut added = vec![0.0; outside.len()];
    for (target, (stage, rate)) in report.stages.iter().zip(&alike).enumerate() {
        let away = per_second(stage.last_ten_seconds.turned_away);
        if away <= 0.0 || *rate >= COMMON * entering {
            continue;
        }
        let reach = reach(routes, target, outside.len());
        let refusals = refusals(report, per_second);
        let weights: Vec<f64> = refusals.iter().zip(&reach).map(|(n, reach)| n * reach).collect();
        let all: f64 = weights.iter().sum();
        if all <= 0.0 {
            continue;
        }
        let bound: Vec<f64> = weights.iter().map(|weight| away * weight / all).collect();
        let Some(flow) = flow_through(routes, target, &reach, &bound) else { continue };
        added.iter_mut().zip(flow).for_each(|(sum, flow)| *sum += flow);
        common.iter_mut().zip(bound).for_each(|(left, bound)| *left = (*left - bound).max(0.0));
    }
    let Some(mut flow) = solve(routes, &common) else { return observed() };
    flow.iter_mut().zip(added).for_each(|(sum, added)| *sum += added);
    flow
}

/// Returns the events per second that each entry refused for admission.
fn refusals(report: &Report, per_second: &impl Fn(u64) -> f64) -> Vec<f64> {
    let refused = report.stages.iter().map(|stage| {
        let is_entry = report.edges.iter().any(|edge| edge.from.is_none() && edge.to == stage.name);
        let n = stage.last_ten_seconds.refused.get("admission").filter(|_| is_entry);
        per_second(n.copied().unwrap_or(0))
    });
    refused.collect()
}

fn routes(report: &Report, places: &BTreeMap<&str, usize>, edges: &[Offered<'_>]) -> Vec<Route> {
    let routes = edges.iter().filter_map(|edge| {
        let from = *places.get(edge.from?)?;
        let to = *places.get(edge.to)?;
        let stage: &StageReport = report.stages.get(from)?;
        let window = &stage.last_ten_seconds;
        let lately = window.served + window.failed;
        let (offered, served) = if lately >= FEW_EVENTS {
            (edge.lately, lately)
        } else {
            (edge.ever, stage.handled + stage.failed)
        };
        let share = offered / served.max(1) as f64;
        (share > 0.0).then_some(Route { from, to, share })
    });
    routes.collect()
}

/// Solves λ = λ0 + Pᵀλ by iteration; `None` if a cycle feeds itself.
fn solve(routes: &[Route], outside: &[f64]) -> Option<Vec<f64>> {
    let entering: f64 = outside.iter().sum();
    let mut flow = outside.to_vec();
    for _ in 0..ROUNDS {
        let mut next = outside.to_vec();
        for route in routes {
            let sent = flow.get(route.from).copied().unwrap_or(0.0) * route.share;
            next.get_mut(route.to).into_iter().for_each(|rate| *rate += sent);
        }
        let change: f64 = flow.iter().zip(&next).map(|(old, new)| (old - new).abs()).sum();
        let all: f64 = next.iter().sum();
        flow = next;
        if change <= CONVERGED * all.max(f64::MIN_POSITIVE) {
            return Some(flow);
        }
        if all > MOST_VISITS * entering.max(f64::MIN_POSITIVE) {
            return None;
        }
    }
    None
}

/// Returns the part of the requests at each stage that will reach `target`, 0 to 1.
fn reach(routes: &[Route], target: usize, stages: usize) -> Vec<f64> {
    let at = |n: usize| if n == target { 1.0 } else { 0.0 };
    let mut reach: Vec<f64> = (0..stages).map(at).collect();
    for _ in 0..ROUNDS {
        let mut next: Vec<f64> = (0..stages).map(at).collect();
        for route in routes.iter().filter(|route| route.from != target) {
            let further = reach.get(route.to).copied().unwrap_or(0.0) * route.share;
            next.get_mut(route.from).into_iter().for_each(|n| *n = (*n + further).min(1.0));
        }
        let change: f64 = reach.iter().zip(&next).map(|(old, new)| (old - new).abs()).sum();
        reach = next;
        if change <= CONVERGED {
            break;
        }
    }
    reach
}

/// Returns the flow of requests that enter at `bound` and all reach `target`.
///
/// Until then a stage's alternatives are weighed by the part of each that reaches the target (a
/// Markov chain under the condition of its future, Doob's h-transform); after it the routes are
/// those of all requests.
fn flow_through(routes: &[Route], target: usize, reach: &[f64], bound: &[f64]) -> Option<Vec<f64>> {
    let reaches = |n: usize| reach.get(n).copied().unwrap_or(0.0);
    let sent_by = |from: usize| -> f64 {
        routes.iter().filter(|route| route.from == from).map(|route| route.share).sum()
    };
    let before = routes.iter().filter(|route| route.from != target && reaches(route.from) > 0.0);
    let before: Vec<Route> = before
        .map(|route| {
            // Where a stage sends more than one event for one, its sends do not exclude each other.
            let beside = reaches(route.to) == 0.0 && sent_by(route.from) > 1.02;
            let lift = if beside { 1.0 } else { reaches(route.to) / reaches(route.from) };
            Route { share: route.share * lift, ..*route }
        })
        .collect();
    let mut flow = solve(&before, bound)?;
    let arrived = flow.get(target).copied().unwrap_or(0.0);
    let mut at_target = vec![0.0; bound.len()];
    at_target.get_mut(target).into_iter().for_each(|rate| *rate = arrived);
    let after = solve(routes, &at_target)?;
    flow.get_mut(target).into_iter().for_each(|rate| *rate = 0.0);
    flow.iter_mut().zip(after).for_each(|(sum, after)| *sum += after);
    Some(flow)
}
