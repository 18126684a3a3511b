//! A sink belongs to its graph. The compiler cannot see its use in another one, because a sink
//! lives as long as its handler; so every such send is refused as closed.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use seda_core::testing::{Probe, Stepped, probe};
use seda_core::{Context, Graph, RefusalReason, Sink, WaitingSink};
use std::sync::mpsc;
use std::time::Duration;

const CLOSED: RefusalReason = RefusalReason::Closed;

/// Returns another graph, the probe at its end, and sinks taken out of it.
fn elsewhere() -> (Stepped, Probe<u32>, Sink<u32>, WaitingSink<u32>) {
    let mut graph = Graph::new("elsewhere");
    let start = graph.stage::<u32>("start", 8);
    let (end, kept) = probe(&mut graph, "end", 8).unwrap();
    let mut taken = None;
    graph
        .attach_each(start, |wire| {
            taken = Some((wire.sink(end), wire.waiting_sink(end, Duration::ZERO)));
            |_event, _cx: &mut Context| {}
        })
        .unwrap();
    let (sink, waiting) = taken.unwrap();
    (Stepped::start(graph).unwrap(), kept, sink, waiting)
}

#[test]
fn every_send_over_a_sink_of_another_graph_is_refused_as_closed() {
    let (mut other, kept, foreign, waiting) = elsewhere();
    let mut graph = Graph::new("here");
    let stage = graph.stage::<u32>("stage", 8);
    let (own_end, own_kept) = probe::<u32>(&mut graph, "end", 8).unwrap();
    let (tell, told) = mpsc::channel();
    graph
        .attach_each(stage, |wire| {
            let own = wire.sink(own_end);
            move |n, cx: &mut Context| {
                let reasons = [
                    cx.send(&foreign, n).unwrap_err().reason(),
                    cx.send_all(&foreign, vec![n, n]).unwrap_err().reason(),
                    cx.send_both((&own, n), (&foreign, n)).unwrap_err().reason(),
                    cx.send_waiting(&waiting, n).unwrap_err().reason(),
                    cx.reserve(&foreign, 1).unwrap_err().reason(),
                    cx.defer().unwrap().send(&foreign, n).unwrap_err().reason(),
                ];
                tell.send(reasons).unwrap();
            }
        })
        .unwrap();
    let source = graph.source(stage).unwrap();
    let mut here = Stepped::start(graph).unwrap();
    source.send(1).unwrap();
    here.run_until_idle();
    other.run_until_idle();
    assert_eq!(told.try_recv().unwrap(), [CLOSED; 6]);
    assert!(kept.is_empty() && own_kept.is_empty());
    // Each refused event is counted at its destination.
    assert_eq!((other.refused("end", CLOSED), other.stage("end").offered), (7, 7));
    here.assert_finished();
    other.assert_finished();
}
