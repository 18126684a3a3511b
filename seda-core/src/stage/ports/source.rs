//! The way into a graph from outside: a thread, a reactor, a test.

use crate::config::Class;
use crate::event::request::{
    ReplyAddress, ReplySink, Request, RequestLedger, Responder, ResponseReceiver,
};
use crate::event::{EventMeta, Refusal, RefusalReason, Refused, give_up};
use crate::gate::{Admission, GateCharge, Route, RouteIndex};
use crate::platform::sync::Arc;
use crate::platform::{Clock, MonotonicClock, Time};
use crate::stage::ports::permits::Permits;
use crate::stage::replicas::ReplicaSet;
use crate::stage::valve::Incoming;
use crate::stage::{Entry, StageCore};
use std::fmt;
use std::time::Duration;

/// What an event is given at the entry and hands down to everything it causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions {
    /// Priority and share.
    pub class: Class,
    /// After how long the answer is worthless. `None`: as the SLO says, else never.
    pub deadline: Option<Duration>,
    /// Which stages a request is going to visit, beside the one where it enters. `None`, or a
    /// route of another graph: not known.
    pub route: Option<Route>,
    /// What a request will cost the stages that it visits, in a unit of your own that all requests
    /// for a stage share: microseconds, tokens, rows. What a unit takes is measured. A stage whose
    /// requests declare it is bounded by what they cost together instead of how many they are, so
    /// that cheap ones are let in where a dear one has no room. 0 counts as 1. `None`: not known;
    /// where routes of a graph meet in a stage and one takes twice as long as another, each request
    /// then counts as what its route was measured to take.
    pub cost: Option<u32>,
}

/// Sends events into one stage from outside the graph. Cheap to clone; clones share their
/// request ledger, so give each busy thread a source of its own ([`crate::graph::Graph::source`]).
pub struct Source<E: Send + 'static> {
    way: Replica<E>,
    /// To the replicas, if it leads to several; the way above is then the first of them.
    ways: Option<Box<ReplicaSet<Replica<E>>>>,
    book: Arc<RequestLedger>,
    terms: SendOptions,
}

/// A way from outside into one stage, with the edge's number among those into it.
pub(crate) struct Replica<E: Send + 'static> {
    pub(crate) stage: Arc<StageCore<E>>,
    pub(crate) edge: usize,
}

