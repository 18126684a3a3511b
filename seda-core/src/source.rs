//! The way into a graph from outside: a thread, a reactor, a test.

use crate::clock::{Clock, MonotonicClock, Time};
use crate::control::Arrival;
use crate::event::{Class, EventMeta};
use crate::permits::Permits;
use crate::refusal::{Refusal, RefusalReason, Refused};
use crate::request::{Address, Home, Request, RequestBook, Responder, Ticket};
use crate::stage::{Entry, StageCore};
use crate::sync::Arc;
use std::fmt;
use std::time::Duration;

/// What an event is given at the entry and hands down to everything it causes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Priority and share.
    pub class: Class,
    /// After how long the answer is worthless. `None`: never.
    pub deadline: Option<Duration>,
}

/// Sends events into one stage from outside the graph. Cheap to clone; clones share their
/// request ledger, so give each busy thread a source of its own ([`crate::Graph::source`]).
pub struct Source<E: Send + 'static> {
    stage: Arc<StageCore<E>>,
    edge: usize,
    book: Arc<RequestBook>,
    terms: Terms,
}

impl<E: Send + 'static> Source<E> {
    pub(crate) fn new(stage: Arc<StageCore<E>>, edge: usize) -> Self {
        let book = stage.graph.open_book();
        Self { stage, edge, book, terms: Terms::default() }
    }

    /// The same source with other terms.
    pub fn with_terms(&self, terms: Terms) -> Self {
        Self { terms, ..self.clone() }
    }

    /// The stage it sends into.
    pub fn stage(&self) -> &str {
        &self.stage.name
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

    /// Sends all of `events`, or none.
    ///
    /// # Errors
    /// All of the events and the reason.
    pub fn send_all(&self, events: Vec<E>) -> Result<(), Refused<Vec<E>>> {
        match self.reserve(events.len()) {
            Ok(mut permits) => {
                // As many places as events were reserved.
                permits.send_all(events);
                Ok(())
            }
            Err(refusal) => Err(Refused::new(events, refusal)),
        }
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
        let attempt = |events: Vec<E>| match self.try_reserve(n, self.meta(self.terms)) {
            Ok(mut permits) => {
                permits.send_all(events);
                Ok(())
            }
            Err(reason) => Err((events, reason)),
        };
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
            outcome = self.stage.graph.room.wait(left, || attempt(what));
        }
    }

    /// Reserves `n` places.
    ///
    /// # Errors
    /// Why they were not given; counted as `n` refused events.
    pub fn reserve(&self, n: usize) -> Result<Permits<E>, Refusal> {
        self.reserve_on(n, self.terms)
    }

    /// Admits a request whose answer comes back to a [`Ticket`]. `event` is made only if there
    /// is a place for it, around the responder it is given.
    ///
    /// # Errors
    /// Why the request was refused; no event was made.
    pub fn request<R: Send + 'static>(
        &self,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<Ticket<R>, Refusal> {
        let (home, answer) = Ticket::home();
        let request = self.request_to(home, Address::default(), self.terms, event)?;
        Ok(Ticket::new(request, answer))
    }

    /// Admits a request whose answer goes to `address` at `home`. `event` is made only if there
    /// is a place for it. Keep the returned request to [abandon](Request::abandon) it.
    ///
    /// # Errors
    /// Why the request was refused; no event was made, nothing is delivered.
    pub fn request_to<R: Send + 'static>(
        &self,
        home: Arc<dyn Home<R>>,
        address: Address,
        terms: Terms,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Result<Arc<Request>, Refusal> {
        let mut permits = self.reserve_on(1, terms)?;
        let meta = permits.meta_mut();
        let request = Request::admit(&self.book, meta.class, meta.birth);
        meta.request = Some(Arc::clone(&request));
        let event = event(Responder::new(Arc::clone(&request), home, address));
        // One place was reserved, so this is taken.
        let _ = permits.send(event);
        Ok(request)
    }

    fn reserve_on(&self, n: usize, terms: Terms) -> Result<Permits<E>, Refusal> {
        let meta = self.meta(terms);
        let class = meta.class;
        let reserved = self.try_reserve(n, meta);
        reserved.map_err(|reason| self.stage.refuse(class, self.edge, reason, n))
    }

    /// One try, without counting a refusal.
    fn try_reserve(&self, n: usize, meta: EventMeta) -> Result<Permits<E>, RefusalReason> {
        match self.barred(&meta) {
            Some(reason) => Err(reason),
            None => Permits::reserve(&self.stage, self.edge, n, meta, false),
        }
    }

    /// One try, without counting a refusal.
    fn attempt(&self, event: E, meta: EventMeta) -> Result<(), (E, RefusalReason)> {
        if let Some(reason) = self.barred(&meta) {
            return Err((event, reason));
        }
        let Err(Entry { event, meta, reason }) = self.stage.enter(event, meta, self.edge) else {
            return Ok(());
        };
        if reason != RefusalReason::Budget {
            return Err((event, reason));
        }
        // The place is held; the valve decides whether there is budget for it.
        let class = meta.class;
        let arrival = Arrival { stage: self.stage.index, class, fan_out: false };
        if !self.stage.graph.make_room(1, arrival) {
            self.stage.put_back(1);
            return Err((event, reason));
        }
        let enqueued = meta.birth;
        let envelope = crate::event::Envelope { event, meta, enqueued };
        self.stage.publish_one(envelope, self.edge, enqueued);
        Ok(())
    }

    /// What keeps an event out before any queue is looked at.
    fn barred(&self, meta: &EventMeta) -> Option<RefusalReason> {
        if self.stage.graph.is_draining() {
            Some(RefusalReason::Closed)
        } else if meta.is_expired(meta.birth) {
            Some(RefusalReason::Expired)
        } else {
            None
        }
    }

    fn meta(&self, terms: Terms) -> EventMeta {
        let graph = &self.stage.graph;
        let birth = graph.now();
        let deadline = terms.deadline.map_or(Time::NEVER, |deadline| birth.after(deadline));
        EventMeta::new(birth, terms.class.within(graph.classes()), deadline)
    }

    fn refuse<T>(&self, what: T, class: Class, reason: RefusalReason, n: usize) -> Refused<T> {
        Refused::new(what, self.stage.refuse(class, self.edge, reason, n))
    }
}

impl<E: Send + 'static> Clone for Source<E> {
    fn clone(&self) -> Self {
        Self {
            stage: Arc::clone(&self.stage),
            edge: self.edge,
            book: Arc::clone(&self.book),
            terms: self.terms,
        }
    }
}

impl<E: Send + 'static> fmt::Debug for Source<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("stage", &self.stage.name).finish_non_exhaustive()
    }
}
