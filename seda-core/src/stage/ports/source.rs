//! The entry into a graph from outside: from a thread, a reactor, a test.

use crate::config::Class;
use crate::event::request::{
    ReplyAddress, ReplySink, Request, RequestLedger, RequestTrace, Responder, ResponseReceiver,
};
use crate::event::{EventMeta, Refusal, RefusalReason, Refused, give_up};
use crate::gate::{Admission, GateCharge, GateClosed, Route, RouteIndex};
use crate::platform::sync::Arc;
use crate::platform::{Deadline, Time};
use crate::stage::ports::permits::Permits;
use crate::stage::replicas::ReplicaSet;
use crate::stage::{GraphShared, Rejected, StageCore};
use std::fmt;
use std::time::Duration;

/// The properties that an event gets at the entry and hands down to every event it causes.
///
/// ```
/// use seda_core::{Class, SendOptions};
/// use std::time::Duration;
///
/// let options = SendOptions {
///     class: Class::new(1),
///     deadline: Some(Duration::from_millis(200)),
///     ..SendOptions::default()
/// };
/// assert_eq!(options.cost, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Priority and share.
    pub class: Class,
    /// The time after which the answer is worthless. `None`: the SLO of the class, else no limit.
    pub deadline: Option<Duration>,
    /// The stages that a request will visit, beside its entry. `None`, or a route of another
    /// graph: not known. Such a request counts at the stages that at least nine in ten of the
    /// answered requests of its entry have visited.
    pub route: Option<Route>,
    /// The cost of a request at the stages on its route, in a unit of your own that all requests
    /// of a stage share: microseconds, tokens, rows. The time per unit is measured. Where requests
    /// declare it, a stage is bounded by their total cost instead of their number, so that a cheap
    /// request is admitted where an expensive one has no room. 0 counts as 1.
    ///
    /// `None`: unknown. At a stage where others declare their cost, such a request then counts as
    /// its measured time in their unit. At another stage where routes meet that differ in time by a
    /// factor of two, it counts as the measured time of its route there.
    pub cost: Option<u32>,
    /// The key of the tenant that a request is sent for: any number, such as a hash of an account
    /// or an API key. While a gate refuses requests, the tenants of a class share its capacity
    /// fairly, by rate and cost: a tenant that asks for less than its share is served, and no other
    /// gets more than that share. All keys that were never admitted before count as one tenant, so
    /// a key has to be one that a client cannot make up. `None`: all requests without a key are one
    /// tenant.
    pub tenant: Option<u64>,
}

/// Sends events into one stage from outside the graph. Cheap to clone. Clones share their request
/// ledger, so give each busy thread a source of its own.
///
/// ```
/// use seda_core::{Graph, ManualClock};
/// use std::sync::Arc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("numbers");
/// let count = graph.stage::<u32>("count", 2);
/// graph.attach_each(count, |_wire| |_number, _cx| {})?;
/// let source = graph.source(count)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// source.send_all(vec![1, 2])?;
/// // The queue holds two events: a third is refused and comes back.
/// assert_eq!(source.send(3).unwrap_err().into_event(), 3);
/// assert_eq!(graph.run_until_idle(), 2);
/// # Ok(())
/// # }
/// ```
pub struct Source<E: Send + 'static> {
    entry: Replica<E>,
    /// All replicas, if the stage is replicated; `entry` is the first of them.
    replicas: Option<Box<ReplicaSet<Replica<E>>>>,
    ledger: Arc<RequestLedger>,
    options: SendOptions,
    /// True if its requests keep the stages that they visit.
    keeps_visits: bool,
}

/// A stage as a source or a replica set reaches it: the core, and the number of the edge into it.
pub(crate) struct Replica<E: Send + 'static> {
    pub(crate) stage: Arc<StageCore<E>>,
    pub(crate) edge: usize,
}

