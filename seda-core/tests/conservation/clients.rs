//! The clients, and the outcomes of their requests.

use parking_lot::Mutex;
use seda_core::{LossReason, Outcome, ReplyAddress, ReplySink, Request, ResponseReceiver};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The outcome of one request: its answer, or the reason of its loss.
type ClientOutcome = Result<u64, LossReason>;

/// A reply sink that keeps every outcome, expected or not.
#[derive(Debug, Default)]
pub(crate) struct ReplyBox {
    arrived: Mutex<Vec<(u64, ClientOutcome)>>,
}

impl ReplySink<u64> for ReplyBox {
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<u64>) {
        let outcome = match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Lost(reason) => Err(reason),
        };
        self.arrived.lock().push((address.sequence, outcome));
    }
}

#[derive(Debug)]
enum Handle {
    /// The outcome goes to the reply box.
    Request(Arc<Request>),
    Receiver(ResponseReceiver<u64>),
    /// The receiver was dropped.
    Dropped,
}

#[derive(Debug)]
struct Client {
    handle: Handle,
    /// The client went before any outcome was delivered.
    abandoned: bool,
    outcome: Option<ClientOutcome>,
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    reply_box: Arc<ReplyBox>,
    all: Vec<Client>,
    /// The first unexpected outcome.
    fault: Option<String>,
}

/// The ledger of requests, from the clients' view.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) admitted: u64,
    pub(crate) answered: u64,
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) open: u64,
}

impl Clients {
    /// Returns the sequence number of the next request and the sink of its outcome.
    pub(crate) fn next(&self) -> (u64, Arc<ReplyBox>) {
        (self.all.len() as u64, Arc::clone(&self.reply_box))
    }

    pub(crate) fn with_request(&mut self, request: Arc<Request>) {
        self.enter(Handle::Request(request));
    }

    pub(crate) fn with_receiver(&mut self, receiver: ResponseReceiver<u64>) {
        self.enter(Handle::Receiver(receiver));
    }

    fn enter(&mut self, handle: Handle) {
        self.all.push(Client { handle, abandoned: false, outcome: None });
    }

    /// Disconnects a client; one with a receiver drops it.
    pub(crate) fn leave(&mut self, at: usize) {
        self.listen();
        let n = self.all.len().max(1);
        let Some(client) = self.all.get_mut(at % n) else { return };
        match std::mem::replace(&mut client.handle, Handle::Dropped) {
            Handle::Request(request) => {
                client.abandoned |= request.abandon();
                client.handle = Handle::Request(request);
            }
            Handle::Receiver(receiver) => client.abandoned |= receiver.request().is_open(),
            Handle::Dropped => {}
        }
    }

    /// Records the outcomes that have arrived; a second one for a request is a fault.
    fn listen(&mut self) {
        let arrived = std::mem::take(&mut *self.reply_box.arrived.lock());
        let received = self.all.iter().enumerate().filter_map(|(n, client)| match &client.handle {
            Handle::Receiver(receiver) => Some((n as u64, receiver.try_take()?)),
            _ => None,
        });
        let received: Vec<_> = received.collect();
        for (n, outcome) in arrived.into_iter().chain(received) {
            let known = self.all.get_mut(n as usize);
            let Some(client) = known.filter(|client| client.outcome.is_none() && !client.abandoned)
            else {
                self.fault.get_or_insert(format!(
                    "request {n} has a second or late outcome, {outcome:?}"
                ));
                continue;
            };
            client.outcome = Some(outcome);
        }
    }

    /// Returns the sums, or the first fault.
    pub(crate) fn sums(&mut self) -> Result<Sums, String> {
        self.listen();
        let mut sums = Sums { admitted: self.all.len() as u64, ..Sums::default() };
        for client in &self.all {
            let reason = match (client.abandoned, client.outcome) {
                (true, _) => LossReason::Abandoned,
                (false, Some(Err(reason))) => reason,
                (false, Some(Ok(_))) => {
                    sums.answered += 1;
                    continue;
                }
                (false, None) => {
                    sums.open += 1;
                    continue;
                }
            };
            *sums.lost.entry(reason.to_string()).or_default() += 1;
        }
        self.fault.clone().map_or(Ok(sums), Err)
    }
}
