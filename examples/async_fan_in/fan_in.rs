//! The graph: one stage. Its events wait for the client outside of it.

use crate::client::Client;
use crate::remote::Remote;
use seda::{
    Context, Drained, Graph, GraphConfig, Mode, Responder, ResponseReceiver, Running, Source,
    StageConfig, WorkerRange,
};
use std::error::Error;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};

/// Workers of the stage. Two are enough for any number of outstanding requests, because a worker
/// only hands them over.
pub(crate) const WORKERS: usize = 2;

/// A request for the square of a number.
struct Ask {
    number: u64,
    reply: Responder<Answer>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Square(u64),
    /// The limit of outstanding requests is reached.
    Busy,
}

/// The running graph with its client and the remote service.
pub(crate) struct FanIn {
    running: Running,
    asks: Source<Ask>,
    client: Client,
    pub(crate) remote: Remote,
    /// One thread for the client and the remote service. It ends when this is dropped.
    _runtime: Runtime,
}

/// The ends of the requests.
pub(crate) struct Outcomes {
    pub(crate) answered: u32,
    pub(crate) busy: u32,
    /// Requests without an answer, because the remote service closed the connection.
    pub(crate) lost: u32,
    pub(crate) most_outstanding: usize,
    pub(crate) drained: Drained,
}

impl FanIn {
    /// Starts a graph with a queue for `requests`, of which `pending` may be outstanding. The
    /// remote service takes `delay` for each, once it is released.
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
                // From here on the event is pending: it is counted and bounded, and a drain waits
                // for it.
                let Ok(pending) = cx.defer() else {
                    return reply.respond(Answer::Busy);
                };
                let client = client.clone();
                runtime.spawn(async move {
                    // Without an answer both are dropped: the request is lost, the event fails.
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
        // The handler itself answers what exceeds `pending`; the entry refuses nothing before.
        let mut all = GraphConfig::default();
        all.control.admission = Mode::Off;
        graph.apply(all)?;
        let asks = graph.source(ask)?;
        Ok(Self { running: graph.start()?, asks, client, remote, _runtime: runtime })
    }

    /// Makes `requests` requests at once.
    pub(crate) fn ask(&self, requests: u32) -> Vec<ResponseReceiver<Answer>> {
        let ask = |number| self.asks.request(|reply| Ask { number, reply });
        // The queue has room for all of them, so none is refused.
        (0..requests.into()).filter_map(|number| ask(number).ok()).collect()
    }

    /// Drains the graph, which waits for outstanding requests, and returns their ends.
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

    /// Waits until all workers are idle and all pending requests are at the remote service.
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
