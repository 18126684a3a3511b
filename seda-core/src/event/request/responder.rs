//! The way home of an answer.

use crate::event::request::Request;
use crate::event::{LossReason, current_loss_reason};
use crate::platform::sync::Arc;
use std::fmt;

/// Which place at its home an answer belongs to.
///
/// A place that is used again gets a new generation, so that a late answer cannot be delivered
/// to a stranger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReplyAddress {
    /// The holder, for instance a connection's place in its reactor's table.
    pub slot: u32,
    /// How often that place had been used before.
    pub generation: u32,
    /// Which of the holder's requests.
    pub sequence: u64,
}

/// How a request ended.
#[derive(Debug)]
pub enum Outcome<R> {
    /// The answer.
    Answered(R),
    /// No answer will come.
    Lost(LossReason),
}

/// Where answers arrive.
///
/// `deliver` runs on the thread that answers or gives up, sometimes while it unwinds: it must
/// neither block nor panic. The place was reserved when the request was admitted, so there is
/// room for every outcome.
pub trait ReplySink<R>: Send + Sync {
    /// Takes the outcome of the request that was admitted for `address`; called exactly once,
    /// and not at all for a request that the home itself abandoned.
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<R>);
}

/// Answers one request. It lives inside the user's event; whoever drops it unanswered supplies
/// the reason, and the client is told.
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
///         // An odd one is dropped unanswered: it is lost, and whoever asked hears of it.
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
#[must_use = "a responder that is dropped is a lost request"]
pub struct Responder<R> {
    request: Arc<Request>,
    home: Arc<dyn ReplySink<R>>,
    address: ReplyAddress,
}

impl<R> Responder<R> {
    pub(crate) fn new(
        request: Arc<Request>,
        home: Arc<dyn ReplySink<R>>,
        address: ReplyAddress,
    ) -> Self {
        Self { request, home, address }
    }

    /// Sends the answer home. Cannot fail and passes no admission, expiry or valve; an answer to
    /// a client that has gone is dropped.
    pub fn respond(self, answer: R) {
        if self.request.answered() {
            self.home.deliver(self.address, Outcome::Answered(answer));
        }
    }

    /// Whether the client has gone, so that a long-running handler can stop.
    pub fn is_abandoned(&self) -> bool {
        self.request.is_abandoned()
    }
}

impl<R> Drop for Responder<R> {
    fn drop(&mut self) {
        // After `respond` the request is resolved and this changes nothing.
        let reason = current_loss_reason();
        if self.request.lost(reason) {
            self.home.deliver(self.address, Outcome::Lost(reason));
        }
    }
}

impl<R> fmt::Debug for Responder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Responder").field("address", &self.address).finish_non_exhaustive()
    }
}
