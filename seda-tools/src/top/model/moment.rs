//! One second of a graph, with the minute before it.

use super::flow::Flow;
use super::rows::{
    ClassRates, ClassRow, ClassStageRow, EdgeRow, StageRow, answered_per_second, per_second,
};
use super::tape::Tape;
use super::trend::trend;
use seda_core::history::{EventsSecond, History, SecondRecord};
use seda_core::report::GraphLoad;
use seda_core::{Decision, Report};

/// The seconds of the trends.
const MINUTE: f64 = 60.0;
/// The seconds over which response times are taken, as in the report.
const TEN_SECONDS: f64 = 10.0;

/// One second of a tape.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'a> {
    tape: &'a Tape,
    index: usize,
}

/// The figures of the whole graph in one second; rates are per second.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Summary {
    pub(crate) load: GraphLoad,
    pub(crate) admitted: f64,
    pub(crate) answered: f64,
    pub(crate) lost: f64,
    pub(crate) open: u32,
    /// Refused at the entries.
    pub(crate) refused: f64,
    /// Shed and failed at any stage.
    pub(crate) shed: f64,
    pub(crate) failed: f64,
    pub(crate) budget_used: u32,
    pub(crate) budget_limit: u32,
    /// Cores in use by all processes, and cores that there are; `None` if they are unknown.
    pub(crate) cores: Option<(f64, usize)>,
}

/// The bottleneck in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Finding {
    /// True if something limits the graph.
    pub(crate) is_found: bool,
    /// The resource, its kind and its load.
    pub(crate) headline: String,
    /// The action, the evidence, and the resource that is full next, in this order.
    pub(crate) rest: Vec<String>,
}

impl<'a> Moment<'a> {
    /// Returns the second of a tape that ends at `at`; without `at`, the last one.
    pub(crate) fn of(tape: &'a Tape, at: Option<f64>) -> Self {
        Self { tape, index: at.map_or_else(|| tape.last(), |at| tape.index_at(at)) }
    }

