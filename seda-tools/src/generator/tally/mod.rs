//! The counts of one generator thread.

pub(super) mod batches;
mod occupancy;
mod punctuality;
mod responses;
pub(super) mod series;
pub(super) mod window;

use super::attempt::Failure;
use crate::report::outcome::Outcome;
use batches::Batches;
use occupancy::Occupancy;
pub(super) use punctuality::Punctuality;
use responses::Responses;
use seda_core::Time;
use seda_core::stats::Quantiles;
use series::Series;
use std::collections::BTreeMap;
use std::time::Duration;
use window::{Window, WindowTally, before};

/// The categories of the counts, equal for all threads of a run.
#[derive(Clone, Debug)]
pub(crate) struct Categories {
    /// In order of time and without gaps; the first begins at 0.
    pub(crate) windows: Vec<Window>,
    pub(crate) slos: Vec<Duration>,
    /// Number of labels of the workload.
    pub(crate) labels: usize,
    /// Number of clients; 0 in an open loop.
    pub(crate) clients: usize,
    /// Width of the bins of the time series; `None` without a series.
    pub(crate) bin: Option<Duration>,
    /// True if the measured window may end before its time.
    pub(crate) is_open_ended: bool,
}

/// The categories of one request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Counted {
    pub(crate) intended: Time,
    pub(crate) window: usize,
    pub(crate) label: usize,
    pub(crate) client: Option<u32>,
}

/// Right answers within one SLO.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SloCount {
    pub(crate) slo: Duration,
    pub(crate) good: u64,
}

/// The counts of one thread, or the sum over several threads.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) windows: Vec<WindowTally>,
    /// Right answers within each SLO. These and all further counts are of measured windows.
    pub(crate) within: Vec<SloCount>,
    pub(crate) raw: Quantiles,
    pub(crate) refusal: Quantiles,
    /// Times from intended start to end, of all requests with any outcome.
    pub(crate) sojourn: Quantiles,
    pub(crate) labels: Vec<Responses>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) failures: BTreeMap<&'static str, u64>,
    pub(crate) attempts: u64,
    pub(crate) punctuality: Punctuality,
    pub(crate) occupancy: Occupancy,
    pub(crate) batches: Batches,
    pub(crate) unfinished: u64,
    /// Good answers of each client.
    pub(crate) clients: Vec<u64>,
    pub(crate) series: Option<Series>,
}

impl Tally {
    pub(crate) fn new(categories: &Categories) -> Self {
        let measured = categories.windows.iter().filter(|window| window.measured);
        let from = measured.clone().map(|window| window.from).min().unwrap_or_default();
        let to = measured.map(|window| window.to).max().unwrap_or_default();
        let length = categories.windows.last().map_or(Duration::ZERO, |w| w.to.since(Time::ZERO));
        Self {
            windows: (categories.windows.iter().cloned())
                .map(|window| WindowTally::new(window, categories.slos.len()))
                .collect(),
            within: categories.slos.iter().map(|slo| SloCount { slo: *slo, good: 0 }).collect(),
            raw: Quantiles::default(),
            refusal: Quantiles::default(),
            sojourn: Quantiles::default(),
            labels: vec![Responses::default(); categories.labels],
            statuses: BTreeMap::new(),
            failures: BTreeMap::new(),
            attempts: 0,
            punctuality: Punctuality::default(),
            occupancy: Occupancy::new(from, to),
            batches: match categories.is_open_ended {
                true => Batches::growing(&categories.windows),
                false => Batches::new(&categories.windows),
            },
            unfinished: 0,
            clients: vec![0; categories.clients],
            series: categories.bin.map(|width| Series::new(width, length)),
        }
    }

    /// Ends the measured window at `end`, if it ends later; the cool-down keeps its length. Returns
    /// the end of the last window.
    pub(crate) fn shorten(&mut self, end: Time) -> Time {
        let measured = self.windows.iter().filter(|tally| tally.window.measured);
        let cut = measured.map(|tally| tally.window.to.since(end)).max().unwrap_or_default();
        for WindowTally { window, .. } in &mut self.windows {
            if !window.measured && window.from > end {
                window.from = before(window.from, cut);
                window.to = before(window.to, cut);
            }
            if window.measured {
                window.to = window.to.min(end);
            }
        }
        self.occupancy.shorten(end);
        self.batches.shorten(end);
        self.windows.last().map_or(end, |last| last.window.to)
    }

