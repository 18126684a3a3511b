//! The ring of seconds.

use crate::monitor::history::record::SecondRecord;
use crate::monitor::report::Report;
use crate::platform::sync::Arc;
use crate::stats::BUCKET_BOUNDS;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The seconds that are kept: ten minutes, in which an operator comes to look.
const SECONDS_MOST: usize = 600;
/// The seconds that keep their classes, edges and distributions.
const DETAILED_MOST: usize = 60;
/// The most stages of a graph with a history. Its report takes about 10 ms, 1 % of a core.
pub(crate) const STAGES_MOST: usize = 256;

/// The past seconds of a graph, as [`Running::history`](crate::Running::history) returns them and
/// the admin side shows them.
///
/// It is what is written to a file and read again: fields may be added, and none is removed or
/// changes its meaning.
///
/// ```
/// use seda_core::history::History;
///
/// let saved = r#"{ "graph": "pages", "stages": ["draw"], "seconds": [
///     { "at": 1.0, "seconds": 1.0, "stages": [{ "accepted": 7, "workers": 1 }] }
/// ] }"#;
/// let history: History = serde_json::from_str(saved)?;
/// assert_eq!(history.seconds[0].stages[0].events.accepted, 7);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct History {
    /// The graph's name.
    pub graph: String,
    /// The names of the stages, in order of declaration.
    pub stages: Vec<String>,
    /// The names of the classes, the highest first.
    pub classes: Vec<String>,
    /// The edges.
    pub edges: Vec<EdgeEnds>,
    /// The upper bounds of the buckets in seconds; a further bucket has what is longer.
    pub bucket_bounds: Vec<f64>,
    /// The seconds, oldest first.
    pub seconds: Vec<SecondRecord>,
}

/// The ends of an edge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct EdgeEnds {
    /// The stage it leaves; `None` for an edge from outside.
    pub from: Option<String>,
    /// The stage it enters.
    pub to: String,
}

/// The last seconds of a graph.
#[derive(Debug, Default)]
pub(crate) struct HistoryRing {
    records: VecDeque<SecondRecord>,
    /// The report at the end of the last one.
    last: Option<Arc<Report>>,
}

impl HistoryRing {
    /// Adds the time since the last report.
    pub(crate) fn push(&mut self, report: Arc<Report>) {
        self.records.push_back(SecondRecord::between(self.last.as_deref(), &report));
        self.last = Some(report);
        if self.records.len() > SECONDS_MOST {
            self.records.pop_front();
        }
        let old = self.records.len().checked_sub(DETAILED_MOST + 1);
        if let Some(old) = old.and_then(|old| self.records.get_mut(old)) {
            old.detail = None;
        }
    }

