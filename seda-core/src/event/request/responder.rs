//! The path of an answer from a handler back to its client.

use crate::event::request::Request;
use crate::event::{LossReason, current_loss_reason};
use crate::platform::sync::Arc;
use std::fmt;

/// The address of an answer within its [`ReplySink`].
///
/// A slot that is used again gets a new generation, so that a late answer cannot reach another
/// client. The sink chooses all three numbers; seda hands them back unchanged.
///
/// ```
/// let address = seda_core::ReplyAddress { slot: 3, generation: 1, sequence: 17 };
/// # let _ = address;
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReplyAddress {
    /// The client, for instance the index of its connection in the reactor's table.
    pub slot: u32,
    /// The number of clients that have used the slot before.
    pub generation: u32,
    /// The number of the request among those of the client.
    pub sequence: u64,
}

/// The outcome of a request.
#[derive(Debug)]
pub enum Outcome<R> {
    /// The answer.
    Answered(R),
    /// No answer will come, for this reason.
    Lost(LossReason),
}

/// Receives the answers to requests.
///
/// `deliver` runs on the thread that answers the request or gives it up, sometimes while that
/// thread unwinds: it must neither block nor panic. Space for the outcome has to be reserved before
/// the request is made.
///
/// ```
/// use seda_core::{Graph, ManualClock, Outcome, ReplyAddress, ReplySink, Responder, SendOptions};
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
///
/// /// Sums up all answers.
/// #[derive(Default)]
/// struct Sum(AtomicU64);
///
/// impl ReplySink<u64> for Sum {
///     fn deliver(&self, _address: ReplyAddress, outcome: Outcome<u64>) {
///         if let Outcome::Answered(n) = outcome {
///             self.0.fetch_add(n, Ordering::Relaxed);
///         }
///     }
/// }
///
/// let mut graph = Graph::new("squares");
/// let square = graph.stage::<(u64, Responder<u64>)>("square", 8);
/// graph.attach_each(square, |_wire| {
///     |(n, reply): (u64, Responder<u64>), _cx| reply.respond(n * n)
/// })?;
/// let squares = graph.source(square)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// let sum = Arc::new(Sum::default());
/// for (n, sequence) in [2, 3].into_iter().zip(0..) {
///     let address = ReplyAddress { sequence, ..ReplyAddress::default() };
///     squares.request_to(sum.clone(), address, SendOptions::default(), |reply| (n, reply))?;
/// }
/// graph.run_until_idle();
/// assert_eq!(sum.0.load(Ordering::Relaxed), 13);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ReplySink<R>: Send + Sync {
    /// Takes the outcome of the request that was admitted for `address`. It is called exactly once
    /// per request, and not at all for an abandoned one.
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<R>);
}

/// Answers one request. It lives inside the user's event. If it is dropped unanswered the request
/// is lost: the code that drops it sets the reason, and the client is told.
///
/// ```
/// use seda_core::{Graph, Lost, LossReason, ManualClock, Responder};
/// use std::{sync::Arc, time::Duration};
///
/// struct Question { n: u64, reply: Responder<u64> }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("halves");
/// let halve = graph.stage::<Question>("halve", 8);
/// graph.attach_each(halve, |_wire| {
///     |Question { n, reply }, _cx| {
///         // The responder of an odd number is dropped: the request is lost, its client told.
///         if n % 2 == 0 {
///             reply.respond(n / 2);
///         }
///     }
/// })?;
/// let questions = graph.source(halve)?;
/// let mut graph = graph.start_manual(Arc::new(ManualClock::new()))?;
/// let even = questions.request(|reply| Question { n: 8, reply })?;
/// let odd = questions.request(|reply| Question { n: 9, reply })?;
/// graph.run_until_idle();
/// assert_eq!(even.wait(Duration::ZERO), Ok(4));
/// assert_eq!(odd.wait(Duration::ZERO), Err(Lost::Given(LossReason::Forgotten)));
/// # Ok(())
/// # }
/// ```
#[must_use = "the request of a dropped responder is lost"]
pub struct Responder<R> {
    request: Arc<Request>,
    sink: Arc<dyn ReplySink<R>>,
    address: ReplyAddress,
}

impl<R> Responder<R> {
    pub(crate) fn new(
        request: Arc<Request>,
        sink: Arc<dyn ReplySink<R>>,
        address: ReplyAddress,
    ) -> Self {
        Self { request, sink, address }
    }

    /// Sends the answer to the client. It cannot fail: admission, expiry and the valve do not apply
    /// to answers. If the client has gone, the answer is dropped.
    pub fn respond(self, answer: R) {
        if self.request.answered() {
            self.sink.deliver(self.address, Outcome::Answered(answer));
        }
    }

    /// Returns whether the client has gone, so that a long handler can stop.
    pub fn is_abandoned(&self) -> bool {
        self.request.is_abandoned()
    }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        // After `respond` the request is resolved, and this changes nothing.
        let reason = current_loss_reason();
        if self.request.lost(reason) {
            self.sink.deliver(self.address, Outcome::Lost(reason));
        }
    }
}

impl<R> fmt::Debug for Responder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("address", &self.address).finish_non_exhaustive()
    }
}
