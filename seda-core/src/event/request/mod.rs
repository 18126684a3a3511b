//! Requests: work that owes its client an answer.
//!
//! - [`Request`]: the obligation, resolved exactly once: answered or lost. All events that descend
//!   from it carry it, so that queued work for a client that has gone is not started.
//! - [`Responder`]: the reserved path of the answer, inside the user's event. It cannot fail, and
//!   no queue bounds it.
//! - [`ReplySink`]: the receiver of answers, such as a reactor or a [`ResponseReceiver`].
//! - `RequestLedger`: the second ledger. Admitted = answered + lost + open, exactly.

mod ledger;
mod receiver;
mod responder;
mod trace;

pub(crate) use ledger::{RequestCounts, RequestLedger};
pub use receiver::{Lost, ResponseReceiver};
pub use responder::{Outcome, ReplyAddress, ReplySink, Responder};
pub use trace::StageVisit;
pub(crate) use trace::{RequestTrace, VisitBegin};

use crate::event::LossReason;
use crate::gate::{GateCharge, GateOn, GateService, PerGate, Visits};
use crate::platform::Time;
use crate::platform::sync::{Arc, AtomicU8, AtomicU64, Mutex, Ordering};

const OPEN: u8 = 0;
const ANSWERED: u8 = 1;
const ABANDONED: u8 = 2;
const LOST: u8 = 3;

/// One admitted request.
///
/// It is resolved exactly once, by the first of: its [`Responder`], the loss of its event, and
/// [`Request::abandon`].
///
/// ```
/// use seda_core::{Graph, ManualClock, Responder};
/// use std::sync::Arc;
///
/// let mut graph = Graph::new("pages");
/// let page = graph.stage::<Responder<u32>>("page", 8);
/// graph.attach_each(page, |_wire| |reply: Responder<u32>, _cx| reply.respond(1))?;
/// let pages = graph.source(page)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// let response = pages.request(|reply| reply)?;
/// // The client has gone: its event is not handled.
/// assert!(response.request().abandon() && !response.request().is_open());
/// graph.run_until_idle();
/// assert_eq!(graph.report().requests.lost["abandoned"], 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Request {
    state: AtomicU8,
    birth: Time,
    ledger: Arc<RequestLedger>,
    /// The charge at the gates on its route, at each until its stage has served the request.
    charge: GateCharge,
    /// The gates in the charge that it has left: a bit for each of the first 64.
    left: AtomicU64,
    /// The stages that it has visited, where its route is measured.
    visits: Visits,
    service: Mutex<Service>,
    /// `None` unless a subscriber wants its spans, or its visits are kept.
    trace: Option<Box<RequestTrace>>,
}

/// The number of gates that have a bit in a request.
const GATES: usize = u64::BITS as usize;

/// The service of a request so far.
#[derive(Debug, Default)]
struct Service {
    /// The stage where the request is in service, and since when, if it has a cost.
    begun: Option<(usize, Time)>,
    /// The gates in its charge whose stages have served it: a bit for each of the first 64.
    served: u64,
    /// The service at each gate in its charge, if it is measured.
    services: PerGate<GateService>,
    /// Whether the request was answered: service reported later counts at once.
    answered: bool,
}

impl Request {
    /// Opens a request that has passed its gates, and counts it as admitted.
    pub(crate) fn admit(
        ledger: &Arc<RequestLedger>,
        birth: Time,
        charge: GateCharge,
        trace: Option<Box<RequestTrace>>,
    ) -> Arc<Self> {
        ledger.admit();
        let (state, ledger) = (AtomicU8::new(OPEN), Arc::clone(ledger));
        let measured = charge.costs().iter().filter(|_| charge.measured);
        let services = measured.map(|_| GateService::default()).collect();
        let service = Mutex::new(Service { services, ..Service::default() });
        let (left, visits) = (AtomicU64::new(0), Visits::default());
        Arc::new(Self { state, birth, ledger, charge, left, visits, service, trace })
    }

