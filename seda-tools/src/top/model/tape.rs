//! The seconds that are known, oldest first: recorded, or growing by reports.

use seda_core::Report;
use seda_core::history::{EdgeEnds, EdgeSecond, EventsSecond, History, SecondRecord};

/// The seconds of a running server that are kept: as many as a server keeps.
const SECONDS_MOST: usize = 600;
/// The seconds that keep their classes, edges and distributions, as in a server's history.
const DETAILED_MOST: usize = 60;
/// Two reports that are closer, in seconds, are the same snapshot.
const SAME: f64 = 1e-3;
/// A report follows a history if it is at most this many seconds younger.
const FOLLOWS: f64 = 2.5;

/// The known seconds of a graph.
#[derive(Debug, Default)]
pub(crate) struct Tape {
    /// The names and the seconds.
    history: History,
    /// The report at the end of the last second; `None` in a recorded history.
    report: Option<Box<Report>>,
    /// How often a report was of another run of the server.
    restarts: u32,
}

impl Tape {
    /// Returns a recorded history.
    pub(crate) fn of_history(history: History) -> Self {
        Self { history, ..Self::default() }
    }

    /// Returns the last second of a report.
    pub(crate) fn of_report(report: Box<Report>) -> Self {
        let mut tape = Self::default();
        tape.begin(report);
        tape
    }

    /// Returns the last minute of a running server, and its report of now.
    pub(crate) fn live(report: Box<Report>, minute: Option<History>) -> Self {
        let mut tape = minute.map_or_else(Self::default, Self::of_history);
        tape.push(report);
        tape.restarts = 0;
        tape
    }

    /// Adds the second up to a report. One of another run or of another graph begins anew.
    pub(crate) fn push(&mut self, report: Box<Report>) {
        let last = self.history.seconds.last().map_or(0.0, |second| second.at);
        let gained = report.uptime_seconds - last;
        if !self.is_of(&report) || gained < -FOLLOWS {
            self.restarts += 1;
            return self.begin(report);
        }
        match self.report.as_deref() {
            None if gained > FOLLOWS => return self.begin(report),
            // The history goes up to this report.
            None => {}
            Some(then) if report.uptime_seconds < then.uptime_seconds => {
                self.restarts += 1;
                return self.begin(report);
            }
            Some(then) if report.uptime_seconds - then.uptime_seconds < SAME => return,
            Some(then) => self.history.seconds.push(SecondRecord::between(Some(then), &report)),
        }
        self.report = Some(report);
        self.forget();
    }

    /// Replaces the seconds by those that a server has kept while it could not be asked.
    pub(crate) fn refill(&mut self, minute: History) {
        let restarts = self.restarts + u32::from(self.is_older_than(&minute));
        *self = Self { history: minute, report: None, restarts };
    }

    /// Returns the number of restarts that were seen.
    pub(crate) fn restarts(&self) -> u32 {
        self.restarts
    }

    /// Returns the names of the graph and its parts, and the seconds.
    pub(crate) fn history(&self) -> &History {
        &self.history
    }

    /// Returns the report at the end of the second `index`, if that is the last one.
    pub(crate) fn report_at(&self, index: usize) -> Option<&Report> {
        self.report.as_deref().filter(|_| index + 1 == self.history.seconds.len())
    }

    /// Returns the report at the end of the last second.
    pub(crate) fn report(&self) -> Option<&Report> {
        self.report.as_deref()
    }

    /// Returns the index of the last second; 0 without one.
    pub(crate) fn last(&self) -> usize {
        self.history.seconds.len().saturating_sub(1)
    }

    /// Returns the end of the second `index`, in seconds since the graph began.
    pub(crate) fn at(&self, index: usize) -> f64 {
        self.history.seconds.get(index).map_or(0.0, |second| second.at)
    }

    /// Returns the index of the last second that ends at `at` or before; the first if none does.
    pub(crate) fn index_at(&self, at: f64) -> usize {
        let ended = self.history.seconds.partition_point(|second| second.at <= at + SAME);
        ended.saturating_sub(1)
    }

    /// Returns the seconds up to `index` that end within the `span` before its end.
    pub(crate) fn past(&self, index: usize, span: f64) -> &[SecondRecord] {
        let upto = self.history.seconds.get(..=index).unwrap_or(&self.history.seconds);
        let from = self.at(index) - span;
        let first = upto.partition_point(|second| second.at <= from + SAME);
        upto.get(first..).unwrap_or_default()
    }

