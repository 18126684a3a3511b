//! Counts the ends of requests as they happen.

use crate::base::time::nanos;
use crate::report::fairness::Fairness;
use crate::report::{Ends, RouteEnds, SimReport, Slice};
use crate::spec::Spec;
use seda_core::Report;
use seda_core::stats::Quantiles;

/// How a request, or an attempt, ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Answered,
    Refused,
    TimedOut,
    Lost,
}

/// A request: when it was meant to start, its class, its way from the first stage if that is
/// known, and which client of a closed loop sent it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) start: u64,
    pub(crate) class: usize,
    pub(crate) way: Option<usize>,
    pub(crate) client: Option<u32>,
}

/// Requests of one kind: how they ended, and when they were answered. What has not ended is
/// counted as unfinished.
#[derive(Clone, Debug, Default)]
struct Kind {
    ends: Ends,
    response: Quantiles,
}

#[derive(Debug)]
pub(crate) struct Tally {
    from: u64,
    to: u64,
    slo: u64,
    classes: Vec<Kind>,
    /// By way from the first stage, if they are known.
    ways: Vec<Kind>,
    /// By slice of the window, and how long each is.
    slices: Vec<Kind>,
    slice: u64,
    /// Good answers of each client of a closed loop.
    clients: Vec<u64>,
    unfinished: u64,
    pub(crate) attempts: u64,
    requests: u64,
    response: Quantiles,
    refusal: Quantiles,
    sojourn: Quantiles,
    /// Answers, and good ones, that came in within the window.
    came_in: u64,
    good_in: u64,
    open: u64,
    open_max: u64,
    /// Time integral of `open` over the window, and when it was brought up to.
    occupancy: u128,
    at: u64,
}

impl Tally {
    pub(crate) fn new(spec: &Spec) -> Self {
        let from = nanos(spec.warm_up);
        // One more for what the first stage answers itself.
        let ways = spec.stages.first().filter(|_| spec.routes_known).map(|s| s.routes.len() + 1);
        Self {
            from,
            to: from.saturating_add(nanos(spec.window)),
            slo: spec.slo.map_or(u64::MAX, nanos),
            classes: vec![Kind::default(); spec.classes.len().max(1)],
            ways: vec![Kind::default(); ways.unwrap_or(0)],
            slices: Vec::new(),
            slice: spec.slice.map_or(u64::MAX, nanos).max(1),
            clients: vec![0; spec.client.clients as usize],
            unfinished: 0,
            attempts: 0,
            requests: 0,
            response: Quantiles::default(),
            refusal: Quantiles::default(),
            sojourn: Quantiles::default(),
            came_in: 0,
            good_in: 0,
            open: 0,
            open_max: 0,
            occupancy: 0,
            at: 0,
        }
    }

    fn measures(&self, time: u64) -> bool {
        (self.from..self.to).contains(&time)
    }

    pub(crate) fn begin(&mut self, now: u64, asked: Asked) {
        self.advance(now);
        self.requests += 1;
        self.open += 1;
        if self.measures(now) {
            self.unfinished += 1;
            for kind in self.kinds(asked) {
                kind.ends.scheduled += 1;
                kind.ends.unfinished += 1;
            }
            self.open_max = self.open_max.max(self.open);
        }
    }

    pub(crate) fn end(&mut self, now: u64, asked: Asked, end: End) {
        self.advance(now);
        self.open -= 1;
        let took = now - asked.start;
        let good = took <= self.slo;
        if end == End::Answered && self.measures(now) {
            self.came_in += 1;
            self.good_in += u64::from(good);
            let client = asked.client.and_then(|client| self.clients.get_mut(client as usize));
            client.into_iter().for_each(|count| *count += u64::from(good));
        }
        if !self.measures(asked.start) {
            return;
        }
        self.sojourn.record(took, 1);
        match end {
            End::Answered => self.response.record(took, 1),
            End::Refused => self.refusal.record(took, 1),
            End::TimedOut | End::Lost => {}
        }
        self.unfinished -= 1;
        for kind in self.kinds(asked) {
            kind.end(took, good, end);
        }
    }

