//! The graph of the router: `server` receives packets, `router` does the work, `links` writes
//! packets to the neighbours. (In the paper the third stage joins the network; this router joins
//! none.)

use crate::schedule::Kind;
use seda::{
    Context, Graph, GraphConfig, GraphError, Mode, Running, Source, StageConfig, Time, WorkerRange,
};
use std::sync::mpsc::Sender;
use std::time::Duration;

/// The time of a query, during which the router sleeps, as in the paper.
pub(crate) const QUERY_DELAY: Duration = Duration::from_millis(20);
/// The most workers of the router, as in the paper's controller.
const MAX_WORKERS: usize = 20;
/// The bound of the router's queue: three seconds of one worker's time. This is long enough to show
/// the effect of a queue without control.
const QUEUE: usize = 1_024;
/// The bound of the other queues: enough for bursts.
const BESIDE: usize = 256;

/// A packet on its way through the router.
pub(crate) struct Packet {
    pub(crate) kind: Kind,
    /// The scheduled arrival.
    pub(crate) due: Time,
}

/// A packet that was written to a neighbour; its latency counts from the scheduled arrival.
pub(crate) struct Written {
    pub(crate) kind: Kind,
    pub(crate) at: Time,
    pub(crate) latency: Duration,
}

/// Starts the graph. Each packet that is written to a neighbour is sent to `written`.
pub(crate) fn start(
    control: Mode,
    written: Sender<Written>,
) -> Result<(Running, Source<Packet>), GraphError> {
    let mut graph = Graph::new("packet_router");
    let mut config = GraphConfig::default();
    config.control.set_mode(control);
    // The sum of the capacities, so that only the bounds of the queues have an effect.
    config.budget = Some(QUEUE + 2 * BESIDE);
    graph.apply(config)?;
    let server = graph.stage::<Packet>("server", BESIDE);
    let router = graph.stage::<Packet>("router", QUEUE);
    let links = graph.stage::<Packet>("links", BESIDE);
    graph.attach_each(server, |wire| {
        let router = wire.sink(router);
        // A full router loses the packet, as networks do. The edge counts it.
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
            // After the end of the run the receiver is gone.
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

#[expect(clippy::disallowed_methods, reason = "the example shows a blocking stage")]
fn block(time: Duration) {
    std::thread::sleep(time);
}
