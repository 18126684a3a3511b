//! The trace of a request: the stages that it visits, with a span for each.

use crate::platform::Time;
use crate::platform::sync::{Arc, Mutex};
use std::thread::{self, ThreadId};
use std::time::Duration;
use tracing::{Level, Span};

/// The target of the spans, by which a subscriber filters them.
const TARGET: &str = "seda_core::stage";

/// The visits that are kept: in a cycle of stages they have no bound of their own.
const VISITS_MOST: usize = 64;

/// The visit of a request to a stage.
///
/// ```
/// use seda_core::{Graph, ManualClock, Responder};
/// use std::sync::Arc;
/// use std::time::Duration;
///
/// let mut graph = Graph::new("pages");
/// let page = graph.stage::<Responder<u32>>("page", 8);
/// graph.attach_each(page, |_wire| |reply: Responder<u32>, _cx| reply.respond(1))?;
/// let pages = graph.source(page)?.keeping_visits();
/// let clock = Arc::new(ManualClock::new());
/// let mut graph = graph.start_manual(clock.clone())?;
/// let response = pages.request(|reply| reply)?;
/// clock.advance(Duration::from_millis(2));
/// graph.run_until_idle();
/// let visits = response.request().stage_visits();
/// assert_eq!((&*visits[0].stage, visits[0].wait), ("page", Duration::from_millis(2)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageVisit {
    /// The name of the stage.
    pub stage: Arc<str>,
    /// The time from entering the queue to the begin of the service.
    pub wait: Duration,
    /// The time in the handler, until the answer at most. `None` while it has neither ended nor
    /// answered, and for events of a batch that end together.
    pub service: Option<Duration>,
}

/// The stages that a request has visited, and the span that was current at its admission.
#[derive(Debug)]
pub(crate) struct RequestTrace {
    span: Span,
    /// True if the visits are kept for [`Request::stage_visits`](super::Request::stage_visits).
    keeps_visits: bool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    visits: Vec<Visit>,
    /// `None` before the answer.
    answered: Option<Time>,
}

#[derive(Debug)]
struct Visit {
    stage: Arc<str>,
    /// The thread of its worker, which has one event in hand.
    worker: ThreadId,
    wait: Duration,
    begun: Time,
    /// `None` while the event is in hand.
    ended: Option<Time>,
    /// True if the event ends with its batch.
    is_together: bool,
    span: Span,
}

/// The begin of a visit.
pub(crate) struct VisitBegin<'a> {
    pub(crate) stage: &'a Arc<str>,
    pub(crate) enqueued: Time,
    pub(crate) begun: Time,
    /// The events of the batch that are not begun before this one, with this one.
    pub(crate) batch: usize,
}

impl RequestTrace {
    /// Returns the trace of a request that is admitted now. `None` unless a subscriber wants its
    /// spans or its visits are kept.
    pub(crate) fn begin(keeps_visits: bool) -> Option<Box<Self>> {
        let is_wanted = tracing::enabled!(target: TARGET, Level::DEBUG);
        let span = if is_wanted { Span::current() } else { Span::none() };
        let is_traced = keeps_visits || !span.is_none();
        is_traced.then(|| Box::new(Self { span, keeps_visits, state: Mutex::default() }))
    }

    /// Begins a visit, and enters its span on this thread.
    pub(super) fn begin_visit(&self, begin: &VisitBegin<'_>) {
        let span = self.stage_span(begin);
        // The subscriber's code runs under no lock.
        span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        self.push(begin, span, false);
    }

    /// Begins a visit of one of several events that end together. The handler runs in the span of
    /// none of them.
    pub(super) fn begin_together(&self, begin: &VisitBegin<'_>) {
        let span = self.stage_span(begin);
        self.push(begin, span, true);
    }

    /// Ends the visit that this thread has in hand, and exits its span.
    pub(super) fn end_visit(&self, now: Time) {
        let worker = thread::current().id();
        let span = {
            let mut state = self.state.lock();
            let mut visits = state.visits.iter_mut().rev();
            let found = visits.find(|visit| visit.worker == worker && visit.ended.is_none());
            found.map(|visit| {
                visit.ended = Some(now);
                let span = std::mem::replace(&mut visit.span, Span::none());
                (span, visit.is_together)
            })
        };
        if let Some((span, false)) = span {
            span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    /// Notes the answer: service after it is not the client's.
    pub(super) fn note_answer(&self, now: Time) {
        self.state.lock().answered = Some(now);
    }

    /// Returns the visits, in order of their begin.
    pub(super) fn visits(&self) -> Vec<StageVisit> {
        if !self.keeps_visits {
            return Vec::new();
        }
        let state = self.state.lock();
        let visits = state.visits.iter().map(|visit| {
            let end = visit.ended.into_iter().chain(state.answered).min();
            let end = if visit.is_together { None } else { end };
            let service = end.map(|end| end.since(visit.begun));
            StageVisit { stage: Arc::clone(&visit.stage), wait: visit.wait, service }
        });
        visits.collect()
    }

    fn stage_span(&self, begin: &VisitBegin<'_>) -> Span {
        if self.span.is_none() {
            return Span::none();
        }
        tracing::debug_span!(
            target: TARGET,
            parent: &self.span,
            "stage",
            stage = %begin.stage,
            wait_seconds = begin.begun.since(begin.enqueued).as_secs_f64(),
            batch = begin.batch,
        )
    }

    fn push(&self, begin: &VisitBegin<'_>, span: Span, is_together: bool) {
        let visit = Visit {
            stage: Arc::clone(begin.stage),
            worker: thread::current().id(),
            wait: begin.begun.since(begin.enqueued),
            begun: begin.begun,
            ended: None,
            is_together,
            span,
        };
        let dropped = {
            let mut state = self.state.lock();
            let is_full = state.visits.len() >= VISITS_MOST;
            let mut visits = state.visits.iter();
            let oldest = visits.position(|visit| visit.ended.is_some() || visit.is_together);
            let oldest = oldest.filter(|_| is_full).map(|oldest| state.visits.remove(oldest));
            state.visits.push(visit);
            oldest
        };
        drop(dropped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Graph, Manual, ManualClock, Responder, Source};
    use std::fmt::Debug;
    use tracing::field::{Field, Visit as VisitFields};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};
    use tracing_core::span::Current;

    /// Writes down what happens to spans.
    #[derive(Default)]
    struct Notebook {
        lines: Arc<Mutex<Vec<String>>>,
        /// The spans that are entered, the innermost last.
        entered: Mutex<Vec<(Id, &'static Metadata<'static>)>>,
        known: Mutex<Vec<&'static Metadata<'static>>>,
    }

    struct Fields(String);

    impl VisitFields for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.push_str(&format!(" {field}={value:?}"));
        }
    }

