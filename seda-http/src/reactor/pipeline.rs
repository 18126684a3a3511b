//! The requests in flight on one connection. Responses may come in any order and go out in the
//! order of their requests.

use super::Codec;
use seda_core::Request;
use std::collections::VecDeque;
use std::sync::Arc;

/// A queue of exchanges, oldest first.
pub(super) struct Pipeline<C: Codec> {
    slots: VecDeque<Slot<C>>,
    /// The sequence number of the oldest exchange.
    first: u64,
    /// The number of exchanges without a response.
    pending: usize,
}

/// One exchange.
enum Slot<C: Codec> {
    /// The response is not here yet. The request is kept to abandon it.
    Pending(C::Exchange, Option<Arc<Request>>),
    Answered(C::Response, C::Exchange),
    Interim(&'static [u8]),
    /// The place of an interim response that the program may ask for before the response behind it.
    Withheld,
}

impl<C: Codec> Slot<C> {
    /// Replaces an exchange without a response by the result of `make`. Returns false if the slot
    /// has none.
    fn settle(&mut self, make: impl FnOnce(C::Exchange, Option<Arc<Request>>) -> Self) -> bool {
        match std::mem::replace(self, Slot::Withheld) {
            Slot::Pending(exchange, request) => {
                *self = make(exchange, request);
                true
            }
            other => {
                *self = other;
                false
            }
        }
    }
}

/// The bytes that go out next.
pub(super) enum Next<C: Codec> {
    Response(C::Response, C::Exchange),
    Interim(&'static [u8]),
}

impl<C: Codec> Pipeline<C> {
    pub(super) fn new() -> Self {
        Self { slots: VecDeque::new(), first: 0, pending: 0 }
    }

    /// Returns the sequence number of the exchange that is pushed next.
    pub(super) fn next_sequence(&self) -> u64 {
        self.first + self.slots.len() as u64
    }

    /// Returns true if this is the sequence number of the oldest exchange.
    pub(super) fn is_first(&self, sequence: u64) -> bool {
        self.first == sequence
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Returns true if an exchange waits for its response.
    pub(super) fn has_pending(&self) -> bool {
        self.pending > 0
    }

    /// Adds an exchange without a response; `request` is kept to abandon it.
    pub(super) fn push_pending(&mut self, exchange: C::Exchange, request: Option<Arc<Request>>) {
        self.pending += 1;
        self.slots.push_back(Slot::Pending(exchange, request));
    }

    pub(super) fn push_answered(&mut self, response: C::Response, exchange: C::Exchange) {
        self.slots.push_back(Slot::Answered(response, exchange));
    }

    pub(super) fn push_interim(&mut self, bytes: &'static [u8]) {
        self.slots.push_back(Slot::Interim(bytes));
    }

    /// Keeps a place for an interim response to the request that is pushed next.
    pub(super) fn push_withheld(&mut self) {
        self.slots.push_back(Slot::Withheld);
    }

    /// Puts an interim response into its place, unless the response is on its way.
    pub(super) fn release_withheld(&mut self, bytes: &'static [u8]) {
        if let Some(slot) = self.slots.iter_mut().rfind(|it| matches!(it, Slot::Withheld)) {
            *slot = Slot::Interim(bytes);
        }
    }

    /// Gives up the place of an interim response if the response behind it is here.
    pub(super) fn skip_withheld(&mut self) {
        if matches!(self.slots.front(), Some(Slot::Withheld))
            && matches!(self.slots.get(1), Some(Slot::Answered(..)))
        {
            self.slots.pop_front();
            self.first += 1;
        }
    }

    /// Responds to the last request in flight instead of the program, which has not; its request is
    /// abandoned. A response of the program stands, and becomes the last.
    pub(super) fn end_with(&mut self, response: C::Response) {
        let Some(slot) = self.slots.back_mut() else { return };
        *slot = match std::mem::replace(slot, Slot::Withheld) {
            Slot::Answered(response, exchange) => Slot::Answered(response, C::make_last(exchange)),
            Slot::Pending(exchange, request) => {
                self.pending -= 1;
                if let Some(request) = request {
                    request.abandon();
                }
                Slot::Answered(response, C::make_last(exchange))
            }
            other => other,
        };
    }

    /// Puts a response into its slot. Returns false if that slot waits for none: it has a response
    /// already, or is gone.
    pub(super) fn answer(&mut self, sequence: u64, response: C::Response) -> bool {
        let offset = sequence.checked_sub(self.first).and_then(|it| usize::try_from(it).ok());
        let Some(slot) = offset.and_then(|offset| self.slots.get_mut(offset)) else { return false };
        if !slot.settle(|exchange, _| Slot::Answered(response, exchange)) {
            return false;
        }
        self.pending -= 1;
        true
    }

    /// Removes the oldest exchange; `None` if there is none or its response is not here yet.
    pub(super) fn take_next(&mut self) -> Option<Next<C>> {
        if matches!(self.slots.front()?, Slot::Pending(..) | Slot::Withheld) {
            return None;
        }
        let slot = self.slots.pop_front()?;
        self.first += 1;
        match slot {
            Slot::Answered(response, exchange) => Some(Next::Response(response, exchange)),
            Slot::Interim(bytes) => Some(Next::Interim(bytes)),
            Slot::Pending(..) | Slot::Withheld => {
                debug_assert!(false, "the oldest exchange has its response");
                None
            }
        }
    }

    /// Drops all exchanges. The graph does not begin requests that are abandoned.
    pub(super) fn abandon(&mut self) {
        for slot in self.slots.drain(..) {
            if let Slot::Pending(_, Some(request)) = slot {
                request.abandon();
            }
        }
        self.pending = 0;
    }

    /// Gives `make()` to every exchange without a response, and abandons its request.
    pub(super) fn answer_all(&mut self, mut make: impl FnMut() -> C::Response) {
        for slot in &mut self.slots {
            slot.settle(|exchange, request| {
                if let Some(request) = request {
                    request.abandon();
                }
                Slot::Answered(make(), exchange)
            });
        }
        self.pending = 0;
    }
}
