//! The receiver of the answer to a request made inside the process.

use crate::event::LossReason;
use crate::event::request::Request;
use crate::event::request::responder::{Outcome, ReplyAddress, ReplySink};
use crate::platform::sync::Arc;
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use std::time::Duration;
use thiserror::Error;

/// Why [`ResponseReceiver::wait`] returned no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Lost {
    /// The graph gave the request up.
    #[error("the request was lost: {0}")]
    Given(LossReason),
    /// No answer came in time; the request goes on until the receiver is dropped.
    #[error("no answer within the time given; wait again, or drop the receiver")]
    TimedOut,
}

/// Waits for the answer to one request. Dropping it abandons the request.
///
/// ```
/// use seda_core::{Graph, Lost, Responder};
/// use std::time::Duration;
///
/// let mut graph = Graph::new("squares");
/// let square = graph.stage::<(u64, Responder<u64>)>("square", 8);
/// graph.attach_each(square, |_wire| {
///     |(n, reply): (u64, Responder<u64>), _cx| reply.respond(n * n)
/// })?;
/// let squares = graph.source(square)?;
/// let running = graph.start()?;
/// match squares.request(|reply| (3, reply))?.wait(Duration::from_secs(10)) {
///     Ok(answer) => assert_eq!(answer, 9),
///     Err(Lost::TimedOut) => eprintln!("still under way: now abandoned"),
///     Err(lost) => eprintln!("{lost}"),
/// }
/// running.drain(Duration::from_secs(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "dropping the receiver abandons the request"]
#[derive(Debug)]
pub struct ResponseReceiver<R> {
    request: Arc<Request>,
    answer: Receiver<Outcome<R>>,
}

impl<R: Send + 'static> ResponseReceiver<R> {
    /// Returns a sink for a single outcome, and the channel on which it arrives.
    pub(crate) fn channel() -> (Arc<dyn ReplySink<R>>, Receiver<Outcome<R>>) {
        let (sender, answer) = bounded(1);
        (Arc::new(OneOutcome(sender)), answer)
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

    /// Returns the outcome; `None` if it is not there yet, or was taken before.
    pub fn try_take(&self) -> Option<Result<R, LossReason>> {
        match self.answer.try_recv().ok()? {
            Outcome::Answered(answer) => Some(Ok(answer)),
            Outcome::Lost(reason) => Some(Err(reason)),
        }
    }

    /// Returns the request, for instance to abandon it early.
    pub fn request(&self) -> &Request {
        &self.request
    }
}

impl<R> Drop for ResponseReceiver<R> {
    fn drop(&mut self) {
        self.request.abandon();
    }
}

/// The reply sink of a single request.
struct OneOutcome<R>(Sender<Outcome<R>>);

impl<R: Send> ReplySink<R> for OneOutcome<R> {
    fn deliver(&self, _address: ReplyAddress, outcome: Outcome<R>) {
        // The channel has room, because a request has one outcome. A dropped receiver needs none.
        let _ = self.0.try_send(outcome);
    }
}
