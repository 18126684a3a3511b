//! The rows of the tables: a stage, a class, an edge at one moment.

use seda_core::history::{EdgeSecond, EventsSecond, SecondRecord, StageSecond};

/// A stage in one second.
#[derive(Clone, Debug)]
pub(crate) struct StageRow<'a> {
    /// Its place in the order of declaration.
    pub(crate) index: usize,
    pub(crate) name: &'a str,
    /// The number of stages before it.
    pub(crate) level: usize,
    /// The length of the second.
    pub(crate) seconds: f64,
    pub(crate) figures: StageSecond,
    pub(crate) is_bottleneck: bool,
}

impl StageRow<'_> {
    /// Returns a count of the second as a rate.
    pub(crate) fn per_second(&self, count: u32) -> f64 {
        per_second(count, self.seconds)
    }

    /// Returns the events handled per second.
    pub(crate) fn rate(&self) -> f64 {
        self.per_second(self.figures.events.handled)
    }

    /// Returns the part of the queue that is filled, 0 to 1.
    pub(crate) fn fill(&self) -> f64 {
        let capacity = f64::from(self.figures.capacity.max(1));
        (f64::from(self.figures.depth) / capacity).min(1.0)
    }
}

/// A class in one second.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClassRow<'a> {
    /// Its place, the highest first.
    pub(crate) index: usize,
    pub(crate) name: &'a str,
    /// Its SLO in seconds; `None` without one.
    pub(crate) slo: Option<f64>,
    /// Response times of the last ten seconds, in seconds; `None` without an answer.
    pub(crate) p50: Option<f64>,
    pub(crate) p99: Option<f64>,
    /// Answers per second; `None` if that is unknown.
    pub(crate) answered: Option<f64>,
    /// Its events per second, offered and refused at the entries, and lost anywhere; `None` if they
    /// are unknown.
    pub(crate) rates: Option<ClassRates>,
}

/// The events of a class per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ClassRates {
    pub(crate) offered: f64,
    pub(crate) refused: f64,
    pub(crate) shed: f64,
    pub(crate) failed: f64,
}

impl ClassRow<'_> {
    /// Returns whether the class keeps its SLO; `None` without an SLO or an answer.
    pub(crate) fn keeps_slo(&self) -> Option<bool> {
        Some(self.p99? <= self.slo?)
    }
}

/// The events of a class at a stage in one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClassStageRow<'a> {
    pub(crate) stage: usize,
    pub(crate) name: &'a str,
    pub(crate) seconds: f64,
    pub(crate) events: EventsSecond,
}

/// An edge in one second.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EdgeRow<'a> {
    /// Its place in the order of declaration.
    pub(crate) index: usize,
    /// The stage it leaves; `None` for an edge from outside.
    pub(crate) from: Option<&'a str>,
    pub(crate) to: &'a str,
    pub(crate) seconds: f64,
    /// Its counts; `None` if they are not kept for this second.
    pub(crate) counts: Option<EdgeSecond>,
}

/// Returns the answers of a class per second; `None` if they are not kept for this second.
pub(crate) fn answered_per_second(second: &SecondRecord, class: usize) -> Option<f64> {
    let of_class = second.detail.as_ref()?.classes.get(class)?;
    // Without stages the record is of a single report, which does not tell the answers by second.
    let answers = of_class.responses.iter().map(|count| f64::from(*count)).sum::<f64>();
    let is_known = !of_class.stages.is_empty();
    is_known.then(|| if second.seconds > 0.0 { answers / second.seconds } else { 0.0 })
}

/// Returns a count of `seconds` as a rate; 0 if no time has passed.
pub(super) fn per_second(count: u32, seconds: f64) -> f64 {
    if seconds > 0.0 { f64::from(count) / seconds } else { 0.0 }
}
