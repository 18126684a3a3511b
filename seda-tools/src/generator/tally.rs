//! What one generator thread counts, each thing where it happens.

use super::attempt::Failure;
use super::occupancy::Occupancy;
use super::series::Series;
use super::window::{Window, WindowTally};
use crate::report::outcome::{Outcome, Outcomes};
use seda_core::Time;
use seda_core::stats::Quantiles;
use std::collections::BTreeMap;
use std::time::Duration;

/// What there is to count in: the same for all threads of a run.
#[derive(Clone, Debug)]
pub(crate) struct Categories {
    /// In order of time, without gaps, the first from the beginning.
    pub(crate) windows: Vec<Window>,
    pub(crate) slos: Vec<Duration>,
    /// How many labels the workload's targets have.
    pub(crate) labels: usize,
    /// Clients of a closed loop; 0 in an open one.
    pub(crate) clients: usize,
    /// Width of the bins of the time series, if there is to be one.
    pub(crate) bin: Option<Duration>,
}

/// A request that is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) intended: Time,
    pub(crate) window: usize,
    pub(crate) label: usize,
    pub(crate) client: Option<u32>,
}

/// The counts. Those of several threads add up.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) windows: Vec<WindowTally>,
    /// Right answers within each SLO, of the measured windows; so is all that follows.
    pub(crate) within: Vec<(Duration, u64)>,
    pub(crate) raw: Quantiles,
    pub(crate) refusal: Quantiles,
    /// Of all requests, from intended start to their end, however they ended.
    pub(crate) sojourn: Quantiles,
    pub(crate) labels: Vec<(Outcomes, Quantiles)>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) failures: BTreeMap<&'static str, u64>,
    /// Attempts that failed for a fault on this side, warm-up included.
    pub(crate) own_faults: u64,
    pub(crate) attempts: u64,
    pub(crate) lag: Quantiles,
    pub(crate) occupancy: Occupancy,
    pub(crate) unfinished: u64,
    /// Good answers of each client.
    pub(crate) clients: Vec<u64>,
    pub(crate) series: Option<Series>,
}

impl Tally {
    pub(crate) fn new(categories: &Categories) -> Self {
        let measured = || categories.windows.iter().filter(|window| window.measured);
        let from = measured().map(|window| window.from).min().unwrap_or_default();
        let to = measured().map(|window| window.to).max().unwrap_or_default();
        let length = categories.windows.last().map_or(Duration::ZERO, |w| w.to.since(Time::ZERO));
        Self {
            windows: (categories.windows.iter().cloned())
                .map(|window| WindowTally::new(window, categories.slos.len()))
                .collect(),
            within: categories.slos.iter().map(|slo| (*slo, 0)).collect(),
            raw: Quantiles::default(),
            refusal: Quantiles::default(),
            sojourn: Quantiles::default(),
            labels: vec![(Outcomes::default(), Quantiles::default()); categories.labels],
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            own_faults: 0,
            attempts: 0,
            lag: Quantiles::default(),
            occupancy: Occupancy::new(from, to),
            unfinished: 0,
            clients: vec![0; categories.clients],
            series: categories.bin.map(|width| Series::new(width, length)),
        }
    }

    /// A request was to start at `intended`, and is begun at `now`.
    pub(crate) fn scheduled(
        &mut self,
        intended: Time,
        label: usize,
        client: Option<u32>,
        now: Time,
    ) -> Counted {
        let window = self.window_at(intended);
        if let Some(tally) = self.windows.get_mut(window) {
            tally.outcomes.scheduled += 1;
        }
        self.lag.record(now.nanos_since(intended), 1);
        self.occupancy.enter(intended, now);
        if let Some(series) = &mut self.series {
            series.scheduled(intended);
        }
        let counted = Counted { intended, window, label, client };
        if self.is_measured(window)
            && let Some((outcomes, _)) = self.labels.get_mut(label)
        {
            outcomes.scheduled += 1;
        }
        counted
    }

    /// A request has come to its end. `raw_nanos`: since it was sent, where it was answered.
    pub(crate) fn ended(
        &mut self,
        request: Counted,
        outcome: Outcome,
        raw_nanos: Option<u64>,
        now: Time,
    ) {
        let nanos = now.nanos_since(request.intended);
        self.occupancy.leave(now);
        if let Some(series) = &mut self.series {
            series.ended(request.intended, outcome, nanos);
        }
        if let Some(window) = self.windows.get_mut(request.window) {
            window.ended(outcome, nanos);
        }
        let right = matches!(outcome, Outcome::Good | Outcome::Late);
        if right {
            self.came_in(now, Duration::from_nanos(nanos));
        }
        if !self.is_measured(request.window) {
            return;
        }
        self.sojourn.record(nanos, 1);
        if let Some((outcomes, response)) = self.labels.get_mut(request.label) {
            outcomes.count(outcome);
            if right {
                response.record(nanos, 1);
            }
        }
        match outcome {
            Outcome::Good | Outcome::Late => {
                self.answered_right(request, outcome, nanos, raw_nanos)
            }
            Outcome::Refused => self.refusal.record(nanos, 1),
            _ => {}
        }
    }

