//! The future of an answer from a stage.

use crate::slot::Slot;
use seda_core::{LossReason, RefusalReason, ReplyAddress, Request, Responder, SendOptions, Source};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use thiserror::Error;

/// Why a stage gave no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum StageError {
    /// The request did not enter the graph; try again later.
    #[error("the stage refused the request: {0}")]
    Refused(RefusalReason),
    /// The request entered, and was given up.
    #[error("the request was lost: {0}")]
    Lost(LossReason),
}

/// The answer of a stage to one request. Dropping it abandons the request: an event that has not
/// begun does not begin, and a handler that runs can ask.
#[must_use = "dropping the answer abandons the request"]
pub struct Answer<R> {
    state: State<R>,
}

enum State<R> {
    Refused(RefusalReason),
    Asked(Asked<R>),
    Ended,
}

/// A request that entered the graph.
struct Asked<R> {
    slot: Arc<Slot<Result<R, LossReason>>>,
    request: Arc<Request>,
}

impl<R: Send + 'static> Answer<R> {
    /// Sends the request that `event` makes into a stage.
    pub(super) fn ask<E: Send + 'static>(
        source: &Source<E>,
        options: SendOptions,
        event: impl FnOnce(Responder<R>) -> E,
    ) -> Self {
        let slot = Arc::new(Slot::new());
        let home = Arc::clone(&slot) as _;
        let state = match source.request_to(home, ReplyAddress::default(), options, event) {
            Ok(request) => State::Asked(Asked { slot, request }),
            Err(refusal) => State::Refused(refusal.reason()),
        };
        Self { state }
    }
}

impl<R> Future for Answer<R> {
    type Output = Result<R, StageError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let result = match &self.state {
            State::Refused(reason) => Err(StageError::Refused(*reason)),
            State::Asked(asked) => match asked.slot.poll(cx) {
                Poll::Ready(result) => result.map_err(StageError::Lost),
                Poll::Pending => return Poll::Pending,
            },
            // Polled after its end.
            State::Ended => return Poll::Pending,
        };
        self.state = State::Ended;
        Poll::Ready(result)
    }
}

// The value of a slot is not pinned.
impl<R> Unpin for Answer<R> {}

impl<R> Drop for Asked<R> {
    fn drop(&mut self) {
        // Of an answered request this changes nothing.
        self.request.abandon();
        drop(self.slot.close());
    }
}

impl<R> fmt::Debug for Answer<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").finish_non_exhaustive()
    }
}
