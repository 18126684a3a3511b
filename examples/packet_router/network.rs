//! The router's graph: `server` takes packets in, `router` does the work, `links` writes packets to
//! the neighbours. (The paper's third stage joins the network; nothing is joined here.)

use crate::schedule::Kind;
use seda::{
    Context, Graph, GraphConfig, GraphError, Mode, Running, Source, StageConfig, Time, WorkerRange,
};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// What a query costs, as in the paper: the router sleeps.
pub(crate) const QUERY_DELAY: Duration = Duration::from_millis(20);
/// The most workers of the router, as in the paper's controller.
const MAX_WORKERS: usize = 20;
/// The router's queue. At three seconds of one worker's time it is long enough to show what a
/// queue without control does, and bounded all the same.
const QUEUE: usize = 1_024;
/// Events the stages beside it hold: bursts.
const BESIDE: usize = 256;
pub(crate) struct Packet {
    pub(crate) kind: Kind,
    /// When it was meant to arrive.
    pub(crate) due: Time,
}

/// A packet that was written: what it was, and when, and how long it took from when it was due.
pub(crate) struct Written {
    pub(crate) kind: Kind,
    pub(crate) at: Time,
    pub(crate) latency: Duration,
}

/// Starts the graph; each packet that a neighbour gets is told to `written`.
pub(crate) fn start(
    control: Mode,
    written: Sender<Written>,
) -> Result<(Running, Source<Packet>), GraphError> {
    let mut graph = Graph::new("packet_router");
    let mut config = GraphConfig::default();
    config.control.set_mode(control);
    // As much as the queues hold: the queues' own bounds are to be seen.
    config.budget = Some(QUEUE + 2 * BESIDE);
    graph.apply(config)?;
    let server = graph.stage::<Packet>("server", BESIDE);
    let router = graph.stage::<Packet>("router", QUEUE);
    let links = graph.stage::<Packet>("links", BESIDE);
    graph.attach_each(server, |wire| {
        let router = wire.sink(router);
        // A router that is full loses the packet, as networks do; the edge counts it.
        move |packet, cx: &mut Context| drop(cx.send(&router, packet))
    })?;
    graph.attach_each(router, |wire| {
        let links = wire.sink(links);
        move |packet: Packet, cx| {
            if packet.kind == Kind::Query {
                block(QUERY_DELAY);
            }
            drop(cx.send(&links, packet));
        }
    })?;
    graph.attach_each(links, |_wire| {
        move |Packet { kind, due }: Packet, cx: &mut Context| {
            let at = cx.now();
            // Nobody listens any more once the run has ended.
            let _ = written.send(Written { kind, at, latency: at.since(due) });
        }
    })?;
    let workers =
        |max| StageConfig { workers: Some(WorkerRange::new(1, max)), ..StageConfig::default() };
    graph.configure(server, workers(1))?;
    graph.configure(router, workers(MAX_WORKERS))?;
    graph.configure(links, workers(1))?;
    let packets = graph.source(server)?;
    Ok((graph.start()?, packets))
}

#[expect(clippy::disallowed_methods, reason = "a blocking stage is what is shown")]
fn block(time: Duration) {
    std::thread::sleep(time);
}