    /// Returns the last `seconds`, as far as there are records.
    pub(crate) fn read(&self, seconds: usize) -> History {
        let Some(last) = &self.last else { return History::default() };
        let skipped = self.records.len().saturating_sub(seconds);
        let edges = last.edges.iter();
        History {
            graph: last.graph.clone(),
            stages: last.stages.iter().map(|stage| stage.name.clone()).collect(),
            classes: last.classes.iter().map(|class| class.name.clone()).collect(),
            edges: edges
                .map(|edge| EdgeEnds { from: edge.from.clone(), to: edge.to.clone() })
                .collect(),
            bucket_bounds: BUCKET_BOUNDS.map(|bound| bound.as_secs_f64()).to_vec(),
            seconds: self.records.iter().skip(skipped).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::history::record::{
        ClassSecond, DECISIONS_MOST, EdgeSecond, EventsSecond, StageSecond,
    };
    use crate::{Class, Controller, Decision, Graph, Manual, ManualClock, SendOptions, Source};
    use std::time::Duration;

    /// Returns a graph of a chain of stages, each of which sends on what it gets.
    fn chain(stages: usize, classes: usize) -> (Manual, Source<u32>, Arc<ManualClock>) {
        let mut graph = Graph::new("chain");
        let names: Vec<String> = (0..classes).map(|n| format!("class-{n}")).collect();
        let weights: Vec<(&str, u32)> = names.iter().map(|name| (name.as_str(), 1)).collect();
        graph.classes(&weights);
        let stages: Vec<_> =
            (0..stages).map(|n| graph.stage::<u32>(&format!("stage-{n}"), 64)).collect();
        for (n, stage) in stages.iter().enumerate() {
            let next = stages.get(n + 1).copied();
            graph
                .attach_each(*stage, |wire| {
                    let next = next.map(|next| wire.sink(next));
                    move |event, cx| {
                        if let Some(next) = &next {
                            let _ = cx.send(next, event);
                        }
                    }
                })
                .unwrap();
        }
        let source = graph.source(stages[0]).unwrap();
        let clock = Arc::new(ManualClock::new());
        (graph.start_manual(clock.clone()).unwrap(), source, clock)
    }

    /// Sends an event of each class and ends the second.
    fn second(
        graph: &mut Manual,
        source: &Source<u32>,
        clock: &ManualClock,
        ring: &mut HistoryRing,
    ) {
        for class in 0..8 {
            let options = SendOptions { class: Class::new(class), ..SendOptions::default() };
            let _ = source.with_options(options).send(1);
        }
        clock.advance(Duration::from_millis(400));
        graph.run_until_idle();
        clock.advance(Duration::from_millis(600));
        graph.tick();
        ring.push(Arc::new(graph.report()));
    }

    #[test]
    fn the_seconds_add_up_to_the_report() {
        let (mut graph, source, clock) = chain(3, 2);
        let mut ring = HistoryRing::default();
        for _ in 0..5 {
            second(&mut graph, &source, &clock, &mut ring);
        }
        let (history, report) = (ring.read(600), graph.report());
        assert_eq!(history.stages, ["stage-0", "stage-1", "stage-2"]);
        assert_eq!((history.seconds.len(), history.edges.len()), (5, 3));
        for (n, stage) in report.stages.iter().enumerate() {
            let sum = |of: fn(&EventsSecond) -> u32| {
                history.seconds.iter().map(|it| u64::from(of(&it.stages[n].events))).sum::<u64>()
            };
            assert_eq!((sum(|it| it.accepted), sum(|it| it.handled)), (40, 40));
            assert_eq!(
                (sum(|it| it.accepted), sum(|it| it.offered)),
                (stage.accepted, stage.offered)
            );
        }
        let detail = history.seconds[2].detail.as_ref().unwrap();
        assert_eq!((detail.edges[1].sent, detail.classes[1].stages[2].handled), (8, 7));
        // Each of the eight waited 400 ms in the first stage.
        let wait = history.seconds[2].stages[0].wait;
        assert!((wait.p99.unwrap() - 0.4).abs() < 0.005);
        assert_eq!(detail.waits[0].iter().sum::<u32>(), 8);
        assert_eq!(detail.waits[0][15], 8, "up to 500 ms");
        assert!((history.seconds[2].seconds - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_history_is_written_and_read_again() {
        let (mut graph, source, clock) = chain(2, 1);
        let mut ring = HistoryRing::default();
        second(&mut graph, &source, &clock, &mut ring);
        second(&mut graph, &source, &clock, &mut ring);
        let history = ring.read(1);
        assert_eq!(history.seconds.len(), 1);
        let json = serde_json::to_string(&history).unwrap();
        assert_eq!(serde_json::from_str::<History>(&json).unwrap(), history);
    }

    #[test]
    fn old_seconds_lose_their_detail_and_then_go() {
        let (mut graph, source, clock) = chain(1, 1);
        let mut ring = HistoryRing::default();
        for _ in 0..SECONDS_MOST + 5 {
            second(&mut graph, &source, &clock, &mut ring);
        }
        let history = ring.read(usize::MAX);
        let detailed = history.seconds.iter().filter(|second| second.detail.is_some()).count();
        assert_eq!((history.seconds.len(), detailed), (SECONDS_MOST, DETAILED_MOST));
        assert!((history.seconds[0].at - 6.0).abs() < 1e-9, "the sixth second is the first");
        assert!(history.seconds[SECONDS_MOST - 1].detail.is_some());
    }

    fn decision(controller: Controller, at_seconds: f64) -> Decision {
        let text = || "a text as long as those of most decisions are, in words".to_owned();
        let (seen, action, changed) = (text(), text(), text());
        let stage = Some("stage-7".to_owned());
        Decision { at_seconds, controller, stage, seen, action, changed, acted: true }
    }

    #[test]
    fn a_second_has_its_own_decisions_and_no_controller_displaces_another() {
        let (mut graph, _source, clock) = chain(1, 1);
        let mut ring = HistoryRing::default();
        let mut journal = vec![decision(Controller::Settings, 0.5)];
        for at in 1..=3 {
            clock.advance(Duration::from_secs(1));
            graph.tick();
            let mut report = graph.report();
            report.journal = journal.clone();
            ring.push(Arc::new(report));
            journal.extend((0..9).map(|_| decision(Controller::Valve, f64::from(at) + 0.5)));
            let other = decision(Controller::PoolSize, f64::from(at) + 0.5);
            journal.push(Decision { stage: None, ..other });
        }
        let seconds = ring.read(600).seconds;
        let made = |n: usize| {
            let decisions = seconds[n].decisions.iter();
            decisions.map(|it| (it.controller, it.at_seconds)).collect::<Vec<_>>()
        };
        assert_eq!(made(0), [(Controller::Settings, 0.5)]);
        for (n, at) in [(1, 1.5), (2, 2.5)] {
            let valve = (Controller::Valve, at);
            assert_eq!(made(n), [valve, valve, valve, valve, (Controller::PoolSize, at)]);
        }
    }

    fn heap<T>(values: &Vec<T>) -> usize {
        values.capacity() * size_of::<T>()
    }

    fn heap_of_class(class: &ClassSecond) -> usize {
        heap(&class.responses) + heap(&class.stages)
    }

    fn heap_of(record: &SecondRecord) -> usize {
        let detail = record.detail.as_ref().map_or(0, |detail| {
            let buckets = detail.waits.iter().chain(&detail.services).map(heap).sum::<usize>();
            let classes = detail.classes.iter().map(heap_of_class).sum::<usize>();
            let lists = heap::<ClassSecond>(&detail.classes) + heap::<EdgeSecond>(&detail.edges);
            size_of_val(&**detail) + buckets + classes + lists + heap(&detail.waits) * 2
        });
        let decisions = record.decisions.iter();
        let texts = decisions.map(|it| it.seen.len() + it.action.len() + it.changed.len() + 32);
        heap::<StageSecond>(&record.stages)
            + detail
            + heap(&record.decisions)
            + texts.sum::<usize>()
    }

    #[test]
    fn the_history_of_64_stages_with_8_classes_takes_16_mib_at_most() {
        let (mut graph, source, clock) = chain(64, 8);
        let mut ring = HistoryRing::default();
        for _ in 0..DETAILED_MOST {
            second(&mut graph, &source, &clock, &mut ring);
        }
        let [mut detailed] = <[_; 1]>::try_from(ring.read(1).seconds).unwrap();
        detailed.decisions = vec![decision(Controller::Valve, 1.0); DECISIONS_MOST];
        assert!(detailed.detail.as_ref().unwrap().waits.iter().all(|waits| waits.len() == 23));
        let plain = SecondRecord { detail: None, ..detailed.clone() };
        let bytes = DETAILED_MOST * heap_of(&detailed)
            + (SECONDS_MOST - DETAILED_MOST) * heap_of(&plain)
            + ring.records.capacity().max(SECONDS_MOST) * size_of::<SecondRecord>();
        assert!(bytes <= 16 * 1024 * 1024, "{bytes} bytes");
    }
}