impl<E: Send + 'static> Source<E> {
    pub(crate) fn new(entry: Replica<E>, replicas: Option<Box<ReplicaSet<Replica<E>>>>) -> Self {
        let ledger = entry.stage.graph.open_ledger();
        Self { entry, replicas, ledger, options: SendOptions::default(), keeps_visits: false }
    }

    /// Returns the same source with other options.
    pub fn with_options(&self, options: SendOptions) -> Self {
        Self { options, ..self.clone() }
    }

    /// Returns the same source whose requests keep the stages that they visit
    /// ([`Request::stage_visits`]). It costs a request about a microsecond per stage.
    #[must_use]
    pub fn keeping_visits(self) -> Self {
        Self { keeps_visits: true, ..self }
    }

    /// Returns the name of the stage that it sends into.
    pub fn stage(&self) -> &str {
        self.replicas.as_ref().map_or(&self.entry.stage.name, |replicas| replicas.name())
    }

    /// Returns the shortest SLO in force over all classes; `None` without an SLO, or if admission
    /// control is off.
    pub fn slo(&self) -> Option<Duration> {
        self.admission().shortest_slo()
    }

    /// Returns the SLO of a class as it is set, also while admission control is off; `None` without
    /// one.
    pub fn slo_of(&self, class: Class) -> Option<Duration> {
        self.admission().slo_of(class)
    }

    /// Returns the class of an event with these options: theirs, or the last of the graph's.
    pub fn class_of(&self, options: SendOptions) -> Class {
        options.class.within(self.graph().classes())
    }

    /// Sends one event; never blocks.
    ///
    /// # Errors
    /// The event and the reason why it was refused.
    pub fn send(&self, event: E) -> Result<(), Refused<E>> {
        let meta = self.meta(self.options);
        let class = meta.class;
        self.attempt(event, meta).map_err(|(event, reason)| self.refuse(event, class, reason, 1))
    }

    /// Sends all of `events`, or none; to a single replica, if there are several.
    ///
    /// # Errors
    /// All of the events and the reason why they were refused.
    pub fn send_all(&self, events: Vec<E>) -> Result<(), Refused<Vec<E>>> {
        let meta = self.meta(self.options);
        let n = events.len();
        let class = meta.class;
        self.attempt_all(events, meta)
            .map_err(|(events, reason)| self.refuse(events, class, reason, n))
    }

    /// Sends one event and waits for space, for `limit` at most. Blocks the calling thread, so use
    /// it outside the graph only: inside a handler it would hold up the handler's own pool.
    ///
    /// # Errors
    /// The event and the last reason; at once if waiting cannot help.
    pub fn send_within(&self, event: E, limit: Duration) -> Result<(), Refused<E>> {
        let deadline = Deadline::after(limit);
        let mut sent = self.attempt(event, self.meta(self.options));
        loop {
            let Err((event, reason)) = sent else {
                return Ok(());
            };
            let left = deadline.left();
            if left.is_zero() || !reason.is_transient() {
                return Err(self.refuse(event, self.class_of(self.options), reason, 1));
            }
            let space = &self.graph().space;
            sent = space.wait(left, || self.attempt(event, self.meta(self.options)));
        }
    }

    /// Reserves `n` places; at a single replica, if there are several.
    ///
    /// # Errors
    /// The reason why they were refused; counted as `n` refused events.
    pub fn reserve(&self, n: usize) -> Result<Permits<E>, Refusal> {
        let meta = self.meta(self.options);
        let class = meta.class;
        self.try_reserve(n, meta).map_err(|reason| self.refusal(class, reason, n))
    }

    /// Admits a request and returns the receiver of its answer. `event` is called only if there is
    /// a place for it; it gets the responder that the event carries.
    ///
    /// # Errors
    /// The reason why the request was refused; `event` was not called.
    pub fn request<R: Send + 'static>(
        &self,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<ResponseReceiver<R>, Refusal> {
        let (home, answer) = ResponseReceiver::channel();
        let request = self.request_to(home, ReplyAddress::default(), self.options, event)?;
        Ok(ResponseReceiver::new(request, answer))
    }

    /// Admits a request; its answer is delivered to `address` at `home`. `event` is called only if
    /// there is a place for it. Keep the returned request to [abandon](Request::abandon) it.
    ///
    /// # Errors
    /// The reason why the request was refused; `event` was not called and nothing is delivered. An
    /// event that turns out to weigh more than the free byte budget causes no error here: its
    /// request was admitted, and is lost with the reason [`LossReason::Refused`].
    ///
    /// [`LossReason::Refused`]: crate::LossReason::Refused
    pub fn request_to<R: Send + 'static>(
        &self,
        home: Arc<dyn ReplySink<R>>,
        address: ReplyAddress,
        options: SendOptions,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<Arc<Request>, Refusal> {
        let charge = self.gate_charge(options);
        let mut permits = self.pass_gates(&charge, options)?;
        let meta = permits.meta_mut();
        let trace = RequestTrace::begin(self.keeps_visits);
        let request = Request::admit(&self.ledger, meta.birth, charge, trace);
        meta.request = Some(Arc::clone(&request));
        let event = event(Responder::new(Arc::clone(&request), home, address));
        // The place is reserved, so only the event's weight can cause a refusal. The dropped
        // responder then tells `home`.
        if let Err(refused) = permits.send(event) {
            give_up(refused);
        }
        Ok(request)
    }

    /// Checks whether a request with `options` would be admitted now. Success admits nothing and
    /// reserves no place: [`Source::request_to`] may still refuse the request.
    ///
    /// Ask before you do costly work on behalf of a request that is not whole yet, such as reading
    /// its body.
    ///
    /// # Errors
    /// The reason why it would be refused. It counts as the refusal of the request.
    ///
    /// ```
    /// use seda_core::{Graph, ManualClock, RefusalReason, SendOptions};
    /// use std::sync::Arc;
    ///
    /// let mut graph = Graph::new("uploads");
    /// let store = graph.stage::<u32>("store", 1);
    /// graph.attach_each(store, |_wire| |_upload, _cx| {})?;
    /// let uploads = graph.source(store)?;
    /// let graph = graph.start_manual(Arc::new(ManualClock::new()))?;
    /// assert!(uploads.check(SendOptions::default()).is_ok());
    /// uploads.send(1)?;
    /// let refusal = uploads.check(SendOptions::default()).unwrap_err();
    /// assert_eq!(refusal.reason(), RefusalReason::Full);
    /// assert_eq!(graph.report().events.refused, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn check(&self, options: SendOptions) -> Result<(), Refusal> {
        let charge = self.gate_charge(options);
        if let Err(closed) = self.check_gates(&charge) {
            self.admission().turn_away(&charge, closed);
            return Err(self.refusal(charge.class, RefusalReason::Admission, 1));
        }
        self.check_behind(&charge, options).map_err(|reason| self.refusal(charge.class, reason, 1))
    }

    fn graph(&self) -> &GraphShared {
        &self.entry.stage.graph
    }

    fn admission(&self) -> &Admission {
        &self.graph().admission
    }

    /// Returns the charge of a request at the gates of the stages that it will visit.
    fn gate_charge(&self, options: SendOptions) -> GateCharge {
        let (route, class) = (self.route(options), self.class_of(options));
        self.admission().charge(route, class, options.cost, options.tenant)
    }

    fn route(&self, options: SendOptions) -> Option<RouteIndex> {
        self.admission().route(self.entry.stage.index, self.declared(options))
    }

    fn declared(&self, options: SendOptions) -> Option<Route> {
        options.route.filter(|route| route.graph == self.graph().id)
    }

    /// Passes the gates on the request's route and reserves its place at the entry.
    fn pass_gates(&self, charge: &GateCharge, options: SendOptions) -> Result<Permits<E>, Refusal> {
        let graph = self.graph();
        let closed = match self.admission().enter(charge, &[], || graph.now()) {
            Ok(()) => {
                let reserved = self.reserve_one(charge, options);
                return reserved.inspect_err(|_| self.admission().leave(charge));
            }
            Err(closed) if !graph.may_preempt(charge.class) => closed,
            Err(_) => {
                // Reserve the place first: no event is preempted for a request that the queue
                // would refuse.
                let permits = self.reserve_one(charge, options)?;
                match graph.preempt(charge) {
                    Ok(()) => return Ok(permits),
                    Err(closed) => closed,
                }
            }
        };
        self.admission().turn_away(charge, closed);
        Err(self.refusal(charge.class, RefusalReason::Admission, 1))
    }

    /// Reserves the entry's place for a request that has passed the gates.
    fn reserve_one(
        &self,
        charge: &GateCharge,
        options: SendOptions,
    ) -> Result<Permits<E>, Refusal> {
        let meta = self.meta_on(charge.route, options);
        let reserved = match self.barred(&meta, options) {
            Some(reason) => Err(reason),
            None => self.reserve_at_any(1, meta),
        };
        reserved.map_err(|reason| self.refusal(charge.class, reason, 1))
    }

    /// Checks whether a request would pass the gates on its route, alone or by preemption.
    fn check_gates(&self, charge: &GateCharge) -> Result<(), GateClosed> {
        let graph = self.graph();
        match self.admission().first_closed(charge, || graph.now()) {
            None => Ok(()),
            Some(closed) if !graph.may_preempt(charge.class) => Err(closed),
            Some(_) => graph.check_preempt(charge),
        }
    }

    /// Checks whether [`Source::reserve_one`] would find a place for a request that has passed
    /// the gates.
    fn check_behind(&self, charge: &GateCharge, options: SendOptions) -> Result<(), RefusalReason> {
        if let Some(reason) = self.barred(&self.meta_on(charge.route, options), options) {
            return Err(reason);
        }
        let check = |to: &Replica<E>| {
            to.stage.check_place()?;
            to.stage.check_budget(charge.class)
        };
        match &self.replicas {
            None => check(&self.entry),
            Some(replicas) => replicas.probe(|to| to.stage.present_hint(), check),
        }
    }

    /// Tries to reserve `n` places, without counting a refusal.
    fn try_reserve(&self, n: usize, meta: EventMeta) -> Result<Permits<E>, RefusalReason> {
        match self.barred(&meta, self.options) {
            Some(reason) => Err(reason),
            None => self.reserve_at_any(n, meta),
        }
    }

    fn reserve_at_any(&self, n: usize, meta: EventMeta) -> Result<Permits<E>, RefusalReason> {
        self.ask(|to| Permits::reserve(&to.stage, to.edge, n, meta.clone(), false))
    }

    /// Tries to send all events, without counting a refusal.
    fn attempt_all(&self, events: Vec<E>, meta: EventMeta) -> Result<(), (Vec<E>, RefusalReason)> {
        let mut permits = match self.try_reserve(events.len(), meta) {
            Ok(permits) => permits,
            Err(reason) => return Err((events, reason)),
        };
        match permits.charge_events(&events) {
            Ok(labels) => {
                permits.send_charged(events, labels);
                Ok(())
            }
            Err(reason) => {
                permits.put_back();
                Err((events, reason))
            }
        }
    }

    /// Tries to send one event, without counting a refusal.
    fn attempt(&self, event: E, meta: EventMeta) -> Result<(), (E, RefusalReason)> {
        if let Some(reason) = self.barred(&meta, self.options) {
            return Err((event, reason));
        }
        if self.replicas.is_none() {
            return self.entry.enter(event, meta).map_err(|back| (back.event, back.reason));
        }
        // The replica that is asked gets the event; one that refuses gives it back.
        let mut in_hand = Some((event, meta));
        let entered = self.ask(|replica| {
            let Some((event, meta)) = in_hand.take() else {
                debug_assert!(false, "a replica that took the event is the last one asked");
                return Ok(());
            };
            replica.enter(event, meta).map_err(|Rejected { event, meta, reason }| {
                in_hand = Some((event, meta));
                reason
            })
        });
        match (entered, in_hand) {
            (Err(reason), Some((event, _))) => Err((event, reason)),
            _ => Ok(()),
        }
    }

    /// Asks the stage; of several replicas one after the other, until one agrees.
    fn ask<R>(
        &self,
        mut attempt: impl FnMut(&Replica<E>) -> Result<R, RefusalReason>,
    ) -> Result<R, RefusalReason> {
        match &self.replicas {
            None => attempt(&self.entry),
            Some(replicas) => {
                let asked = replicas.ask(
                    &mut (),
                    |(), to| to.stage.present_hint(),
                    |(), to| self.ask_one(to, &mut attempt),
                );
                asked.1
            }
        }
    }

    /// Asks one of several replicas; a stuck one refuses.
    fn ask_one<R>(
        &self,
        to: &Replica<E>,
        attempt: impl FnOnce(&Replica<E>) -> Result<R, RefusalReason>,
    ) -> Result<R, RefusalReason> {
        if self.admission().is_stuck(to.stage.index) {
            return Err(RefusalReason::Stuck);
        }
        attempt(to)
    }

    /// Returns the reason to refuse an event before any queue is looked at.
    fn barred(&self, meta: &EventMeta, options: SendOptions) -> Option<RefusalReason> {
        if self.graph().is_draining() {
            Some(RefusalReason::Closed)
        } else if meta.is_expired(meta.birth) {
            Some(RefusalReason::Expired)
        } else if self.admission().meets_stuck(self.entry.stage.index, self.declared(options)) {
            Some(RefusalReason::Stuck)
        } else {
            None
        }
    }

    fn meta(&self, options: SendOptions) -> EventMeta {
        self.meta_on(self.route(options), options)
    }

    fn meta_on(&self, route: Option<RouteIndex>, options: SendOptions) -> EventMeta {
        let birth = self.graph().now();
        let class = self.class_of(options);
        let deadline = options.deadline.or_else(|| self.admission().deadline(route, class));
        EventMeta::new(birth, class, deadline.map_or(Time::NEVER, |after| birth.after(after)))
    }

    fn refuse<T>(&self, event: T, class: Class, reason: RefusalReason, n: usize) -> Refused<T> {
        Refused::new(event, self.refusal(class, reason, n))
    }

    /// Counts a refusal; of several replicas at the one that refuses on behalf of all. Threads that
    /// share this source may get each other's replica here.
    fn refusal(&self, class: Class, reason: RefusalReason, n: usize) -> Refusal {
        let at = self.replicas.as_ref().map_or(&self.entry, |replicas| replicas.refusing());
        at.stage.refuse(class, at.edge, reason, n)
    }
}

impl<E: Send + 'static> Replica<E> {
    /// Puts one event into the queue, if need be with the valve's help.
    fn enter(&self, event: E, meta: EventMeta) -> Result<(), Rejected<E>> {
        let label = match self.stage.charge_event(&event, meta.class, false) {
            Ok(label) => label,
            Err(reason) => return Err(Rejected { event, meta, reason }),
        };
        let entered = self.stage.enter(event, meta.labelled(label), self.edge);
        if entered.is_err() {
            self.stage.refund_event(label);
        }
        entered
    }
}

impl<E: Send + 'static> Clone for Replica<E> {
    fn clone(&self) -> Self {
        Self { stage: Arc::clone(&self.stage), edge: self.edge }
    }
}

impl<E: Send + 'static> Clone for Source<E> {
    fn clone(&self) -> Self {
        Self {
            entry: self.entry.clone(),
            replicas: self.replicas.clone(),
            ledger: Arc::clone(&self.ledger),
            options: self.options,
            keeps_visits: self.keeps_visits,
        }
    }
}

impl<E: Send + 'static> fmt::Debug for Source<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("stage", &self.stage()).finish_non_exhaustive()
    }
}
