//! Work that owes someone an answer.
//!
//! - [`Request`]: the obligation, resolved exactly once: answered or lost. Everything that
//!   descends from it carries it, so that queued work for a client that has gone is not started.
//! - [`Responder`]: the reserved way home, inside the user's event. It cannot fail and passes no
//!   queue bound.
//! - [`ReplySink`]: where answers arrive: a reactor, or a [`ResponseReceiver`] in the caller's hand.
//! - The book: the second ledger: admitted = answered + lost + open, exactly.

mod ledger;
mod responder;
mod ticket;

pub(crate) use ledger::{RequestCounts, RequestLedger};
pub use responder::{Outcome, ReplyAddress, ReplySink, Responder};
pub use ticket::{Lost, ResponseReceiver};

use crate::event::LossReason;
use crate::gate::GateCharge;
use crate::platform::Time;
use crate::platform::sync::{Arc, AtomicU8, Mutex, Ordering};

const OPEN: u8 = 0;
const RESOLVED: u8 = 1;
const ABANDONED: u8 = 2;

/// One admitted request. Resolved exactly once, by whoever comes first.
#[derive(Debug)]
pub struct Request {
    state: AtomicU8,
    birth: Time,
    book: Arc<RequestLedger>,
    /// The gates it has passed, and what it counts as there until it ends.
    passage: GateCharge,
    service: Mutex<Service>,
}

/// What is known of a request's service.
#[derive(Debug, Default)]
struct Service {
    /// At which stage it is in service, and since when, if it has a cost.
    begun: Option<(usize, Time)>,
    /// Which stages on its route have served it: a bit for each of the first 64.
    visited: u64,
    /// What all stages took for it together, in nanoseconds, where its route is measured.
    nanos: u64,
    /// It was answered: what a stage says now that it took counts at once.
    answered: bool,
}

impl Request {
    /// Opens a request and counts it as admitted. It has passed the gates on its way.
    pub(crate) fn admit(book: &Arc<RequestLedger>, birth: Time, passage: GateCharge) -> Arc<Self> {
        book.admit(passage.class);
        let (state, book) = (AtomicU8::new(OPEN), Arc::clone(book));
        Arc::new(Self { state, birth, book, passage, service: Mutex::default() })
    }

    /// Tells the graph that nobody waits for the answer any more: what is queued for this
    /// request is shed before it starts. Returns whether the request was still open; it then
    /// counts as lost with the reason [`LossReason::Abandoned`].
    pub fn abandon(&self) -> bool {
        let was_open = self.resolve_as(ABANDONED);
        if was_open {
            self.book.lose(self.passage.class, LossReason::Abandoned);
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
            self.book.answer(self.passage.class, self.birth);
            self.report_demand();
        }
        first
    }

    /// Counts the loss; false if the request was resolved before.
    pub(super) fn lost(&self, reason: LossReason) -> bool {
        let first = self.resolve_as(RESOLVED);
        if first {
            self.book.lose(self.passage.class, reason);
        }
        first
    }

    fn resolve_as(&self, state: u8) -> bool {
        let first =
            self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.end_service();
            self.book.admission.leave(&self.passage);
        }
        first
    }

    /// Whether it counts at the gate of a stage.
    pub(crate) fn is_bound_for(&self, stage: usize) -> bool {
        self.book.admission.gate_on(&self.passage, stage).is_some()
    }

    /// A worker begins it at `stage`: from now on less and less of its cost is to come. Of several
    /// of its events that are in service at one stage the first counts, at several stages the last.
    pub(crate) fn begin_service(&self, stage: usize, now: Time) {
        if self.passage.cost == 0 {
            return;
        }
        let mut service = self.service.lock();
        if service.begun.is_some_and(|(at, _)| at == stage) {
            return;
        }
        self.leave_service(&mut service);
        // Looked at under the lock: whoever resolves it meanwhile waits, and ends its service.
        if self.is_open()
            && let Some((_, gate)) = self.book.admission.gate_on(&self.passage, stage)
        {
            gate.begin(u64::from(self.passage.cost), now);
            service.begun = Some((stage, now));
        }
    }

    /// A stage has served it for so many nanoseconds. That counts once it is answered: what was
    /// given up has not shown what such a request takes.
    pub(crate) fn record_service(&self, nanos: u64) {
        if !self.book.admission.measures(&self.passage) {
            return;
        }
        let mut service = self.service.lock();
        if service.answered {
            self.book.admission.record_service(&self.passage, nanos);
        } else {
            service.nanos = service.nanos.saturating_add(nanos);
        }
    }

    /// It is answered: what was measured of it so far counts.
    fn report_demand(&self) {
        if self.book.admission.measures(&self.passage) {
            let mut service = self.service.lock();
            service.answered = true;
            self.book.admission.answered(&self.passage, std::mem::take(&mut service.nanos));
        }
    }

    /// What was begun of it has ended.
    pub(crate) fn end_service(&self) {
        if self.passage.cost > 0 {
            self.leave_service(&mut self.service.lock());
        }
    }

    /// A stage has served an event of it. Returns what it costs, if that is what this service was
    /// for: the stage is on its route and serves it for the first time. Else 0.
    pub(crate) fn claim_first_visit(&self, stage: usize) -> u32 {
        let passage = &self.passage;
        if passage.cost == 0 || !self.book.admission.prices(passage) {
            return 0;
        }
        let Some((place, _)) = self.book.admission.gate_on(passage, stage) else { return 0 };
        let visit = u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place));
        let visit = visit.unwrap_or(0);
        let mut service = self.service.lock();
        let before = service.visited;
        service.visited |= visit;
        if before & visit == 0 { passage.cost } else { 0 }
    }

    fn leave_service(&self, service: &mut Service) {
        if let Some((stage, begun)) = service.begun.take()
            && let Some((_, gate)) = self.book.admission.gate_on(&self.passage, stage)
        {
            gate.end(u64::from(self.passage.cost), begun);
        }
    }
}
