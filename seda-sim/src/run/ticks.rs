//! The times of the controllers' ticks.

use crate::base::time::nanos;
use crate::model::machine::Machine;
use crate::spec::Spec;
use seda_core::{Mode, Time};
use std::time::Duration;

/// The ticks that the window of a graph's report spans.
const TICKS_PER_REPORT: u32 = 10;

/// The regular ticks of a run, and those before their time. All times are in nanoseconds.
pub(super) struct Ticks {
    interval: Duration,
    /// Whether a controller acts at a tick.
    control: bool,
    last: u64,
    regular: u64,
    /// The next tick before its time; `u64::MAX` if none is due.
    early: u64,
}

impl Ticks {
    pub(super) fn new(spec: &Spec) -> Self {
        let control = has_control(spec);
        // Without controllers a tick only moves the window of the graph's report. Then ten ticks
        // span the measured window, so a simulated day has ten ticks and not a million.
        let interval =
            if control { spec.graph.control.tick } else { spec.window / TICKS_PER_REPORT };
        let interval = interval.max(Duration::from_nanos(1));
        let regular = first_tick(nanos(spec.warm_up), nanos(interval));
        Self { interval, control, last: 0, regular, early: u64::MAX }
    }

    pub(super) fn next(&self) -> u64 {
        self.regular.min(self.early)
    }

    /// Takes over a tick that the graph asks for before its time.
    pub(super) fn follow(&mut self, machine: &mut Machine) {
        let early = machine.early_tick(Time::from_nanos(self.last), self.interval);
        if let Some(early) = early.filter(|_| self.control) {
            self.early = early.as_nanos();
        }
    }

    /// Counts the tick at `now`. Early ticks do not move the regular ones.
    pub(super) fn tick(&mut self, now: u64) {
        self.last = now;
        self.early = u64::MAX;
        if now >= self.regular {
            self.regular = now.saturating_add(nanos(self.interval));
        }
    }
}

/// Returns the time of the first tick, so that one tick falls on the beginning of the window.
fn first_tick(window: u64, tick: u64) -> u64 {
    match window % tick {
        0 => tick,
        rest => rest,
    }
}

/// Returns whether any controller acts or tells at ticks.
fn has_control(spec: &Spec) -> bool {
    let control = &spec.graph.control;
    let mut off = control.clone();
    off.set_mode(Mode::Off);
    // Queue-delay shedding acts at dequeue; of it and of hot spots a tick only tells.
    off.queue_delay = control.queue_delay;
    off.hotspot = control.hotspot;
    if spec.stages.iter().all(|stage| stage.outside.is_none()) {
        off.outstanding = control.outstanding;
    }
    *control != off
}
