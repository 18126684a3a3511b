//! The graph: one stage, whose events wait for the client outside of it.

use crate::client::Client;
use crate::remote::Remote;
use seda::{
    Context, Drained, Graph, Responder, ResponseReceiver, Running, Source, StageConfig, WorkerRange,
};
use std::error::Error;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Enough for any number of outstanding requests: a worker only hands them over.
pub(crate) const WORKERS: usize = 2;

/// A number to be squared elsewhere.
struct Ask {
    number: u64,
    reply: Responder<Answer>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Square(u64),
    /// As many requests are outstanding as may be.
    Busy,
}

pub(crate) struct FanIn {
    running: Running,
    asks: Source<Ask>,
    client: Client,
    pub(crate) remote: Remote,
    /// One thread, for client and remote side together; it ends with this.
    _runtime: Runtime,
}

/// What became of the requests.
pub(crate) struct Outcomes {
    pub(crate) answered: u32,
    pub(crate) busy: u32,
    /// Requests without an answer: the remote side hung up.
    pub(crate) lost: u32,
    pub(crate) most_outstanding: usize,
    pub(crate) drained: Drained,
}

impl FanIn {
    /// A graph with room for `requests`, of which `pending` may be outstanding, at a remote side
    /// that takes `delay` for each once it is released.
    pub(crate) fn start(
        requests: u32,
        pending: u32,
        delay: Duration,
    ) -> Result<Self, Box<dyn Error>> {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        let remote = runtime.block_on(Remote::start(delay))?;
        let client = runtime.block_on(Client::connect(remote.address()))?;

        let mut graph = Graph::new("async_fan_in");
        let ask = graph.stage::<Ask>("ask", requests as usize);
        graph.attach_each(ask, |_wire| {
            let (client, runtime) = (client.clone(), runtime.handle().clone());
            move |Ask { number, reply }: Ask, cx: &mut Context| {
                // From here on the event is pending: counted, bounded, waited for by a drain.
                let Ok(pending) = cx.defer() else {
                    return reply.respond(Answer::Busy);
                };
                let client = client.clone();
                runtime.spawn(async move {
                    // Without an answer both are dropped: the request is lost, the event failed.
                    if let Ok(square) = client.square(number).await {
                        reply.respond(Answer::Square(square));
                        pending.complete();
                    }
                });
            }
        })?;
        let config = StageConfig {
            workers: Some(WorkerRange::exactly(WORKERS)),
            pending: Some(pending as usize),
            ..StageConfig::default()
        };
        graph.configure(ask, config)?;
        let asks = graph.source(ask)?;
        Ok(Self { running: graph.start()?, asks, client, remote, _runtime: runtime })
    }

    /// Makes so many requests at once.
    pub(crate) fn ask(&self, requests: u32) -> Vec<ResponseReceiver<Answer>> {
        let ask = |number| self.asks.request(|reply| Ask { number, reply });
        // The queue holds them all, so none is refused.
        (0..requests.into()).filter_map(|number| ask(number).ok()).collect()
    }

    /// Ends the graph: what is outstanding is waited for.
    pub(crate) fn finish(
        self,
        tickets: Vec<ResponseReceiver<Answer>>,
        limit: Duration,
    ) -> Result<Outcomes, String> {
        let drained = self.running.drain(limit);
        let most_outstanding = self.client.most_outstanding();
        let mut outcomes = Outcomes { answered: 0, busy: 0, lost: 0, most_outstanding, drained };
        for (number, ticket) in (0_u64..).zip(&tickets) {
            match ticket.try_take() {
                Some(Ok(Answer::Square(square))) if square == number * number => {
                    outcomes.answered += 1;
                }
                Some(Ok(Answer::Square(wrong))) => return Err(format!("{number}² is not {wrong}")),
                Some(Ok(Answer::Busy)) => outcomes.busy += 1,
                Some(Err(_)) | None => outcomes.lost += 1,
            }
        }
        Ok(outcomes)
    }
}

#[cfg(test)]
impl FanIn {
    pub(crate) fn report(&self) -> seda::Report {
        self.running.report()
    }

    /// Waits until no worker has anything to do and the remote side has all that was sent.
    pub(crate) fn wait_until_handed_over(&self, limit: Duration) {
        use seda::{Clock, MonotonicClock, Time};
        let clock = MonotonicClock::new();
        let handed_over = || {
            let stage = &self.report().stages[0];
            let outstanding = self.client.outstanding() as u64;
            stage.queued + stage.in_hand == 0 && outstanding == stage.pending
        };
        while !handed_over() {
            assert!(clock.now().since(Time::ZERO) < limit, "{}", self.report());
            std::thread::yield_now();
        }
    }
}
