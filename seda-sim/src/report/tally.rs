//! Counts the ends of requests as they happen.

use super::fairness::Fairness;
use super::tenants::{TenantFairness, TenantTally};
use super::{Ends, RouteEnds, SimReport, Slice};
use crate::base::time::nanos;
use crate::spec::Spec;
use seda_core::Report;
use seda_core::stats::Quantiles;
use std::collections::BTreeMap;

/// How a request, or an attempt, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    Refused,
    TimedOut,
    Lost,
}

/// The properties of a request that its end is counted by.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestInfo {
    /// The start of its first attempt, in nanoseconds.
    pub(crate) start: u64,
    /// The index of its class.
    pub(crate) class: usize,
    /// The index of its route from the first stage; `None` if routes are not known at the entry.
    pub(crate) route: Option<usize>,
    /// The client of a closed loop that sent it.
    pub(crate) client: Option<u32>,
    /// The index of its tenant.
    pub(crate) tenant: Option<u32>,
    /// Time of its answer outside the graph, in nanoseconds.
    pub(crate) latency: u64,
}

/// A group of requests, as those of a class: how they ended and how fast they were answered. A
/// request counts as unfinished until it ends.
#[derive(Clone, Debug, Default)]
struct Group {
    ends: Ends,
    attempts: u64,
    response: Quantiles,
}

/// The counts of a run. The window is `from..to`; all times are in nanoseconds.
#[derive(Debug)]
pub(crate) struct Tally {
    from: u64,
    to: u64,
    slo: u64,
    classes: Vec<Group>,
    /// By route from the first stage; empty if routes are not known at the entry.
    routes: Vec<Group>,
    slices: Vec<Group>,
    /// Length of a slice; `u64::MAX` if there are none.
    slice: u64,
    /// Good answers of each client of a closed loop.
    clients: Vec<u64>,
    /// The requests of each tenant, then those of all new keys; empty if requests have no tenant.
    tenants: Vec<TenantTally>,
    /// Requests of the window that are under way.
    unfinished: u64,
    /// Attempts in the whole run.
    attempts: u64,
    /// Requests in the whole run.
    requests: u64,
    response: Quantiles,
    refusal: Quantiles,
    sojourn: Quantiles,
    /// Answers that arrived within the window.
    answers: u64,
    /// Good answers that arrived within the window.
    good_answers: u64,
    /// Requests that are under way, and the most that were within the window.
    open: u64,
    open_max: u64,
    /// Time integral of `open` over the window, up to `integrated_to`.
    occupancy: u128,
    integrated_to: u64,
}

impl Tally {
    /// Returns the tally of a run that has not begun.
    pub(crate) fn new(spec: &Spec) -> Self {
        let from = nanos(spec.warm_up);
        // One group more is for the requests that the first stage answers itself.
        let routes = match spec.stages.first() {
            Some(first) if spec.routes_known => first.routes.len() + 1,
            _ => 0,
        };
        Self {
            from,
            to: from.saturating_add(nanos(spec.window)),
            slo: spec.slo.map_or(u64::MAX, nanos),
            classes: vec![Group::default(); spec.classes.len().max(1)],
            routes: vec![Group::default(); routes],
            slices: Vec::new(),
            slice: spec.slice.map_or(u64::MAX, nanos).max(1),
            clients: vec![0; spec.client.clients as usize],
            tenants: spec.tenants.as_ref().map_or_else(Vec::new, |tenants| {
                vec![TenantTally::default(); tenants.count as usize + 1]
            }),
            unfinished: 0,
            attempts: 0,
            requests: 0,
            response: Quantiles::default(),
            refusal: Quantiles::default(),
            sojourn: Quantiles::default(),
            answers: 0,
            good_answers: 0,
            open: 0,
            open_max: 0,
            occupancy: 0,
            integrated_to: 0,
        }
    }

    fn is_in_window(&self, time: u64) -> bool {
        (self.from..self.to).contains(&time)
    }

    /// Counts a request that starts.
    pub(crate) fn begin(&mut self, now: u64, request: RequestInfo) {
        self.advance(now);
        self.requests += 1;
        self.open += 1;
        if self.is_in_window(now) {
            self.unfinished += 1;
            for group in self.groups(request) {
                group.ends.scheduled += 1;
                group.ends.unfinished += 1;
            }
            self.open_max = self.open_max.max(self.open);
        }
    }

    /// Counts an attempt of a request.
    pub(crate) fn attempt(&mut self, request: RequestInfo) {
        self.attempts += 1;
        if self.is_in_window(request.start) {
            for group in self.groups(request) {
                group.attempts += 1;
            }
        }
    }