    /// Starts with the last second of a report.
    fn begin(&mut self, report: Box<Report>) {
        let second = last_second(&report);
        let stages = report.stages.iter().map(|stage| stage.name.clone()).collect();
        let edges = report.edges.iter();
        let mut history = History::default();
        history.graph.clone_from(&report.graph);
        history.stages = stages;
        history.classes = report.classes.iter().map(|class| class.name.clone()).collect();
        history.edges = edges.map(|edge| ends(edge.from.clone(), edge.to.clone())).collect();
        history.bucket_bounds =
            seda_core::stats::BUCKET_BOUNDS.map(|bound| bound.as_secs_f64()).to_vec();
        history.seconds = vec![second];
        self.history = history;
        self.report = Some(report);
    }

    /// Returns true if the names are those of a report.
    fn is_of(&self, report: &Report) -> bool {
        let stages = report.stages.iter().map(|stage| &stage.name);
        let classes = report.classes.iter().map(|class| &class.name);
        self.history.graph == report.graph
            && self.history.stages.iter().eq(stages)
            && self.history.classes.iter().eq(classes)
            && self.history.edges.len() == report.edges.len()
    }

    /// Returns true if a history is of another run than the last report.
    fn is_older_than(&self, minute: &History) -> bool {
        let end = minute.seconds.last().map_or(0.0, |second| second.at);
        self.report.as_deref().is_some_and(|report| end + FOLLOWS < report.uptime_seconds)
    }

    /// Forgets the oldest seconds, and the details of older ones.
    fn forget(&mut self) {
        let seconds = &mut self.history.seconds;
        let surplus = seconds.len().saturating_sub(SECONDS_MOST);
        seconds.drain(..surplus);
        let old = seconds.len().checked_sub(DETAILED_MOST + 1);
        if let Some(second) = old.and_then(|old| seconds.get_mut(old)) {
            second.detail = None;
        }
    }
}

fn ends(from: Option<String>, to: String) -> EdgeEnds {
    let mut ends = EdgeEnds::default();
    (ends.from, ends.to) = (from, to);
    ends
}

/// Returns the last second of a report. Its counts are those of the windows of one second; what the
/// report counts only since the graph began (losses, the events of a class) is left at zero.
fn last_second(report: &Report) -> SecondRecord {
    let mut second = SecondRecord::between(None, report);
    let length = report.stages.iter().map(|stage| stage.last_second.seconds).fold(0.0, f64::max);
    if length <= 0.0 {
        return second;
    }
    second.seconds = length;
    for (stage, events) in report.stages.iter().zip(&mut second.stages) {
        let window = &stage.last_second;
        let mut of_window = EventsSecond::default();
        of_window.offered = short(window.offered);
        of_window.accepted = short(window.accepted);
        of_window.handled = short(window.served);
        of_window.failed = short(window.failed);
        of_window.shed = short(window.shed);
        of_window.refused = short(window.refused.values().sum());
        of_window.turned_away = short(window.turned_away);
        events.events = of_window;
    }
    // The answers of the last ten seconds give the rate of the last one.
    let ten = report.stages.iter().map(|stage| stage.last_ten_seconds.seconds);
    let ten = ten.fold(length, f64::max);
    let answered: u64 = report.classes.iter().map(|class| class.last_ten_seconds.count).sum();
    let entries = report.edges.iter().filter(|edge| edge.from.is_none());
    let sent = entries.map(|edge| edge.last_second.sent).sum();
    let has_requests = report.requests.admitted > 0;
    second.requests.admitted = if has_requests { short(sent) } else { 0 };
    second.requests.answered = (answered as f64 / ten * length).round() as u32;
    second.requests.lost = 0;
    if let Some(detail) = &mut second.detail {
        for class in &mut detail.classes {
            class.responses.clear();
            class.stages.clear();
        }
        for (edge, counts) in report.edges.iter().zip(&mut detail.edges) {
            let mut of_window = EdgeSecond::default();
            of_window.sent = short(edge.last_second.sent);
            of_window.refused = short(edge.last_second.refused);
            *counts = of_window;
        }
    }
    second
}

fn short(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
#[path = "tape_tests.rs"]
mod tests;