    impl Subscriber for Notebook {
        fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
            true
        }

        fn new_span(&self, span: &Attributes<'_>) -> Id {
            let mut known = self.known.lock();
            known.push(span.metadata());
            let id = known.len() as u64;
            let parent = span.parent().map(Id::into_u64);
            let mut fields = Fields(format!("new {id} in {parent:?}"));
            span.record(&mut fields);
            self.lines.lock().push(fields.0);
            Id::from_u64(id)
        }

        fn record(&self, _span: &Id, _values: &Record<'_>) {}

        fn record_follows_from(&self, _span: &Id, _follows: &Id) {}

        fn event(&self, _event: &Event<'_>) {}

        fn enter(&self, span: &Id) {
            let known = self.known.lock()[span.into_u64() as usize - 1];
            self.entered.lock().push((span.clone(), known));
            self.lines.lock().push(format!("enter {}", span.into_u64()));
        }

        fn exit(&self, span: &Id) {
            self.entered.lock().pop();
            self.lines.lock().push(format!("exit {}", span.into_u64()));
        }

        fn current_span(&self) -> Current {
            let entered = self.entered.lock();
            entered.last().map_or_else(Current::none, |(id, known)| Current::new(id.clone(), known))
        }
    }

    type Page = Responder<u32>;

    /// Returns a graph of two stages, and its entry. The second one answers after a millisecond.
    fn chain(clock: &Arc<ManualClock>) -> (Manual, Source<Page>) {
        let mut graph = Graph::new("pages");
        let parse = graph.stage::<Page>("parse", 8);
        let render = graph.stage::<Page>("render", 8);
        graph
            .attach_each(parse, |wire| {
                let render = wire.sink(render);
                move |page, cx: &mut Context| cx.send(&render, page).unwrap()
            })
            .unwrap();
        let service = Arc::clone(clock);
        graph
            .attach_each(render, |_wire| {
                move |page: Page, _cx| {
                    service.advance(Duration::from_millis(1));
                    page.respond(1);
                }
            })
            .unwrap();
        let entry = graph.source(parse).unwrap();
        (graph.start_manual(clock.clone()).unwrap(), entry)
    }

    #[test]
    fn the_visits_of_a_request_have_its_wait_and_its_service_at_each_stage() {
        let clock = Arc::new(ManualClock::new());
        let (mut graph, entry) = chain(&clock);
        let kept = entry.clone().keeping_visits().request(|page| page).unwrap();
        clock.advance(Duration::from_millis(3));
        assert_eq!(kept.request().stage_visits(), []);
        graph.run_until_idle();
        let visits = kept.request().stage_visits();
        let figures: Vec<_> =
            visits.iter().map(|visit| (&*visit.stage, visit.wait, visit.service)).collect();
        let millis = Duration::from_millis;
        let [parse, render] =
            [("parse", millis(3), Some(millis(0))), ("render", millis(0), Some(millis(1)))];
        assert_eq!(figures, [parse, render]);
        let other = entry.request(|page| page).unwrap();
        graph.run_until_idle();
        assert_eq!(other.request().stage_visits(), []);
    }

    #[test]
    fn each_stage_has_a_span_below_that_of_the_admission_while_its_handler_runs() {
        let clock = Arc::new(ManualClock::new());
        let (mut graph, entry) = chain(&clock);
        let notebook = Notebook::default();
        let lines = Arc::clone(&notebook.lines);
        tracing::subscriber::with_default(notebook, || {
            let request = tracing::info_span!("request");
            let answer = request.in_scope(|| entry.request(|page| page)).unwrap();
            clock.advance(Duration::from_millis(3));
            graph.run_until_idle();
            assert_eq!(answer.request().stage_visits(), [], "no visits were asked for");
        });
        let expected = [
            "new 1 in None",
            "enter 1",
            "exit 1",
            "new 2 in Some(1) stage=parse wait_seconds=0.003 batch=1",
            "enter 2",
            "exit 2",
            "new 3 in Some(1) stage=render wait_seconds=0.0 batch=1",
            "enter 3",
            "exit 3",
        ];
        assert_eq!(*lines.lock(), expected);
    }

    #[test]
    fn the_visits_of_a_request_are_bounded() {
        let trace = RequestTrace::begin(true).unwrap();
        let stage: Arc<str> = Arc::from("again");
        for nanos in 0..200 {
            let at = Time::from_nanos(nanos);
            let begin = VisitBegin { stage: &stage, enqueued: at, begun: at, batch: 1 };
            if nanos % 2 == 0 {
                trace.begin_visit(&begin)
            } else {
                trace.begin_together(&begin)
            }
            trace.end_visit(at);
        }
        assert_eq!(trace.visits().len(), VISITS_MOST);
    }
}
