//! The pages of one snapshot, and the requests that wait for the next: plain data.

use super::view::View;
use crate::answer::AdminAnswer;
use crate::figures::ServerFigures;
use bytes::Bytes;
use seda_core::Report;
use std::sync::Arc;

/// The most answers of one snapshot, so at most 256 a second. An answer of 36 KB takes about
/// 0.12 ms of CPU time (the web server's report over loopback), so all of them take 3 % of a core.
const ANSWERS_MOST: usize = 64;

/// The most requests that wait. It bounds their memory to some hundred KiB, and is far more than
/// one snapshot answers.
const WAITING_MOST: usize = 4_096;

/// Takes an answer. It runs on the control thread of the graph.
pub(super) type Respond = Box<dyn FnOnce(AdminAnswer) + Send>;

/// A request that waits for a snapshot.
pub(super) struct Waiter {
    pub(super) view: View,
    pub(super) respond: Respond,
}

/// The snapshot to request for the requests that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Ask {
    /// None, or one is on its way.
    #[default]
    Nothing,
    /// A recent one.
    Present,
    /// The one after the present one, which has given all of its answers.
    Next,
}

/// The pages of the last snapshot, and the requests that wait.
#[derive(Default)]
pub(super) struct PageQueue {
    shown: Option<Shown>,
    waiting: Vec<Waiter>,
    /// The snapshot that is on its way.
    asked: Ask,
}

/// The last snapshot.
struct Shown {
    report: Arc<Report>,
    pages: RenderedPages,
    /// The number of answers that it has given.
    answers: usize,
}

/// The views of one snapshot that are rendered so far.
#[derive(Clone, Debug, Default)]
pub(super) struct RenderedPages(Vec<(View, Bytes)>);

impl RenderedPages {
    pub(super) fn render(
        &mut self,
        report: &Report,
        server: &dyn Fn() -> ServerFigures,
        view: View,
    ) {
        if self.bytes(view).is_none() {
            self.0.push((view, view.render(report, server)));
        }
    }

    fn bytes(&self, view: View) -> Option<&Bytes> {
        self.0.iter().find(|(known, _)| *known == view).map(|(_, bytes)| bytes)
    }

    /// Returns the answer with a view; `None` if it is not rendered.
    pub(super) fn answer(&self, view: View) -> Option<AdminAnswer> {
        Some(AdminAnswer::page(view.content_type(), self.bytes(view)?.clone()))
    }
}

impl Shown {
    fn has_answers(&self) -> bool {
        self.answers < ANSWERS_MOST
    }
}

impl PageQueue {
    /// Returns the last snapshot; `None` before the first.
    pub(super) fn report(&self) -> Option<&Report> {
        self.shown.as_ref().map(|shown| &*shown.report)
    }

    /// Returns the answer to a request, or lets it wait and returns the snapshot to request.
    /// `is_recent` is false if the last snapshot is out of date.
    pub(super) fn take(&mut self, is_recent: bool, waiter: Waiter) -> Result<AdminAnswer, Ask> {
        let shown = self.shown.as_mut().filter(|_| is_recent);
        let mut wanted = Ask::Present;
        if let Some(shown) = shown {
            if !shown.has_answers() {
                wanted = Ask::Next;
            } else if let Some(answer) = shown.pages.answer(waiter.view) {
                shown.answers += 1;
                return Ok(answer);
            }
        }
        if self.waiting.len() >= WAITING_MOST {
            return Ok(AdminAnswer::too_many());
        }
        self.waiting.push(waiter);
        Err(self.ask(wanted))
    }

    /// Takes in a snapshot that has arrived, and returns its pages that are rendered.
    pub(super) fn begin(&mut self, report: &Arc<Report>) -> RenderedPages {
        match &self.shown {
            Some(shown) if Arc::ptr_eq(&shown.report, report) => shown.pages.clone(),
            _ => {
                let report = Arc::clone(report);
                self.shown = Some(Shown { report, pages: RenderedPages::default(), answers: 0 });
                RenderedPages::default()
            }
        }
    }

    /// Removes the requests that the snapshot answers, and those that are refused: they waited for
    /// this very snapshot, and it has no answer left.
    ///
    /// The newest are answered. A client that asks again at once waits from the beginning, so an
    /// occasional reader comes after a flood of such clients and is not refused because of them.
    pub(super) fn take_waiting(&mut self) -> (Vec<Waiter>, Vec<Waiter>) {
        let Some(shown) = &mut self.shown else { return Default::default() };
        let left = ANSWERS_MOST.saturating_sub(shown.answers);
        let served = self.waiting.split_off(self.waiting.len().saturating_sub(left));
        shown.answers += served.len();
        let refused =
            if self.asked == Ask::Next { std::mem::take(&mut self.waiting) } else { Vec::new() };
        (served, refused)
    }

    /// Keeps the pages of the snapshot. Returns the snapshot to request for those that wait now.
    pub(super) fn complete(&mut self, pages: RenderedPages) -> Ask {
        let has_answers = self.shown.as_ref().is_some_and(Shown::has_answers);
        if let Some(shown) = &mut self.shown {
            shown.pages = pages;
        }
        self.asked = Ask::Nothing;
        match (self.waiting.is_empty(), has_answers) {
            (true, _) => Ask::Nothing,
            (false, true) => self.ask(Ask::Present),
            (false, false) => self.ask(Ask::Next),
        }
    }