impl<E: Send + 'static> Source<E> {
    pub(crate) fn new(way: Replica<E>, ways: Option<Box<ReplicaSet<Replica<E>>>>) -> Self {
        let book = way.stage.graph.open_book();
        Self { way, ways, book, terms: SendOptions::default() }
    }

    /// The same source with other terms.
    pub fn with_terms(&self, terms: SendOptions) -> Self {
        Self { terms, ..self.clone() }
    }

    /// The stage it sends into.
    pub fn stage(&self) -> &str {
        self.ways.as_ref().map_or(&self.way.stage.name, |ways| ways.name())
    }

    /// The shortest of the response times that the graph promises now, of all classes; `None` if
    /// nothing is promised, or nobody sees to it.
    pub fn promised(&self) -> Option<Duration> {
        self.admission().shortest_slo()
    }

    /// Sends one event; never blocks.
    ///
    /// # Errors
    /// The event and the reason why it was not taken.
    pub fn send(&self, event: E) -> Result<(), Refused<E>> {
        let meta = self.meta(self.terms);
        let class = meta.class;
        self.attempt(event, meta).map_err(|(event, reason)| self.refuse(event, class, reason, 1))
    }

    /// Sends all of `events`, or none; to one and the same replica, if there are several.
    ///
    /// # Errors
    /// All of the events and the reason.
    pub fn send_all(&self, events: Vec<E>) -> Result<(), Refused<Vec<E>>> {
        let (meta, n) = (self.meta(self.terms), events.len());
        let class = meta.class;
        self.attempt_all(events, meta)
            .map_err(|(events, reason)| self.refuse(events, class, reason, n))
    }

    /// Sends one event and waits for room, for `limit` at most. Blocks the calling thread, so it
    /// is for threads outside the graph: a handler that called it would hold up its own pool.
    ///
    /// # Errors
    /// The event and the last reason; at once if no waiting helps.
    pub fn send_within(&self, event: E, limit: Duration) -> Result<(), Refused<E>> {
        let class = self.meta(self.terms).class;
        let attempt = |event| self.attempt(event, self.meta(self.terms));
        self.keep_trying(event, limit, attempt)
            .map_err(|(event, reason)| self.refuse(event, class, reason, 1))
    }

    /// Sends all of `events` or none, and waits for room, for `limit` at most; see
    /// [`Source::send_within`].
    ///
    /// # Errors
    /// All of the events and the last reason.
    pub fn send_all_within(&self, events: Vec<E>, limit: Duration) -> Result<(), Refused<Vec<E>>> {
        let (class, n) = (self.meta(self.terms).class, events.len());
        let attempt = |events| self.attempt_all(events, self.meta(self.terms));
        self.keep_trying(events, limit, attempt)
            .map_err(|(events, reason)| self.refuse(events, class, reason, n))
    }

    /// Attempts until it is done, no waiting helps, or `limit` has passed.
    fn keep_trying<T>(
        &self,
        what: T,
        limit: Duration,
        attempt: impl Fn(T) -> Result<(), (T, RefusalReason)>,
    ) -> Result<(), (T, RefusalReason)> {
        let clock = MonotonicClock::new();
        let mut outcome = attempt(what);
        loop {
            let Err((what, reason)) = outcome else {
                return Ok(());
            };
            let left = limit.saturating_sub(clock.now().since(Time::ZERO));
            if left.is_zero() || !reason.is_transient() {
                return Err((what, reason));
            }
            outcome = self.way.stage.graph.room.wait(left, || attempt(what));
        }
    }

    /// Reserves `n` places; at one and the same replica, if there are several.
    ///
    /// # Errors
    /// Why they were not given; counted as `n` refused events.
    pub fn reserve(&self, n: usize) -> Result<Permits<E>, Refusal> {
        self.reserve_on(n, self.terms)
    }

    /// Admits a request whose answer comes back to a [`ResponseReceiver`]. `event` is made only if there
    /// is a place for it, around the responder it is given.
    ///
    /// # Errors
    /// Why the request was refused; no event was made.
    pub fn request<R: Send + 'static>(
        &self,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<ResponseReceiver<R>, Refusal> {
        let (home, answer) = ResponseReceiver::channel();
        let request = self.request_to(home, ReplyAddress::default(), self.terms, event)?;
        Ok(ResponseReceiver::new(request, answer))
    }

    /// Admits a request whose answer goes to `address` at `home`. `event` is made only if there
    /// is a place for it. Keep the returned request to [abandon](Request::abandon) it.
    ///
    /// # Errors
    /// Why the request was refused; no event was made, nothing is delivered. An event that turns
    /// out to weigh more than the graph has bytes for is no error here: its request was admitted,
    /// and is lost with the reason [`crate::event::LossReason::Refused`].
    pub fn request_to<R: Send + 'static>(
        &self,
        home: Arc<dyn ReplySink<R>>,
        address: ReplyAddress,
        terms: SendOptions,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<Arc<Request>, Refusal> {
        let passage = self.passage(terms);
        let mut permits = self.pass_gates(&passage, terms)?;
        let meta = permits.meta_mut();
        let request = Request::admit(&self.book, meta.birth, passage);
        meta.request = Some(Arc::clone(&request));
        let event = event(Responder::new(Arc::clone(&request), home, address));
        // One place was reserved, so this is taken, unless the event turns out too heavy: then
        // its responder has told its home.
        if let Err(refused) = permits.send(event) {
            give_up(refused);
        }
        Ok(request)
    }

    fn admission(&self) -> &Admission {
        &self.way.stage.graph.admission
    }

    /// What a request will count as at the gates of the stages that it is going to visit.
    fn passage(&self, terms: SendOptions) -> GateCharge {
        let graph = &self.way.stage.graph;
        self.admission().charge(self.route(terms), terms.class.within(graph.classes()), terms.cost)
    }

    fn route(&self, terms: SendOptions) -> Option<RouteIndex> {
        let declared = terms.route.filter(|route| route.graph == self.way.stage.graph.id);
        self.admission().route(self.way.stage.index, declared)
    }

    /// Passes the gates on the request's route and reserves its place at the entry.
    fn pass_gates(&self, passage: &GateCharge, terms: SendOptions) -> Result<Permits<E>, Refusal> {
        let graph = &self.way.stage.graph;
        let refused = match self.admission().enter(passage, &[], || graph.now()) {
            Ok(()) => {
                let reserved = self.reserve_behind(passage, terms);
                return reserved.inspect_err(|_| self.admission().leave(passage));
            }
            Err(shut) if !graph.may_preempt(passage.class) => shut,
            Err(_) => {
                // First the place: nobody gives way for whom the entry would refuse.
                let permits = self.reserve_behind(passage, terms)?;
                match graph.preempt(passage) {
                    Ok(()) => return Ok(permits),
                    Err(shut) => shut,
                }
            }
        };
        self.admission().turn_away(passage, refused);
        Err(self.refusal(passage.class, RefusalReason::Admission, 1))
    }

    /// The place at the entry of a request that has passed the gates: where the entry's was among
    /// them, it is not asked a second time.
    fn reserve_behind(
        &self,
        passage: &GateCharge,
        terms: SendOptions,
    ) -> Result<Permits<E>, Refusal> {
        let meta = self.meta_on(passage.route, terms);
        let counted = self.admission().gate_on(passage, self.way.stage.index).is_some();
        let reserved = match self.barred(&meta) {
            Some(reason) => Err(reason),
            None if !counted => self.try_reserve(1, meta),
            None => self.ask(|way| Permits::reserve_counted(&way.stage, way.edge, meta.clone())),
        };
        reserved.map_err(|reason| self.refusal(passage.class, reason, 1))
    }

    fn reserve_on(&self, n: usize, terms: SendOptions) -> Result<Permits<E>, Refusal> {
        let meta = self.meta(terms);
        let class = meta.class;
        let reserved = self.try_reserve(n, meta);
        reserved.map_err(|reason| self.refusal(class, reason, n))
    }

    /// One try, without counting a refusal.
    fn try_reserve(&self, n: usize, meta: EventMeta) -> Result<Permits<E>, RefusalReason> {
        match self.barred(&meta) {
            Some(reason) => Err(reason),
            None => self.ask(|way| Permits::reserve(&way.stage, way.edge, n, meta.clone(), false)),
        }
    }

    /// One try to send all, without counting a refusal.
    fn attempt_all(&self, events: Vec<E>, meta: EventMeta) -> Result<(), (Vec<E>, RefusalReason)> {
        let mut permits = match self.try_reserve(events.len(), meta) {
            Ok(permits) => permits,
            Err(reason) => return Err((events, reason)),
        };
        match permits.check_all_in(&events) {
            Ok(labels) => {
                permits.send_checked_in(events, labels);
                Ok(())
            }
            Err(reason) => {
                permits.put_back();
                Err((events, reason))
            }
        }
    }

    /// One try, without counting a refusal.
    fn attempt(&self, event: E, meta: EventMeta) -> Result<(), (E, RefusalReason)> {
        if let Some(reason) = self.barred(&meta) {
            return Err((event, reason));
        }
        if self.ways.is_none() {
            return self.way.enter(event, meta).map_err(|entry| (entry.event, entry.reason));
        }
        let mut held = Some((event, meta));
        let entered =
            self.ask(|way| match held.take().map(|(event, meta)| way.enter(event, meta)) {
                Some(Err(Entry { event, meta, reason })) => {
                    held = Some((event, meta));
                    Err(reason)
                }
                Some(Ok(())) | None => Ok(()),
            });
        match (entered, held) {
            (Err(reason), Some((event, _))) => Err((event, reason)),
            _ => Ok(()),
        }
    }

    /// Asks the stage; of several replicas one after the other, until one agrees.
    fn ask<R>(
        &self,
        mut attempt: impl FnMut(&Replica<E>) -> Result<R, RefusalReason>,
    ) -> Result<R, RefusalReason> {
        match &self.ways {
            None => attempt(&self.way),
            Some(ways) => {
                ways.ask(&mut (), |(), way| way.stage.present_hint(), |(), way| attempt(way)).1
            }
        }
    }

    /// What keeps an event out before any queue is looked at.
    fn barred(&self, meta: &EventMeta) -> Option<RefusalReason> {
        if self.way.stage.graph.is_draining() {
            Some(RefusalReason::Closed)
        } else if meta.is_expired(meta.birth) {
            Some(RefusalReason::Expired)
        } else {
            None
        }
    }

    fn meta(&self, terms: SendOptions) -> EventMeta {
        self.meta_on(self.route(terms), terms)
    }

    fn meta_on(&self, route: Option<RouteIndex>, terms: SendOptions) -> EventMeta {
        let graph = &self.way.stage.graph;
        let birth = graph.now();
        let class = terms.class.within(graph.classes());
        let promised = || graph.admission.deadline(route, class);
        let deadline = terms.deadline.or_else(promised);
        EventMeta::new(birth, class, deadline.map_or(Time::NEVER, |after| birth.after(after)))
    }

    fn refuse<T>(&self, what: T, class: Class, reason: RefusalReason, n: usize) -> Refused<T> {
        Refused::new(what, self.refusal(class, reason, n))
    }

    /// Counts a refusal: of several replicas at the one that refused last in the name of all. With
    /// threads that share this source it may be another one's.
    fn refusal(&self, class: Class, reason: RefusalReason, n: usize) -> Refusal {
        let way = self.ways.as_ref().map_or(&self.way, |ways| ways.refusing());
        way.stage.refuse(class, way.edge, reason, n)
    }
}

