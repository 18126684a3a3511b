//! The requests in flight on one connection. Answers may come in any order; they go out in the
//! order of their requests.

use super::Codec;
use seda_core::Request;
use std::collections::VecDeque;
use std::sync::Arc;

/// A queue of exchanges, oldest first.
pub(super) struct Pipeline<P: Codec> {
    slots: VecDeque<Slot<P>>,
    /// The sequence number of the oldest.
    first: u64,
    /// How many wait for their answer.
    awaited: usize,
}

/// One exchange.
enum Slot<P: Codec> {
    Awaited(P::Exchange, Option<Arc<Request>>),
    Answered(P::Response, P::Exchange),
    Interim(&'static [u8]),
}

/// What goes out next.
pub(super) enum Next<P: Codec> {
    Answer(P::Response, P::Exchange),
    Interim(&'static [u8]),
}

impl<P: Codec> Pipeline<P> {
    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), first: 0, awaited: 0 }
    }

    /// The number of the exchange that is pushed next.
    pub(super) fn next_sequence(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether somebody works on an answer.
    pub(super) fn awaits(&self) -> bool {
        self.awaited > 0
    }

    /// A request without an answer yet; `request` is kept to abandon it.
    pub(super) fn push_awaited(&mut self, exchange: P::Exchange, request: Option<Arc<Request>>) {
        self.awaited += 1;
        self.slots.push_back(Slot::Awaited(exchange, request));
    }

    pub(super) fn push_answered(&mut self, response: P::Response, exchange: P::Exchange) {
        self.slots.push_back(Slot::Answered(response, exchange));
    }

    pub(super) fn push_interim(&mut self, bytes: &'static [u8]) {
        self.slots.push_back(Slot::Interim(bytes));
    }

    /// Puts an answer in its place; false if that place waits for none.
    pub(super) fn answer(&mut self, sequence: u64, response: P::Response) -> bool {
        let place = sequence.checked_sub(self.first).and_then(|place| usize::try_from(place).ok());
        let Some(slot) = place.and_then(|place| self.slots.get_mut(place)) else { return false };
        let Slot::Awaited(exchange, _) = *slot else { return false };
        *slot = Slot::Answered(response, exchange);
        self.awaited -= 1;
        true
    }

    /// Takes the oldest exchange out, if its answer is there.
    pub(super) fn take_next(&mut self) -> Option<Next<P>> {
        if matches!(self.slots.front()?, Slot::Awaited(..)) {
            return None;
        }
        let slot = self.slots.pop_front()?;
        self.first += 1;
        match slot {
            Slot::Answered(response, exchange) => Some(Next::Answer(response, exchange)),
            Slot::Interim(bytes) => Some(Next::Interim(bytes)),
            Slot::Awaited(..) => None,
        }
    }

    /// Nobody waits for these answers any more.
    pub(super) fn abandon(&mut self) {
        for slot in self.slots.drain(..) {
            if let Slot::Awaited(_, Some(request)) = slot {
                request.abandon();
            }
        }
        self.awaited = 0;
    }

    /// Answers by `make` whatever still waits; what the graph still does for it is abandoned.
    pub(super) fn answer_all(&mut self, mut make: impl FnMut() -> P::Response) {
        for slot in &mut self.slots {
            if let Slot::Awaited(exchange, request) = slot {
                if let Some(request) = request {
                    request.abandon();
                }
                *slot = Slot::Answered(make(), *exchange);
            }
        }
        self.awaited = 0;
    }
}