    /// Removes all requests that wait: no snapshot comes.
    pub(super) fn abandon(&mut self) -> Vec<Waiter> {
        self.asked = Ask::Nothing;
        std::mem::take(&mut self.waiting)
    }

    /// Notes that a snapshot is requested. Returns nothing if one is on its way already.
    fn ask(&mut self, wanted: Ask) -> Ask {
        if self.asked != Ask::Nothing {
            return Ask::Nothing;
        }
        self.asked = wanted;
        wanted
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda_core::{Graph, ManualClock};

    fn a_report() -> Arc<Report> {
        let mut graph = Graph::new("g");
        let stage = graph.stage::<u32>("s", 1);
        graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
        Arc::new(graph.start_manual(Arc::new(ManualClock::new())).unwrap().report())
    }

    fn waiter(view: View) -> Waiter {
        Waiter { view, respond: Box::new(drop) }
    }

    /// Takes in a snapshot as the control thread does. Returns the numbers of requests that it
    /// serves and refuses, and the next snapshot to request.
    fn deliver(queue: &mut PageQueue, report: &Arc<Report>) -> (usize, usize, Ask) {
        let mut pages = queue.begin(report);
        let (served, refused) = queue.take_waiting();
        served.iter().for_each(|waiter| pages.render(report, &ServerFigures::default, waiter.view));
        (served.len(), refused.len(), queue.complete(pages))
    }

    #[test]
    fn one_snapshot_is_requested_for_all_that_wait_and_then_answers_at_once() {
        let mut queue = PageQueue::default();
        assert_eq!(queue.take(false, waiter(View::Json)), Err(Ask::Present));
        assert_eq!(queue.take(false, waiter(View::Json)), Err(Ask::Nothing));
        let report = a_report();
        assert_eq!(deliver(&mut queue, &report), (2, 0, Ask::Nothing));
        assert_eq!(queue.take(true, waiter(View::Json)).unwrap().status, 200);
        // Another view of the same snapshot is rendered by the control thread, too.
        assert_eq!(queue.take(true, waiter(View::Dot)), Err(Ask::Present));
        assert_eq!(deliver(&mut queue, &report), (1, 0, Ask::Nothing));
        assert_eq!(queue.take(true, waiter(View::Dot)).unwrap().status, 200);
        // A snapshot that is out of date answers no further request.
        assert_eq!(queue.take(false, waiter(View::Dot)), Err(Ask::Present));
    }

    #[test]
    fn beyond_the_answers_of_a_snapshot_requests_wait_for_the_next_and_are_then_refused() {
        let mut queue = PageQueue::default();
        let report = a_report();
        queue.take(false, waiter(View::Json)).unwrap_err();
        deliver(&mut queue, &report);
        for _ in 1..ANSWERS_MOST {
            queue.take(true, waiter(View::Json)).unwrap();
        }
        assert_eq!(queue.take(true, waiter(View::Json)), Err(Ask::Next));
        for _ in 0..ANSWERS_MOST {
            assert_eq!(queue.take(true, waiter(View::Json)), Err(Ask::Nothing));
        }
        let next = a_report();
        assert_eq!(deliver(&mut queue, &next), (ANSWERS_MOST, 1, Ask::Nothing));
        assert_eq!(queue.take(true, waiter(View::Json)), Err(Ask::Next));
    }

    #[test]
    fn a_reader_that_comes_after_a_flood_is_answered_and_the_oldest_request_is_refused() {
        let mut queue = PageQueue::default();
        queue.take(false, waiter(View::Json)).unwrap_err();
        deliver(&mut queue, &a_report());
        while queue.take(true, waiter(View::Json)).is_ok() {}
        for view in std::iter::repeat_n(View::Text, ANSWERS_MOST - 1).chain([View::Dot]) {
            assert_eq!(queue.take(true, waiter(view)), Err(Ask::Nothing));
        }
        queue.begin(&a_report());
        let (served, refused) = queue.take_waiting();
        assert_eq!(served.last().unwrap().view, View::Dot);
        assert_eq!((served.len(), refused.len(), refused[0].view), (ANSWERS_MOST, 1, View::Json));
    }

    #[test]
    fn requests_that_did_not_wait_for_a_new_snapshot_are_not_refused_by_it() {
        let mut queue = PageQueue::default();
        for _ in 0..3 * ANSWERS_MOST {
            let _ = queue.take(false, waiter(View::Text));
        }
        let report = a_report();
        assert_eq!(deliver(&mut queue, &report), (ANSWERS_MOST, 0, Ask::Next));
        let next = a_report();
        let left = ANSWERS_MOST;
        assert_eq!(deliver(&mut queue, &next), (ANSWERS_MOST, left, Ask::Nothing));
    }

    #[test]
    fn the_requests_that_wait_are_bounded_and_none_is_forgotten() {
        let mut queue = PageQueue::default();
        for _ in 0..WAITING_MOST {
            assert!(queue.take(false, waiter(View::Text)).is_err());
        }
        assert_eq!(queue.take(false, waiter(View::Text)).unwrap().status, 429);
        assert_eq!(queue.abandon().len(), WAITING_MOST);
        assert_eq!(queue.take(false, waiter(View::Text)), Err(Ask::Present));
    }
}
