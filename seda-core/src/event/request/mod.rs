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

pub(crate) use ledger::{RequestCounts, RequestLedger};
pub use receiver::{Lost, ResponseReceiver};
pub use responder::{Outcome, ReplyAddress, ReplySink, Responder};

use crate::event::LossReason;
use crate::gate::{Gate, GateCharge};
use crate::platform::Time;
use crate::platform::sync::{Arc, AtomicU8, Mutex, Ordering};

const OPEN: u8 = 0;
const RESOLVED: u8 = 1;
const ABANDONED: u8 = 2;

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
    /// The charge at the gates on its route, until it is resolved.
    charge: GateCharge,
    service: Mutex<Service>,
}

/// The service of a request so far.
#[derive(Debug, Default)]
struct Service {
    /// The stage where the request is in service, and since when, if it has a cost.
    begun: Option<(usize, Time)>,
    /// The stages on the route that have served it: a bit for each of the first 64.
    visited: u64,
    /// Nanoseconds of service at all stages, where the route is measured.
    nanos: u64,
    /// Whether the request was answered: service reported later counts at once.
    answered: bool,
}

impl Request {
    /// Opens a request that has passed its gates, and counts it as admitted.
    pub(crate) fn admit(ledger: &Arc<RequestLedger>, birth: Time, charge: GateCharge) -> Arc<Self> {
        ledger.admit();
        let (state, ledger) = (AtomicU8::new(OPEN), Arc::clone(ledger));
        Arc::new(Self { state, birth, ledger, charge, service: Mutex::default() })
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

    /// Counts the answer and its response time; returns false if the request was resolved before.
    pub(super) fn answered(&self) -> bool {
        let first = self.resolve_as(RESOLVED);
        if first {
            self.ledger.answer(self.charge.class, self.birth);
            self.report_demand();
        }
        first
    }

    /// Counts the loss; returns false if the request was resolved before.
    pub(super) fn lost(&self, reason: LossReason) -> bool {
        let first = self.resolve_as(RESOLVED);
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
            self.ledger.admission.leave(&self.charge);
        }
        first
    }

    /// Returns whether the request counts at the gate of `stage`.
    pub(crate) fn is_bound_for(&self, stage: usize) -> bool {
        self.gate_on_route(stage).is_some()
    }

    /// Returns the gate of `stage` and its place on the route; `None` if it is not on the route.
    fn gate_on_route(&self, stage: usize) -> Option<(usize, &Gate)> {
        self.ledger.admission.gate_on(&self.charge, stage)
    }

    /// Begins service at `stage`: the remaining cost falls from now on. Of several events in
    /// service at one stage the first counts; of several stages, the last.
    pub(crate) fn begin_service(&self, stage: usize, now: Time) {
        if self.charge.cost == 0 {
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
            && let Some((_, gate)) = self.gate_on_route(stage)
        {
            gate.begin(u64::from(self.charge.cost), now);
            service.begun = Some((stage, now));
        }
    }

    /// Adds `nanos` of service by a stage. It counts once the request is answered, because a lost
    /// request does not show the full demand of its route.
    pub(crate) fn record_service(&self, nanos: u64) {
        if !self.ledger.admission.measures(&self.charge) {
            return;
        }
        let mut service = self.service.lock();
        if service.answered {
            self.ledger.admission.record_service(&self.charge, nanos);
        } else {
            service.nanos = service.nanos.saturating_add(nanos);
        }
    }

    /// Reports the service measured until the answer.
    fn report_demand(&self) {
        if self.ledger.admission.measures(&self.charge) {
            let mut service = self.service.lock();
            service.answered = true;
            self.ledger.admission.answered(&self.charge, std::mem::take(&mut service.nanos));
        }
    }

    /// Ends the service that has begun, if any.
    pub(crate) fn end_service(&self) {
        if self.charge.cost > 0 {
            self.leave_service(&mut self.service.lock());
        }
    }

    /// Returns the cost of the request at its first service by a stage on its route, for the cost
    /// model of that stage; 0 at further visits and at other stages.
    pub(crate) fn claim_first_visit(&self, stage: usize) -> u32 {
        let charge = &self.charge;
        if charge.cost == 0 || !self.ledger.admission.counts_for_cost_models(charge) {
            return 0;
        }
        let Some((place, _)) = self.gate_on_route(stage) else { return 0 };
        // A place beyond the first 64 has no bit: each visit there counts as the first.
        let visit = u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place));
        let visit = visit.unwrap_or(0);
        let mut service = self.service.lock();
        let before = service.visited;
        service.visited |= visit;
        if before & visit == 0 { charge.cost } else { 0 }
    }

    fn leave_service(&self, service: &mut Service) {
        if let Some((stage, begun)) = service.begun.take()
            && let Some((_, gate)) = self.gate_on_route(stage)
        {
            gate.end(u64::from(self.charge.cost), begun);
        }
    }
}