    /// Counts a request that is started at `now` and was due at `intended`.
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
        self.punctuality.lag.record(now.nanos_since(intended), 1);
        self.occupancy.enter(intended, now);
        if let Some(series) = &mut self.series {
            series.scheduled(intended);
        }
        let counted = Counted { intended, window, label, client };
        if self.is_measured(window)
            && let Some(label) = self.labels.get_mut(label)
        {
            label.outcomes.scheduled += 1;
        }
        counted
    }

    /// Counts the end of a request. `raw_nanos` is the time since it was sent, if it was answered.
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
        if outcome.is_right() {
            self.completed(now, Duration::from_nanos(nanos));
            self.batches.completed(now, outcome == Outcome::Good);
            self.batches.answered(request.intended, nanos);
        }
        if !self.is_measured(request.window) {
            return;
        }
        self.sojourn.record(nanos, 1);
        if let Some(label) = self.labels.get_mut(request.label) {
            label.count(outcome, nanos);
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
        for count in &mut self.within {
            count.good += u64::from(response <= count.slo);
        }
        if outcome == Outcome::Good
            && let Some(client) = request.client
            && let Some(good) = self.clients.get_mut(client as usize)
        {
            *good += 1;
        }
    }

    /// Counts an attempt.
    pub(crate) fn tried(&mut self, window: usize) {
        self.attempts += u64::from(self.is_measured(window));
    }

    /// Counts the status of an answer.
    pub(crate) fn status(&mut self, window: usize, status: u16) {
        if self.is_measured(window) {
            *self.statuses.entry(status).or_default() += 1;
        }
    }

    /// Counts an attempt that got no answer.
    pub(crate) fn failed(&mut self, window: usize, failure: Failure) {
        self.punctuality.local_faults += u64::from(failure.is_local());
        self.no_answer(window, failure.describe());
    }

    /// Counts an attempt that got no answer, with a description.
    pub(crate) fn no_answer(&mut self, window: usize, why: &'static str) {
        if self.is_measured(window) {
            *self.failures.entry(why).or_default() += 1;
        }
    }

    /// Removes a request that is under way when the run ends early.
    pub(crate) fn unscheduled(&mut self, request: Counted, now: Time) {
        self.unfinished += 1;
        self.occupancy.leave(now);
        if let Some(window) = self.windows.get_mut(request.window) {
            window.outcomes.scheduled = window.outcomes.scheduled.saturating_sub(1);
        }
        if let Some(series) = &mut self.series {
            series.unscheduled(request.intended);
        }
        if self.is_measured(request.window)
            && let Some(label) = self.labels.get_mut(request.label)
        {
            label.outcomes.scheduled = label.outcomes.scheduled.saturating_sub(1);
        }
    }

    /// Adds the counts of another thread.
    pub(crate) fn add(&mut self, other: &Tally) {
        self.windows.iter_mut().zip(&other.windows).for_each(|(ours, theirs)| ours.add(theirs));
        self.within
            .iter_mut()
            .zip(&other.within)
            .for_each(|(ours, theirs)| ours.good += theirs.good);
        self.raw.add(&other.raw);
        self.refusal.add(&other.refusal);
        self.sojourn.add(&other.sojourn);
        for (ours, theirs) in self.labels.iter_mut().zip(&other.labels) {
            ours.add(theirs);
        }
        other.statuses.iter().for_each(|(k, n)| *self.statuses.entry(*k).or_default() += n);
        other.failures.iter().for_each(|(k, n)| *self.failures.entry(k).or_default() += n);
        self.attempts += other.attempts;
        self.punctuality.add(&other.punctuality);
        self.batches.add(&other.batches);
        self.occupancy.add(&other.occupancy);
        self.unfinished += other.unfinished;
        self.clients.iter_mut().zip(&other.clients).for_each(|(ours, theirs)| *ours += theirs);
        if let (Some(ours), Some(theirs)) = (&mut self.series, &other.series) {
            ours.add(theirs);
        }
    }

    /// Counts a right answer in the window in which it arrived; none after the end of the schedule.
    fn completed(&mut self, now: Time, response: Duration) {
        if let Some(tally) = self.windows.iter_mut().find(|tally| tally.window.contains(now)) {
            tally.completed(self.within.iter().map(|count| count.slo), response);
        }
    }

    /// Returns the index of the window of an intended start; the last one for later starts.
    fn window_at(&self, at: Time) -> usize {
        let index = self.windows.iter().position(|tally| at < tally.window.to);
        index.unwrap_or(self.windows.len().saturating_sub(1))
    }

    fn is_measured(&self, window: usize) -> bool {
        self.windows.get(window).is_some_and(|tally| tally.window.measured)
    }
}