    /// Returns the names of the graph.
    pub(crate) fn names(&self) -> &'a History {
        self.tape.history()
    }

    /// Returns its end, in seconds since the graph began.
    pub(crate) fn at(&self) -> f64 {
        self.tape.at(self.index)
    }

    /// Returns the report at its end; `None` for an earlier second and a recorded one.
    pub(crate) fn report(&self) -> Option<&'a Report> {
        self.tape.report_at(self.index)
    }

    fn second(&self) -> Option<&'a SecondRecord> {
        self.names().seconds.get(self.index)
    }

    /// Returns a figure over the last minute, in `cells` parts; `None` for a part that is unknown.
    pub(crate) fn trend(
        &self,
        cells: usize,
        figure: impl Fn(&SecondRecord) -> Option<f64>,
    ) -> Vec<Option<f64>> {
        trend(self.tape.past(self.index, MINUTE), self.at(), MINUTE, cells, figure)
    }

    /// Returns the figures of the whole graph.
    pub(crate) fn summary(&self) -> Summary {
        let none = SecondRecord::default();
        let second = self.second().unwrap_or(&none);
        let rate = |count: u32| per_second(count, second.seconds);
        let machine = self.report().map(|report| report.machine);
        let cores = machine.and_then(|machine| Some((machine.busy?, machine.cores)));
        let entered = self.entries().filter_map(|entry| second.stages.get(entry));
        Summary {
            load: second.load,
            admitted: rate(second.requests.admitted),
            answered: rate(second.requests.answered),
            lost: rate(second.requests.lost),
            open: second.requests.open,
            refused: entered.map(|stage| rate(stage.events.refused)).sum(),
            shed: second.stages.iter().map(|stage| rate(stage.events.shed)).sum(),
            failed: second.stages.iter().map(|stage| rate(stage.events.failed)).sum(),
            budget_used: second.budget_used,
            budget_limit: second.budget_limit,
            cores: cores.filter(|(_, cores)| *cores > 0),
        }
    }

    /// Returns the stages that events enter from outside.
    fn entries(&self) -> impl Iterator<Item = usize> + 'a {
        let names = self.names();
        let edges = names.edges.iter().filter(|edge| edge.from.is_none());
        let mut entries: Vec<_> = edges
            .filter_map(|edge| names.stages.iter().position(|stage| *stage == edge.to))
            .collect();
        entries.sort_unstable();
        entries.dedup();
        entries.into_iter()
    }

    /// Returns the stages in the order of the flow.
    pub(crate) fn stages(&self) -> Vec<StageRow<'a>> {
        let flow = Flow::of(self.names());
        let Some(second) = self.second() else { return Vec::new() };
        let rows = flow.order.iter().filter_map(|index| {
            let name = self.names().stages.get(*index)?;
            Some(StageRow {
                index: *index,
                name,
                level: flow.levels.get(*index).copied().unwrap_or(0),
                seconds: second.seconds,
                figures: *second.stages.get(*index)?,
                is_bottleneck: self.is_bottleneck(name),
            })
        });
        rows.collect()
    }

    /// Returns the classes, the highest first.
    pub(crate) fn classes(&self) -> Vec<ClassRow<'a>> {
        let names = self.names().classes.iter().enumerate();
        names.map(|(index, name)| self.class(index, name)).collect()
    }

    fn class(&self, index: usize, name: &'a str) -> ClassRow<'a> {
        let second = self.second();
        let detail = second.and_then(|second| second.detail.as_deref());
        let of_second = detail.and_then(|detail| detail.classes.get(index));
        let of_report = self.report().and_then(|report| report.classes.get(index));
        // The report has the quantiles within 1 %, a history the buckets of each second.
        let quantile = |q: f64| match of_report.map(|class| &class.last_ten_seconds) {
            Some(times) if q < 0.9 => times.p50,
            Some(times) => times.p99,
            None => self.response_quantile(index, q),
        };
        let ten = self.report().map_or(TEN_SECONDS, |report| {
            report.stages.iter().map(|stage| stage.last_ten_seconds.seconds).fold(1e-3, f64::max)
        });
        let in_ten = of_report.map(|class| class.last_ten_seconds.count as f64 / ten);
        let answered = second.and_then(|second| answered_per_second(second, index)).or(in_ten);
        let of_history = of_second.and_then(|class| class.promised_seconds).map(f64::from);
        ClassRow {
            index,
            name,
            slo: of_report.map_or(of_history, |class| class.promised_seconds),
            p50: quantile(0.5),
            p99: quantile(0.99),
            answered,
            rates: self.class_rates(index),
        }
    }

    fn class_rates(&self, index: usize) -> Option<ClassRates> {
        let second = self.second()?;
        let class = second.detail.as_ref()?.classes.get(index)?;
        let rate = |count: u32| per_second(count, second.seconds);
        let entries = || self.entries().filter_map(|entry| class.stages.get(entry));
        (!class.stages.is_empty()).then(|| ClassRates {
            offered: entries().map(|events| rate(events.offered)).sum(),
            refused: entries().map(|events| rate(events.refused)).sum(),
            shed: class.stages.iter().map(|events| rate(events.shed)).sum(),
            failed: class.stages.iter().map(|events| rate(events.failed)).sum(),
        })
    }

    /// Returns a quantile of the response times of a class over the last ten seconds, on a straight
    /// line within its bucket; `None` without an answer.
    fn response_quantile(&self, class: usize, q: f64) -> Option<f64> {
        let bounds = &self.names().bucket_bounds;
        let mut buckets = vec![0_u64; bounds.len() + 1];
        for second in self.tape.past(self.index, TEN_SECONDS) {
            let of_second = second.detail.as_ref().and_then(|detail| detail.classes.get(class));
            let counts = of_second.map(|class| &*class.responses).unwrap_or_default();
            buckets.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let wanted = buckets.iter().sum::<u64>() as f64 * q;
        let (mut before, mut low) = (0.0, 0.0);
        for (count, bound) in buckets.iter().zip(bounds) {
            let upto = before + *count as f64;
            if *count > 0 && upto >= wanted {
                return Some(low + (bound - low) * (wanted - before) / *count as f64);
            }
            (before, low) = (upto, *bound);
        }
        // It is beyond the last bound.
        (wanted > 0.0).then_some(low)
    }

    /// Returns the events of a class at the stages that had some, in the order of the flow; nothing
    /// if they are not kept for this second.
    pub(crate) fn class_stages(&self, class: usize) -> Vec<ClassStageRow<'a>> {
        let detail = self.second().and_then(|second| second.detail.as_deref());
        let Some(class) = detail.and_then(|detail| detail.classes.get(class)) else {
            return Vec::new();
        };
        let seconds = self.second().map_or(0.0, |second| second.seconds);
        let rows = Flow::of(self.names()).order.into_iter().filter_map(|stage| {
            let events = *class.stages.get(stage)?;
            let name = self.names().stages.get(stage)?;
            let has_events = events != EventsSecond::default();
            has_events.then_some(ClassStageRow { stage, name, seconds, events })
        });
        rows.collect()
    }

    /// Returns the edges in the order of declaration.
    pub(crate) fn edges(&self) -> Vec<EdgeRow<'a>> {
        let seconds = self.second().map_or(0.0, |second| second.seconds);
        let detail = self.second().and_then(|second| second.detail.as_deref());
        let edges = self.names().edges.iter().enumerate().map(|(index, edge)| EdgeRow {
            index,
            from: edge.from.as_deref(),
            to: &edge.to,
            seconds,
            counts: detail.and_then(|detail| detail.edges.get(index)).copied(),
        });
        edges.collect()
    }

    fn is_bottleneck(&self, stage: &str) -> bool {
        if let Some(report) = self.report() {
            return report.bottleneck.names(stage);
        }
        self.second().is_some_and(|second| {
            second.bottleneck.is_found() && second.bottleneck_stage.as_deref() == Some(stage)
        })
    }

    /// Returns the bottleneck in words.
    pub(crate) fn finding(&self) -> Finding {
        if let Some(report) = self.report() {
            return of_report(report);
        }
        let Some(second) = self.second() else { return Finding::default() };
        let stage = second.bottleneck_stage.as_deref();
        let headline = match (second.bottleneck.is_found(), stage) {
            (true, Some(stage)) => format!("bottleneck: {stage} ({})", second.bottleneck),
            (true, None) => format!("bottleneck: {}", second.bottleneck),
            (false, _) => format!("bottleneck: {}", second.bottleneck.as_str().replace('_', " ")),
        };
        Finding { is_found: second.bottleneck.is_found(), headline, rest: Vec::new() }
    }

    /// Returns the decisions up to its end, oldest first: those of the report, or else those that
    /// the seconds of a recorded history have.
    pub(crate) fn journal(&self) -> Vec<&'a Decision> {
        let end = self.at() + 1e-3;
        let is_past = |decision: &&Decision| decision.at_seconds <= end;
        match self.tape.report() {
            Some(report) => report.journal.iter().filter(is_past).collect(),
            None => {
                let seconds = self.tape.history().seconds.iter();
                seconds.flat_map(|second| &second.decisions).filter(is_past).collect()
            }
        }
    }
}

/// Returns the lines of a report's bottleneck, what to do before why.
fn of_report(report: &Report) -> Finding {
    let text = report.bottleneck.to_string();
    let mut lines = text.lines().map(str::trim);
    let headline = lines.next().unwrap_or_default().to_owned();
    let mut rest: Vec<String> = lines.map(str::to_owned).collect();
    rest.sort_by_key(|line| !line.starts_with("do: "));
    Finding { is_found: report.bottleneck.kind.is_found(), headline, rest }
}

#[cfg(test)]
#[path = "moment_tests.rs"]
mod tests;
