//! Who waits for answers, and what they were told.

use parking_lot::Mutex;
use seda_core::{LossReason, Outcome, ReplyAddress, ReplySink, Request, ResponseReceiver};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What came for one request.
type Told = Result<u64, LossReason>;

/// A home with a place for everything that comes, expected or not.
#[derive(Debug, Default)]
pub(crate) struct Door {
    came: Mutex<Vec<(u64, Told)>>,
}

impl ReplySink<u64> for Door {
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<u64>) {
        let told = match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Lost(reason) => Err(reason),
        };
        self.came.lock().push((address.sequence, told));
    }
}

#[derive(Debug)]
enum Replica {
    Door(Arc<Request>),
    ResponseReceiver(ResponseReceiver<u64>),
    /// The ticket was dropped.
    Evicted,
}

#[derive(Debug)]
struct Client {
    way: Replica,
    /// It went before it was told anything.
    abandoned: bool,
    told: Option<Told>,
}

#[derive(Debug, Default)]
pub(crate) struct Clients {
    door: Arc<Door>,
    all: Vec<Client>,
    /// Unexpected news, first of all.
    fault: Option<String>,
}

/// The ledger of requests as the clients know it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) admitted: u64,
    pub(crate) answered: u64,
    pub(crate) lost: BTreeMap<String, u64>,
    pub(crate) open: u64,
}

impl Clients {
    /// The sequence number of the next request, and where its answer is to come.
    pub(crate) fn next(&self) -> (u64, Arc<Door>) {
        (self.all.len() as u64, Arc::clone(&self.door))
    }

    pub(crate) fn at_door(&mut self, request: Arc<Request>) {
        self.enter(Replica::Door(request));
    }

    pub(crate) fn with_ticket(&mut self, ticket: ResponseReceiver<u64>) {
        self.enter(Replica::ResponseReceiver(ticket));
    }

    fn enter(&mut self, way: Replica) {
        self.all.push(Client { way, abandoned: false, told: None });
    }

    /// A client goes; one with a ticket drops it.
    pub(crate) fn leave(&mut self, at: usize) {
        self.listen();
        let n = self.all.len().max(1);
        let Some(client) = self.all.get_mut(at % n) else { return };
        match std::mem::replace(&mut client.way, Replica::Evicted) {
            Replica::Door(request) => {
                client.abandoned |= request.abandon();
                client.way = Replica::Door(request);
            }
            Replica::ResponseReceiver(ticket) => client.abandoned |= ticket.request().is_open(),
            Replica::Evicted => {}
        }
    }

    /// Hears what came; everything comes once.
    fn listen(&mut self) {
        let came = std::mem::take(&mut *self.door.came.lock());
        let tickets = self.all.iter().enumerate().filter_map(|(n, client)| match &client.way {
            Replica::ResponseReceiver(ticket) => Some((n as u64, ticket.try_take()?)),
            _ => None,
        });
        let tickets: Vec<_> = tickets.collect();
        for (n, told) in came.into_iter().chain(tickets) {
            let known = self.all.get_mut(n as usize);
            let Some(client) = known.filter(|client| client.told.is_none() && !client.abandoned)
            else {
                self.fault.get_or_insert(format!("request {n} was told {told:?}, out of turn"));
                continue;
            };
            client.told = Some(told);
        }
    }

    /// The sums, or what was told twice or to nobody.
    pub(crate) fn sums(&mut self) -> Result<Sums, String> {
        self.listen();
        let mut sums = Sums { admitted: self.all.len() as u64, ..Sums::default() };
        for client in &self.all {
            let reason = match (client.abandoned, client.told) {
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
