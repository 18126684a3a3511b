//! The last ten seconds, second by second: sums at the beginning of each, and what was recorded in
//! it.

use crate::config::{StageIndex, Stages};
use crate::monitor::sample::Sample;
use crate::platform::{MachineTimes, Time};
use crate::pool::StageFigures;
use std::collections::VecDeque;
use std::time::Duration;

/// The length of the window from which the bottleneck is found. A hundred events in it give a mean
/// within a fifth, and a change of the load shows within seconds.
const TEN_SECONDS: Duration = Duration::from_secs(10);
const SECOND: Duration = Duration::from_secs(1);
/// A second that lacks less than this is whole: ticks are never exact.
const SLACK: Duration = Duration::from_millis(1);

/// A second or more, up to the next one's beginning.
struct Second {
    /// The sums at its beginning.
    start: Sample,
    machine: MachineTimes,
    /// What workers recorded in it.
    figures: Stages<StageFigures>,
}

/// The seconds of the last ten, oldest first. There is always one at least.
pub(crate) struct PastSeconds {
    past: VecDeque<Second>,
}

/// A window from the beginning of some second to the last collection.
#[derive(Clone, Copy)]
pub(crate) struct Window<'a> {
    pub(crate) start: &'a Sample,
    seconds: &'a PastSeconds,
    /// The number of the window's first second.
    first: usize,
}

impl PastSeconds {
    /// Begins the first second.
    pub(super) fn new(start: Sample, machine: MachineTimes) -> Self {
        let figures = start.stages.map(|_, _| StageFigures::default());
        Self { past: VecDeque::from([Second { start, machine, figures }]) }
    }

    /// Adds the figures of a tick to the present second.
    pub(super) fn add(&mut self, tick: &Stages<StageFigures>) {
        if let Some(second) = self.past.back_mut() {
            second.figures.iter_mut().zip(tick).for_each(|(sum, tick)| sum.add(tick));
        }
    }

    /// True if the present second is over at `now`.
    pub(super) fn is_over(&self, now: Time) -> bool {
        self.past.back().is_none_or(|second| age(second, now) + SLACK >= SECOND)
    }

    /// Begins the next second, and forgets those before the last ten.
    pub(super) fn begin(&mut self, start: Sample, machine: MachineTimes) {
        let now = start.at;
        let mut free = None;
        while self.past.get(1).is_some_and(|next| age(next, now) + SLACK >= TEN_SECONDS) {
            free = self.past.pop_front();
        }
        // The histograms of a forgotten second are used again.
        let mut figures = match free {
            Some(second) => second.figures,
            None => start.stages.map(|_, _| StageFigures::default()),
        };
        figures.iter_mut().for_each(StageFigures::clear);
        self.past.push_back(Second { start, machine, figures });
    }

    /// Returns the window of the last second; of less if there is no more.
    pub(crate) fn last(&self, now: &Sample) -> Option<Window<'_>> {
        let old = self.past.iter().rposition(|second| age(second, now.at) + SLACK >= SECOND);
        self.window(old.unwrap_or(0))
    }

    /// Returns the window of the last ten seconds; of less if there is no more.
    pub(crate) fn last_ten(&self) -> Option<Window<'_>> {
        self.window(0)
    }

    fn window(&self, first: usize) -> Option<Window<'_>> {
        Some(Window { start: &self.past.get(first)?.start, seconds: self, first })
    }

    /// Returns the times of the machine at the first and the last beginning of a second, and the
    /// seconds between; `None` before the second one.
    pub(crate) fn machine(&self) -> Option<(MachineTimes, MachineTimes, f64)> {
        let (first, last) = (self.past.front()?, self.past.back()?);
        let seconds = last.start.at.since(first.start.at).as_secs_f64();
        (seconds > 0.0).then_some((first.machine, last.machine, seconds))
    }
}

impl Window<'_> {
    /// Returns what workers recorded about a stage in the window; `tick` is the unfinished tick.
    pub(crate) fn figures(&self, stage: StageIndex, tick: &Stages<StageFigures>) -> StageFigures {
        let mut sum = StageFigures::default();
        for second in self.seconds.past.iter().skip(self.first) {
            sum.add(&second.figures[stage]);
        }
        sum.add(&tick[stage]);
        sum
    }
}

fn age(second: &Second, now: Time) -> Duration {
    now.since(second.start.at)
}
