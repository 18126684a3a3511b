//! A request in the queue of the layer: the event, the place that it is given, and the wait for it.

use crate::slot::Slot;
use seda_core::{
    Context, LossReason, Outcome, Pending, ReplyAddress, ReplySink, Request, Responder, Time,
};
use std::sync::Arc;
use std::task::{self, Poll};

/// The event of the admission stage. The request itself stays in its future.
pub(super) struct Entry {
    pub(super) slot: Arc<GrantSlot>,
    pub(super) reply: Responder<()>,
}

/// Where a future waits for its place.
pub(super) type GrantSlot = Slot<Result<Grant, LossReason>>;

/// A place among those that run.
pub(crate) struct Grant {
    pub(super) pending: Pending,
    pub(super) reply: Responder<()>,
    /// When it was given.
    pub(super) at: Time,
}

impl Entry {
    /// Gives the event in hand a place outside, and the place to the future that waits.
    pub(super) fn grant(self, cx: &mut Context) {
        let at = cx.now();
        // Without a place the entry is dropped, and its future is told.
        let Ok(pending) = cx.defer() else { return };
        let grant = Grant { pending, reply: self.reply, at };
        // The future was dropped meanwhile: so is the place.
        drop(self.slot.fill(Ok(grant)));
    }
}

/// A loss before the place was given. After that the future has the responder, and is told nothing.
impl ReplySink<()> for GrantSlot {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<()>) {
        if let Outcome::Lost(reason) = outcome {
            drop(self.fill(Err(reason)));
        }
    }
}

/// The wait of one request for its place. Dropping it abandons the request.
#[derive(Debug)]
pub(super) struct GrantReceiver {
    slot: Arc<GrantSlot>,
    request: Arc<Request>,
    is_over: bool,
}

impl GrantReceiver {
    pub(super) fn new(slot: Arc<GrantSlot>, request: Arc<Request>) -> Self {
        Self { slot, request, is_over: false }
    }

    pub(super) fn request(&self) -> &Arc<Request> {
        &self.request
    }

    /// Returns the place, or the reason why there will be none.
    pub(super) fn poll(&mut self, cx: &task::Context<'_>) -> Poll<Result<Grant, LossReason>> {
        let polled = self.slot.poll(cx);
        self.is_over = polled.is_ready();
        polled
    }
}

impl Drop for GrantReceiver {
    fn drop(&mut self) {
        if !self.is_over {
            // First the request: a worker that takes its event from now on does not begin it.
            self.request.abandon();
            drop(self.slot.close());
        }
    }
}