    /// Gives the request up because its client has gone: its queued events are shed before they
    /// start. Returns whether the request was still open; then it counts as lost with
    /// [`LossReason::Abandoned`].
    pub fn abandon(&self) -> bool {
        let was_open = self.resolve_as(ABANDONED);
        if was_open {
            self.ledger.lose(LossReason::Abandoned);
        }
        was_open
    }

    /// Returns whether the request was abandoned: its client has gone.
    pub fn is_abandoned(&self) -> bool {
        self.state.load(Ordering::Acquire) == ABANDONED
    }

    /// Returns whether the request still waits for its answer.
    pub fn is_open(&self) -> bool {
        self.state.load(Ordering::Acquire) == OPEN
    }

    /// Returns whether the request has its answer: what follows is owed to no client.
    pub(crate) fn is_answered(&self) -> bool {
        self.state.load(Ordering::Acquire) == ANSWERED
    }

    /// Returns the stages that the request has visited so far, in order, the last 64 at most. Empty
    /// unless its source [keeps them](crate::Source::keeping_visits).
    pub fn stage_visits(&self) -> Vec<StageVisit> {
        self.trace.as_ref().map(|trace| trace.visits()).unwrap_or_default()
    }

    /// Begins a visit of the trace, if there is one.
    #[inline]
    pub(crate) fn trace_visit<'a>(&self, begin: impl FnOnce() -> VisitBegin<'a>) {
        if let Some(trace) = &self.trace {
            trace.begin_visit(&begin());
        }
    }

    /// Begins a visit of one of several events that end together, if there is a trace.
    #[inline]
    pub(crate) fn trace_together<'a>(&self, begin: impl FnOnce() -> VisitBegin<'a>) {
        if let Some(trace) = &self.trace {
            trace.begin_together(&begin());
        }
    }

    /// Ends the visit that this thread has in hand, if there is a trace.
    #[inline]
    pub(crate) fn trace_end(&self, now: impl FnOnce() -> Time) {
        if let Some(trace) = &self.trace {
            trace.end_visit(now());
        }
    }

    /// Counts the answer and its response time; returns false if the request was resolved before.
    pub(super) fn answered(&self) -> bool {
        let first = self.resolve_as(ANSWERED);
        if first {
            if let Some(trace) = &self.trace {
                trace.note_answer(self.ledger.now());
            }
            self.ledger.answer(self.charge.class, self.birth);
            self.report_demand();
        }
        first
    }

    /// Counts the loss; returns false if the request was resolved before.
    pub(super) fn lost(&self, reason: LossReason) -> bool {
        let first = self.resolve_as(LOST);
        if first {
            self.ledger.lose(reason);
        }
        first
    }

    fn resolve_as(&self, state: u8) -> bool {
        let first =
            self.state.compare_exchange(OPEN, state, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if first {
            self.end_service();
            (0..self.charge.costs().len()).for_each(|number| self.leave(number));
        }
        first
    }

    /// Leaves the gate of a stage that has served the request: what it does elsewhere takes no
    /// place from those that wait there. A resolved request has left all gates.
    pub(crate) fn leave_gate(&self, stage: usize) {
        if self.is_open()
            && let Some(GateOn { number, .. }) = self.gate_on_route(stage)
            && number < GATES
        {
            self.leave(number);
        }
    }

    /// Leaves a gate once. A gate beyond the first 64 has no bit, and is left at the end alone.
    fn leave(&self, number: usize) {
        let gate = if number < GATES { 1_u64 << number } else { 0 };
        if self.left.fetch_or(gate, Ordering::Relaxed) & gate == 0 {
            self.ledger.admission.leave_gate(&self.charge, number);
        }
    }

    /// Returns whether the request counts at the gate of `stage`.
    pub(crate) fn is_bound_for(&self, stage: usize) -> bool {
        self.gate_on_route(stage).is_some()
    }

    /// Returns the gate of `stage`; `None` if the request does not count there.
    fn gate_on_route(&self, stage: usize) -> Option<GateOn<'_>> {
        self.ledger.admission.gate_on(&self.charge, stage)
    }

    /// Notes that an event of the request has reached `stage`, or was refused there.
    #[inline]
    pub(crate) fn visit(&self, stage: usize) {
        if self.charge.learns {
            self.ledger.admission.visit(&self.charge, &self.visits, stage);
        }
    }

    /// Begins service at `stage`: the remaining cost falls from now on. Of several events in
    /// service at one stage the first counts; of several stages, the last.
    pub(crate) fn begin_service(&self, stage: usize, now: Time) {
        if !self.charge.weighs() {
            return;
        }
        let mut service = self.service.lock();
        if service.begun.is_some_and(|(at, _)| at == stage) {
            return;
        }
        self.leave_service(&mut service);
        // Checked under the lock: a thread that resolves the request now waits for the lock in
        // `end_service`, and ends this service.
        if self.is_open()
            && let Some(on) = self.gate_on_route(stage)
            && on.cost.amount > 0
        {
            on.gate.begin(on.cost, now);
            service.begun = Some((stage, now));
        }
    }

    /// Adds `nanos` of service by `stage`. It counts once the request is answered, because a lost
    /// request does not show the full demand of its route.
    pub(crate) fn record_service(&self, stage: usize, nanos: u64) {
        if !self.charge.measured {
            return;
        }
        let Some(GateOn { number, .. }) = self.gate_on_route(stage) else { return };
        let mut service = self.service.lock();
        if service.answered {
            self.ledger.admission.record_service(&self.charge, number, nanos);
        } else if let Some(at) = service.services.as_mut_slice().get_mut(number) {
            at.add(nanos);
        }
    }

    /// Reports the visits and the service measured until the answer.
    fn report_demand(&self) {
        let admission = &self.ledger.admission;
        if self.charge.learns {
            admission.report_visits(&self.charge, &self.visits);
        }
        if self.charge.measured {
            let mut service = self.service.lock();
            service.answered = true;
            admission.report_service(&self.charge, service.services.as_slice());
        }
    }

    /// Ends the service that has begun, if any.
    pub(crate) fn end_service(&self) {
        if self.charge.weighs() {
            self.leave_service(&mut self.service.lock());
        }
    }

    /// Ends the service at `stage`, unless that at another stage has begun meanwhile.
    pub(crate) fn end_service_at(&self, stage: usize) {
        if !self.charge.weighs() {
            return;
        }
        let mut service = self.service.lock();
        if service.begun.is_some_and(|(at, _)| at == stage) {
            self.leave_service(&mut service);
        }
    }

    /// Returns the cost of the request at its first service by a stage on its route, for the cost
    /// model of that stage; 0 at further visits and at other stages, and for a cost in a unit in
    /// which the gate counts no longer.
    pub(crate) fn claim_first_visit(&self, stage: usize) -> u32 {
        if !self.charge.weighs() {
            return 0;
        }
        let Some(GateOn { number, cost, gate }) = self.gate_on_route(stage) else { return 0 };
        if cost.amount == 0 || cost.unit != gate.unit() {
            return 0;
        }
        // A gate beyond the first 64 has no bit: each visit there counts as the first.
        let visit = u32::try_from(number).ok().and_then(|number| 1_u64.checked_shl(number));
        let visit = visit.unwrap_or(0);
        let mut service = self.service.lock();
        let before = service.served;
        service.served |= visit;
        if before & visit == 0 { cost.amount } else { 0 }
    }

    fn leave_service(&self, service: &mut Service) {
        if let Some((stage, begun)) = service.begun.take()
            && let Some(on) = self.gate_on_route(stage)
        {
            on.gate.end(on.cost, begun);
        }
    }
}