    /// Counts the end of a request that was begun.
    pub(crate) fn end(&mut self, now: u64, request: RequestInfo, end: End) {
        self.advance(now);
        self.open -= 1;
        let sojourn = now - request.start;
        let response = sojourn.saturating_add(request.latency);
        let is_good = response <= self.slo;
        // Rates count the answers that arrive in the window, whenever their requests started.
        if end == End::Answered && self.is_in_window(now) {
            self.answers += 1;
            self.good_answers += u64::from(is_good);
            let client = request.client.and_then(|client| self.clients.get_mut(client as usize));
            if let Some(good) = client {
                *good += u64::from(is_good);
            }
        }
        // Everything else counts the requests that start in the window, whenever they end.
        if !self.is_in_window(request.start) {
            return;
        }
        self.sojourn.record(sojourn, 1);
        let tenant = request.tenant.and_then(|tenant| self.tenants.get_mut(tenant as usize));
        if let Some(tenant) = tenant {
            tenant.offered += 1;
            tenant.served += u64::from(end == End::Answered);
            tenant.refused += u64::from(end == End::Refused);
        }
        match end {
            End::Answered => self.response.record(response, 1),
            End::Refused => self.refusal.record(sojourn, 1),
            End::TimedOut | End::Lost => {}
        }
        self.unfinished -= 1;
        for group in self.groups(request) {
            group.end(response, is_good, end);
        }
    }

    /// Returns the groups that a request of the window belongs to: class, route and slice.
    fn groups(&mut self, request: RequestInfo) -> impl Iterator<Item = &mut Group> {
        let route = request.route.and_then(|route| self.routes.get_mut(route));
        let slice = match self.slice {
            u64::MAX => None,
            slice => {
                let index = (request.start.saturating_sub(self.from) / slice) as usize;
                self.slices.resize_with(self.slices.len().max(index + 1), Group::default);
                self.slices.get_mut(index)
            }
        };
        self.classes.get_mut(request.class).into_iter().chain(route).chain(slice)
    }

    /// Returns whether a request of the window is under way.
    pub(crate) fn is_open(&self) -> bool {
        self.unfinished > 0
    }

    /// Brings the time integral up to `now`.
    fn advance(&mut self, now: u64) {
        let from = self.integrated_to.clamp(self.from, self.to);
        let to = now.clamp(self.from, self.to);
        self.occupancy += u128::from(to - from) * u128::from(self.open);
        self.integrated_to = now;
    }

    /// Returns the report of a run that has ended. The caller sets `utilization` and `events`.
    pub(crate) fn report(mut self, spec: &Spec, seed: u64, graph: Report) -> SimReport {
        self.advance(self.to.max(self.integrated_to));
        let seconds = spec.window.as_secs_f64();
        let ends = self.classes.iter().fold(Ends::default(), |sum, class| sum.plus(&class.ends));
        let mut classes = BTreeMap::new();
        let mut class_response_seconds = BTreeMap::new();
        for (spec, group) in spec.classes_or_default().iter().zip(&self.classes) {
            classes.insert(spec.name.clone(), group.ends);
            class_response_seconds.insert(spec.name.clone(), group.response.summary());
        }
        let answers = self.response.count().max(1) as f64;
        let cdf = self.response.cdf().into_iter().map(|(time, n)| (time, n as f64 / answers));
        SimReport {
            name: spec.name.clone(),
            seed,
            cores: spec.cores,
            duration_seconds: seconds,
            ends,
            classes,
            class_response_seconds,
            routes: self.route_ends(spec),
            slices: self.slices(),
            fairness: Fairness::of(&self.clients),
            tenants: TenantFairness::of(&self.tenants, seconds),
            offered_per_second: ends.scheduled as f64 / seconds,
            throughput_per_second: self.answers as f64 / seconds,
            goodput_per_second: self.good_answers as f64 / seconds,
            response_seconds: self.response.summary(),
            refusal_seconds: self.refusal.summary(),
            cdf: cdf.collect(),
            sojourn_mean: self.sojourn.mean_seconds(),
            in_flight_mean: self.occupancy as f64 / 1e9 / seconds,
            in_flight_max: self.open_max,
            attempts: self.attempts,
            amplification: self.attempts as f64 / self.requests.max(1) as f64,
            utilization: 0.0,
            events: 0,
            graph,
        }
    }

    fn slices(&self) -> Vec<Slice> {
        let mut slices = Vec::with_capacity(self.slices.len());
        for (index, group) in self.slices.iter().enumerate() {
            slices.push(Slice {
                from_seconds: (self.from + index as u64 * self.slice) as f64 / 1e9,
                ends: group.ends,
                attempts: group.attempts,
                response_seconds: group.response.summary(),
            });
        }
        slices
    }

    /// Returns the ends by the next stage of the request. The requests that the first stage answers
    /// itself are under its own name.
    fn route_ends(&self, spec: &Spec) -> BTreeMap<String, RouteEnds> {
        let Some(first) = spec.stages.first() else {
            return BTreeMap::new();
        };
        let next = first.routes.iter().map(|route| &route.to);
        let mut routes = BTreeMap::new();
        for (name, group) in next.chain([&first.name]).zip(&self.routes) {
            if group.ends.scheduled > 0 {
                let response_seconds = group.response.summary();
                routes.insert(name.clone(), RouteEnds { ends: group.ends, response_seconds });
            }
        }
        routes
    }
}

impl Group {
    fn end(&mut self, response: u64, is_good: bool, end: End) {
        let ends = &mut self.ends;
        ends.unfinished -= 1;
        *match end {
            End::Answered if is_good => &mut ends.good,
            End::Answered => &mut ends.late,
            End::Refused => &mut ends.refused,
            End::TimedOut => &mut ends.timed_out,
            End::Lost => &mut ends.lost,
        } += 1;
        if end == End::Answered {
            self.response.record(response, 1);
        }
    }
}
