//! Work that owes someone an answer.
//!
//! - [`Request`]: the obligation, resolved exactly once: answered or lost. Everything that
//!   descends from it carries it, so that queued work for a client that has gone is not started.
//! - [`Responder`]: the reserved way home, inside the user's event. It cannot fail and passes no
//!   queue bound.
//! - [`Home`]: where answers arrive: a reactor, or a [`Ticket`] in the caller's hand.
//! - The book: the second ledger: admitted = answered + lost + open, exactly.

mod book;
mod responder;
mod ticket;

pub(crate) use book::{BookFigures, RequestBook};
pub use responder::{Address, Home, Outcome, Responder};
pub use ticket::{Lost, Ticket};

use crate::clock::Time;
use crate::event::Class;
use crate::loss::LossReason;
use crate::sync::{Arc, AtomicU8, Mutex, Ordering};

const OPEN: u8 = 0;
const RESOLVED: u8 = 1;
const ABANDONED: u8 = 2;

/// One admitted request. Resolved exactly once, by whoever comes first.
#[derive(Debug)]
pub struct Request {
    state: AtomicU8,
    class: Class,
    birth: Time,
    book: Arc<RequestBook>,
    /// The gates it has passed, and still counts at.
    route: u16,
    /// And what it counts as there: what it declared to cost or its route to take; 0 if nothing.
    cost: u32,
    /// At which stage it is in service, and since when, if it has a cost.
    begun: Mutex<Option<(usize, Time)>>,
}

impl Request {
    /// Opens a request and counts it as admitted. It has entered at the gates of `route`.
    pub(crate) fn admit(
        book: &Arc<RequestBook>,
        class: Class,
        birth: Time,
        (route, cost): (u16, u32),
    ) -> Arc<Self> {
        book.admit(class);
        let (state, book) = (AtomicU8::new(OPEN), Arc::clone(book));
        let begun = Mutex::default();
        Arc::new(Self { state, class, birth, book, route, cost, begun })
    }

    /// Tells the graph that nobody waits for the answer any more: what is queued for this
    /// request is shed before it starts. Returns whether the request was still open; it then
    /// counts as lost with the reason [`LossReason::Abandoned`].
    pub fn abandon(&self) -> bool {
        let was_open = self.resolve_as(ABANDONED);
        if was_open {
            self.book.lose(self.class, LossReason::Abandoned);
        }
        was_open
    }

    /// Whether the client that waits for the answer has gone.
    pub fn is_abandoned(&self) -> bool {
        self.state.load(Ordering::Acquire) == ABANDONED
    }

    /// Whether the request still waits for its answer.
    pub fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    /// Counts the answer and its response time; false if the request was resolved before.
    pub(super) fn answered(&self) -> bool {
        let first = self.resolve_as(RESOLVED);
        if first {
            self.book.answer(self.class, self.birth);
            self.book.admission.serve(self.route, u64::from(self.cost));
        }
        first
    }

    /// Counts the loss; false if the request was resolved before.
    pub(super) fn lost(&self, reason: LossReason) -> bool {
        let first = self.resolve_as(RESOLVED);
        if first {
            self.book.lose(self.class, reason);
        }
        first
    }

    fn resolve_as(&self, state: u8) -> bool {
        let first =
            self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.end_service();
            self.book.admission.leave(self.route, self.class, u64::from(self.cost));
        }
        first
    }

    /// A worker begins it at `stage`: from now on less and less of its cost is to come. Of several
    /// of its events that are in service at one stage the first counts, at several stages the last.
    pub(crate) fn begin_service(&self, stage: usize, now: Time) {
        if self.cost == 0 {
            return;
        }
        let mut begun = self.begun.lock();
        if begun.is_some_and(|(at, _)| at == stage) {
            return;
        }
        self.leave_service(begun.take());
        // Looked at under the lock: whoever resolves it meanwhile waits, and ends its service.
        if self.is_open()
            && let Some(gate) = self.book.admission.gate_on(self.route, stage)
        {
            gate.begin(u64::from(self.cost), now);
            *begun = Some((stage, now));
        }
    }

    /// A stage has served it for so many nanoseconds.
    pub(crate) fn took(&self, nanos: u64) {
        self.book.admission.took(self.route, nanos);
    }

    /// What was begun of it has ended.
    pub(crate) fn end_service(&self) {
        if self.cost > 0 {
            self.leave_service(self.begun.lock().take());
        }
    }

    fn leave_service(&self, begun: Option<(usize, Time)>) {
        if let Some((stage, begun)) = begun
            && let Some(gate) = self.book.admission.gate_on(self.route, stage)
        {
            gate.end(u64::from(self.cost), begun);
        }
    }
}
