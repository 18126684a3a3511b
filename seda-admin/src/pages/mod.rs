//! Snapshots as pages: each is rendered once per view, and answers a bounded number of requests.
//!
//! The room imports `metrics`, `drawing`, `answer` and `figures`. Paths and header fields do not
//! belong here (`admin`, `answer`).
//!
//! ```text
//! answer ──▶ the page of a recent snapshot ──▶ at once, from any thread
//!    │
//!    ▼ none is recent, or it has given all of its answers
//! waiting ──▶ deliver, on the control thread of the graph ──▶ the page, or 429
//! ```

mod history;
mod queue;
mod view;

pub(crate) use history::{HistoryPages, Past};
pub(crate) use view::View;

use self::queue::{Ask, PageQueue, Respond, Waiter};
use crate::answer::AdminAnswer;
use crate::figures::ServerFigures;
use parking_lot::Mutex;
use seda_core::{Report, Snapshots};
use std::fmt;
use std::sync::Arc;

/// The pages of the last snapshot, and the requests that wait for the next.
pub(crate) struct Pages {
    source: PageSource,
    queue: Arc<Mutex<PageQueue>>,
}

/// Returns the figures of the server around the graph.
pub(crate) type ReadServer = dyn Fn() -> ServerFigures + Send + Sync;

/// What pages are made of.
#[derive(Clone)]
struct PageSource {
    snapshots: Snapshots,
    server: Arc<ReadServer>,
}

impl Pages {
    pub(crate) fn new(snapshots: Snapshots, server: Arc<ReadServer>) -> Self {
        Self { source: PageSource { snapshots, server }, queue: Arc::default() }
    }

    /// Returns the answer if it is known now. If not, `respond` is called with it later, on the
    /// control thread of the graph.
    pub(crate) fn answer(&self, view: View, respond: Respond) -> Option<AdminAnswer> {
        let mut queue = self.queue.lock();
        let is_recent =
            queue.report().is_some_and(|report| self.source.snapshots.is_recent(report));
        let taken = queue.take(is_recent, Waiter { view, respond });
        // An ended graph answers within `request`, which takes the lock.
        drop(queue);
        match taken {
            Ok(answer) => Some(answer),
            Err(ask) => {
                request(&self.source, &self.queue, ask);
                None
            }
        }
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pages")
    }
}

/// Requests a snapshot for the requests that wait, if none is on its way.
fn request(source: &PageSource, queue: &Arc<Mutex<PageQueue>>, ask: Ask) {
    if ask == Ask::Nothing {
        return;
    }
    let delivery = Delivery {
        source: source.clone(),
        queue: Arc::clone(queue),
        taken: Vec::new(),
        is_complete: false,
    };
    let deliver = Box::new(move |report| delivery.deliver(&report));
    let snapshots = &source.snapshots;
    if ask == Ask::Present { snapshots.request(deliver) } else { snapshots.request_next(deliver) }
}

/// A requested snapshot. Each request that waits for it gets an answer, also if the graph ends
/// before.
struct Delivery {
    source: PageSource,
    queue: Arc<Mutex<PageQueue>>,
    /// The requests that this snapshot answers.
    taken: Vec<Waiter>,
    is_complete: bool,
}

impl Delivery {
    /// Answers the requests that wait. Runs on the control thread.
    fn deliver(mut self, report: &Arc<Report>) {
        // 1. Take the requests that this snapshot answers, and those that are refused.
        let mut queue = self.queue.lock();
        let mut pages = queue.begin(report);
        let refused;
        (self.taken, refused) = queue.take_waiting();
        drop(queue);
        // 2. Render outside the lock, because reactors take it.
        for waiter in &self.taken {
            pages.render(report, &*self.source.server, waiter.view);
        }
        // 3. Keep the pages, and request the next snapshot for those that still wait.
        let ask = self.queue.lock().complete(pages.clone());
        self.is_complete = true;
        request(&self.source, &self.queue, ask);
        // 4. Answer.
        for waiter in self.taken.drain(..) {
            let answer = pages.answer(waiter.view).unwrap_or_else(AdminAnswer::ended);
            (waiter.respond)(answer);
        }
        refused.into_iter().for_each(|waiter| (waiter.respond)(AdminAnswer::too_many()));
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if self.is_complete {
            // Requests that wait now belong to the next delivery.
            return;
        }
        let waiting = self.queue.lock().abandon();
        for waiter in self.taken.drain(..).chain(waiting) {
            (waiter.respond)(AdminAnswer::ended());
        }
    }
}
