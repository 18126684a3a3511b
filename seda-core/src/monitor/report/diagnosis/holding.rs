//! How long an event of a stage holds a worker, a core and a place outside.

use crate::monitor::report::{Holding, StageReport, StageWindow};

/// Below this number of events a second says nothing about the holding time.
const FEW_EVENTS: u64 = 30;
/// The holding time has changed if the last second's differs by this factor ...
const CHANGE: f64 = 1.5;
/// ... and by this many standard errors: a stall or a heavy tail is no change.
const SIGNIFICANT: f64 = 4.0;

/// The holding time of one stage, in seconds per event.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Held {
    pub(super) parts: Holding,
    /// The mean time outside of a deferred event.
    pub(super) outside: f64,
    /// The squared coefficient of variation of the service.
    pub(super) variation: f64,
    /// The number of events it was measured on.
    pub(super) events: u64,
    /// The mean over ten seconds, if the last second's differs and is used instead.
    pub(super) before: Option<f64>,
}

impl Held {
    pub(super) fn of(stage: &StageReport) -> Self {
        let (lately, ten) = (&stage.last_second, &stage.last_ten_seconds);
        let before = ten.holding.total.filter(|_| has_changed(lately, ten));
        let window = if before.is_some() { lately } else { ten };
        Self {
            parts: window.holding,
            outside: window.outside_seconds.unwrap_or(0.0),
            variation: window.service.variation.unwrap_or(0.0),
            events: window.served + window.failed,
            before,
        }
    }

    /// Returns the window that it was measured over.
    pub(super) fn window<'a>(&self, stage: &'a StageReport) -> &'a StageWindow {
        if self.before.is_some() { &stage.last_second } else { &stage.last_ten_seconds }
    }

    /// Returns the time that a worker is held, in seconds: all but the waits for room and for
    /// locks, which belong to the stages that have them.
    pub(super) fn worker(&self) -> f64 {
        let Holding { total, room_wait, lock_wait, .. } = self.parts;
        (total.unwrap_or(0.0) - room_wait - lock_wait).max(0.0)
    }

    /// Returns the time on a core; all of the worker's time if its parts are unknown.
    pub(super) fn cpu(&self) -> f64 {
        self.parts.cpu.unwrap_or_else(|| self.worker()) + self.outside_cpu()
    }

    /// Returns the time on a core as far as it is known.
    pub(super) fn known_cpu(&self) -> f64 {
        self.parts.cpu.unwrap_or(0.0) + self.outside_cpu()
    }

    fn outside_cpu(&self) -> f64 {
        self.parts.outside_cpu.unwrap_or(0.0)
    }

    /// Returns the wait for a core; 0 if it is unknown.
    pub(super) fn core_wait(&self) -> f64 {
        self.parts.core_wait.unwrap_or(0.0)
    }

    /// Returns the time blocked in I/O or in a sleep; 0 if it is unknown.
    pub(super) fn blocked(&self) -> f64 {
        self.parts.blocked.unwrap_or(0.0)
    }

    /// Returns the relative standard error of the mean.
    pub(super) fn error(&self) -> f64 {
        (self.variation / self.events.max(1) as f64).sqrt()
    }
}

/// Returns whether the last second's holding time differs from that of ten seconds, beyond chance.
fn has_changed(lately: &StageWindow, ten: &StageWindow) -> bool {
    // A wait for a core or for room comes and goes with the load of others.
    let own = |held: &Holding| {
        Some(held.total? - held.core_wait.unwrap_or(0.0) - held.room_wait - held.lock_wait)
    };
    let (Some(new), Some(old)) = (own(&lately.holding), own(&ten.holding)) else { return false };
    let few = lately.served < FEW_EVENTS || lately.seconds >= ten.seconds;
    let ratio = if old > 0.0 { new / old } else { 1.0 };
    let variation = ten.service.variation.unwrap_or(0.0);
    let error = (variation / lately.served.max(1) as f64).sqrt();
    let apart = (ratio - 1.0).abs() > SIGNIFICANT * error;
    !few && apart && !(1.0 / CHANGE..=CHANGE).contains(&ratio)
}