    fn answered_right(
        &mut self,
        request: Counted,
        outcome: Outcome,
        nanos: u64,
        raw_nanos: Option<u64>,
    ) {
        if let Some(raw) = raw_nanos {
            self.raw.record(raw, 1);
        }
        let response = Duration::from_nanos(nanos);
        for (slo, good) in &mut self.within {
            *good += u64::from(response <= *slo);
        }
        let client = request.client.and_then(|client| self.clients.get_mut(client as usize));
        if let Some(good) = client.filter(|_| outcome == Outcome::Good) {
            *good += 1;
        }
    }

    /// An attempt has begun.
    pub(crate) fn tried(&mut self, window: usize) {
        self.attempts += u64::from(self.is_measured(window));
    }

    /// An attempt was answered.
    pub(crate) fn status(&mut self, window: usize, status: u16) {
        if self.is_measured(window) {
            *self.statuses.entry(status).or_default() += 1;
        }
    }

    /// An attempt got no answer.
    pub(crate) fn failed(&mut self, window: usize, failure: Failure) {
        self.own_faults += u64::from(failure.is_ours());
        self.no_answer(window, failure.words());
    }

    /// An attempt got no answer, in words.
    pub(crate) fn no_answer(&mut self, window: usize, why: &'static str) {
        if self.is_measured(window) {
            *self.failures.entry(why).or_default() += 1;
        }
    }

    /// The run is ended before this request is: it does not count as scheduled.
    pub(crate) fn unscheduled(&mut self, request: Counted, now: Time) {
        self.unfinished += 1;
        self.occupancy.leave(now);
        let less = |outcomes: &mut Outcomes| {
            outcomes.scheduled = outcomes.scheduled.saturating_sub(1);
        };
        if let Some(window) = self.windows.get_mut(request.window) {
            less(&mut window.outcomes);
        }
        if let Some(series) = &mut self.series {
            series.unscheduled(request.intended);
        }
        if self.is_measured(request.window)
            && let Some((outcomes, _)) = self.labels.get_mut(request.label)
        {
            less(outcomes);
        }
    }

    /// Adds another thread's counts.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.windows.iter_mut().zip(&other.windows).for_each(|(ours, theirs)| ours.add(theirs));
        self.within.iter_mut().zip(&other.within).for_each(|(ours, theirs)| ours.1 += theirs.1);
        self.raw.add(&other.raw);
        self.refusal.add(&other.refusal);
        self.sojourn.add(&other.sojourn);
        for (ours, theirs) in self.labels.iter_mut().zip(&other.labels) {
            ours.0.add(&theirs.0);
            ours.1.add(&theirs.1);
        }
        other.statuses.iter().for_each(|(k, n)| *self.statuses.entry(*k).or_default() += n);
        other.failures.iter().for_each(|(k, n)| *self.failures.entry(k).or_default() += n);
        self.own_faults += other.own_faults;
        self.attempts += other.attempts;
        self.lag.add(&other.lag);
        self.occupancy.add(&other.occupancy);
        self.unfinished += other.unfinished;
        self.clients.iter_mut().zip(&other.clients).for_each(|(ours, theirs)| *ours += theirs);
        if let (Some(ours), Some(theirs)) = (&mut self.series, &other.series) {
            ours.add(theirs);
        }
    }

    fn came_in(&mut self, now: Time, response: Duration) {
        let inside = |tally: &&mut WindowTally| tally.window.from <= now && now < tally.window.to;
        if let Some(tally) = self.windows.iter_mut().find(inside) {
            tally.came_in(self.within.iter().map(|(slo, _)| *slo), response);
        }
    }

    fn window_at(&self, at: Time) -> usize {
        let behind = self.windows.iter().position(|tally| at < tally.window.to);
        behind.unwrap_or(self.windows.len().saturating_sub(1))
    }

    fn is_measured(&self, window: usize) -> bool {
        self.windows.get(window).is_some_and(|tally| tally.window.measured)
    }
}
