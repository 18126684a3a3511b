//! The caller's end of a request made from inside the process.

use crate::event::LossReason;
use crate::event::request::Request;
use crate::event::request::responder::{Outcome, ReplyAddress, ReplySink};
use crate::platform::sync::Arc;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::time::Duration;
use thiserror::Error;

/// Why a [`ResponseReceiver`] gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Lost {
    /// The graph gave the request up.
    #[error("the request was lost: {0}")]
    Given(LossReason),
    /// No answer came in time; the request goes on until the ticket is dropped.
    #[error("no answer within the time given; wait again, or drop the ticket to abandon it")]
    TimedOut,
}

/// Waits for the answer to one request. Dropping it abandons the request.
#[must_use = "dropping the ticket abandons the request"]
#[derive(Debug)]
pub struct ResponseReceiver<R> {
    request: Arc<Request>,
    answer: Receiver<Outcome<R>>,
}

impl<R: Send + 'static> ResponseReceiver<R> {
    /// A ticket and the home whose only place it waits at.
    pub(crate) fn home() -> (Arc<dyn ReplySink<R>>, Receiver<Outcome<R>>) {
        let (sender, answer) = bounded(1);
        (Arc::new(OnePlace(sender)), answer)
    }

    pub(crate) fn new(request: Arc<Request>, answer: Receiver<Outcome<R>>) -> Self {
        Self { request, answer }
    }

    /// Blocks until the answer is there, for `limit` at most.
    ///
    /// # Errors
    /// [`Lost::Given`] if the graph gave the request up, [`Lost::TimedOut`] after `limit`.
    pub fn wait(&self, limit: Duration) -> Result<R, Lost> {
        match self.answer.recv_timeout(limit) {
            Ok(Outcome::Answered(answer)) => Ok(answer),
            Ok(Outcome::Lost(reason)) => Err(Lost::Given(reason)),
            Err(RecvTimeoutError::Timeout) => Err(Lost::TimedOut),
            Err(RecvTimeoutError::Disconnected) => Err(Lost::Given(LossReason::Forgotten)),
        }
    }

    /// The outcome if it is there already.
    pub fn try_take(&self) -> Option<Result<R, LossReason>> {
        match self.answer.try_recv().ok()? {
            Outcome::Answered(answer) => Some(Ok(answer)),
            Outcome::Lost(reason) => Some(Err(reason)),
        }
    }

    /// The request itself, for instance to abandon it early.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl<R> Drop for ResponseReceiver<R> {
    fn drop(&mut self) {
        self.request.abandon();
    }
}

/// A home with a single place.
struct OnePlace<R>(Sender<Outcome<R>>);

impl<R: Send> ReplySink<R> for OnePlace<R> {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<R>) {
        // The one place is free: a request has one outcome. A caller that has gone needs none.
        let _ = self.0.try_send(outcome);
    }
}