impl<E: Send + 'static> Replica<E> {
    /// Puts one event into the queue, if need be with the valve's help.
    fn enter(&self, event: E, meta: EventMeta) -> Result<(), Entry<E>> {
        let label = match self.stage.charge_event(&event, meta.class, false) {
            Ok(label) => label,
            Err(reason) => return Err(Entry { event, meta, reason }),
        };
        let entered = self.enter_checked_in(event, meta.labelled(label));
        if entered.is_err() {
            self.stage.refund_event(label);
        }
        entered
    }

    fn enter_checked_in(&self, event: E, meta: EventMeta) -> Result<(), Entry<E>> {
        let Err(entry) = self.stage.enter(event, meta, self.edge) else {
            return Ok(());
        };
        if entry.reason != RefusalReason::Budget {
            return Err(entry);
        }
        // The place is held; the valve decides whether there is budget for it.
        let class = entry.meta.class;
        let arrival = Incoming { stage: self.stage.index, class, fan_out: false };
        if !self.stage.graph.make_room(1, arrival) {
            self.stage.put_back(1);
            return Err(entry);
        }
        let Entry { event, meta, .. } = entry;
        let enqueued = meta.birth;
        let envelope = crate::event::Envelope { event, meta, enqueued };
        self.stage.publish_one(envelope, self.edge, enqueued);
        Ok(())
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
            way: self.way.clone(),
            ways: self.ways.clone(),
            book: Arc::clone(&self.book),
            terms: self.terms,
        }
    }
}

impl<E: Send + 'static> fmt::Debug for Source<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("stage", &self.stage()).finish_non_exhaustive()
    }
}