    fn kinds(&mut self, asked: Asked) -> impl Iterator<Item = &mut Kind> {
        let way = asked.way.and_then(|way| self.ways.get_mut(way));
        let slice = match self.slice {
            u64::MAX => None,
            slice => {
                let place = (asked.start.saturating_sub(self.from) / slice) as usize;
                self.slices.resize_with(self.slices.len().max(place + 1), Kind::default);
                self.slices.get_mut(place)
            }
        };
        self.classes.get_mut(asked.class).into_iter().chain(way).chain(slice)
    }

    /// Whether a request of the window is still under way.
    pub(crate) fn is_open(&self) -> bool {
        self.unfinished > 0
    }

    fn advance(&mut self, now: u64) {
        let (from, to) = (self.at.clamp(self.from, self.to), now.clamp(self.from, self.to));
        self.occupancy += u128::from(to - from) * u128::from(self.open);
        self.at = now;
    }

    /// The report, at the end of the run.
    pub(crate) fn report(mut self, spec: &Spec, seed: u64, graph: Report) -> SimReport {
        self.advance(self.to.max(self.at));
        let seconds = spec.window.as_secs_f64();
        let rate = |count: u64| count as f64 / seconds;
        let ends = self.classes.iter().fold(Ends::default(), |sum, kind| sum.plus(&kind.ends));
        let name = |class: usize| {
            let declared = spec.classes.get(class).map(|class| class.name.clone());
            declared.unwrap_or_else(|| "default".to_owned())
        };
        let by_class = || self.classes.iter().enumerate().map(|(class, kind)| (name(class), kind));
        let count = self.response.count().max(1) as f64;
        let cdf = self.response.cdf().into_iter().map(|(time, n)| (time, n as f64 / count));
        SimReport {
            name: spec.name.clone(),
            seed,
            cores: spec.cores,
            duration_seconds: seconds,
            ends,
            classes: by_class().map(|(name, kind)| (name, kind.ends)).collect(),
            class_response_seconds: by_class()
                .map(|(name, kind)| (name, kind.response.summary()))
                .collect(),
            routes: self.routes(spec).collect(),
            slices: self.slices().collect(),
            fairness: Fairness::of(&self.clients),
            offered_per_second: rate(ends.scheduled),
            throughput_per_second: rate(self.came_in),
            goodput_per_second: rate(self.good_in),
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

    fn slices(&self) -> impl Iterator<Item = Slice> {
        let begin = |place: usize| (self.from + place as u64 * self.slice) as f64 / 1e9;
        self.slices.iter().enumerate().map(move |(place, kind)| Slice {
            from_seconds: begin(place),
            ends: kind.ends,
            response_seconds: kind.response.summary(),
        })
    }

    /// By the stage that requests went to; those that the first answers are under its own name.
    fn routes(&self, spec: &Spec) -> impl Iterator<Item = (String, RouteEnds)> {
        let first = spec.stages.first();
        let names = first.into_iter().flat_map(|first| {
            first.routes.iter().map(|route| route.to.clone()).chain([first.name.clone()])
        });
        let came = names.zip(&self.ways).filter(|(_, kind)| kind.ends.scheduled > 0);
        came.map(|(name, kind)| {
            (name, RouteEnds { ends: kind.ends, response_seconds: kind.response.summary() })
        })
    }
}

impl Kind {
    fn end(&mut self, took: u64, good: bool, end: End) {
        let ends = &mut self.ends;
        ends.unfinished -= 1;
        *match end {
            End::Answered if good => &mut ends.good,
            End::Answered => &mut ends.late,
            End::Refused => &mut ends.refused,
            End::TimedOut => &mut ends.timed_out,
            End::Lost => &mut ends.lost,
        } += 1;
        if end == End::Answered {
            self.response.record(took, 1);
        }
    }
}
