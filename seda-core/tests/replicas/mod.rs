//! Replicated stages: which replica gets an event, and that none is lost or refused between them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod choosing;
mod wiring;

use crate::support::{assert_balanced, workers};
use parking_lot::Mutex;
use seda_core::{
    Balance, Balancer, Context, Graph, GraphConfig, GraphError, LossReason, Manual, ManualClock,
    RefusalReason, Replicas, Report, Sink, Source, Stage, StageConfig, each,
};
use std::sync::Arc;

/// The balances under which each replica has a queue.
const SEVERAL: [Balance; 3] = [Balance::ShortestQueue, Balance::TwoChoices, Balance::RoundRobin];

fn declare(capacity: usize, count: usize, balance: Balance) -> (Graph, Stage<u32>) {
    let mut graph = Graph::new("replicas");
    let render = graph.replicated_stage("render", capacity, Replicas { count, balance });
    (graph, render)
}

fn manual(graph: Graph) -> Manual {
    graph.start_manual(Arc::new(ManualClock::new())).unwrap()
}

/// Returns replicas that do nothing with their events, and a source.
fn idle(capacity: usize, count: usize, balance: Balance) -> (Manual, Source<u32>) {
    let (mut graph, render) = declare(capacity, count, balance);
    graph.attach_each(render, |_wire| |_, _| {}).unwrap();
    let source = graph.source(render).unwrap();
    graph.budget(10_000);
    (manual(graph), source)
}

/// Returns a graph where `entry` runs `send` for each event, and the replicas behind it do nothing.
fn behind(
    capacity: usize,
    count: usize,
    balance: Balance,
    send: impl Fn(&mut Context, &Sink<u32>, u32) + Clone + Send + Sync + 'static,
) -> (Manual, Source<u32>) {
    let (mut graph, render) = declare(capacity, count, balance);
    let entry = graph.stage::<u32>("entry", 1_024);
    graph
        .attach_each(entry, |wire| {
            let render = wire.sink(render);
            assert_eq!(render.stage(), "render");
            move |event, cx| send(cx, &render, event)
        })
        .unwrap();
    graph.attach_each(render, |_wire| |_, _| {}).unwrap();
    graph.budget(10_000);
    let source = graph.source(entry).unwrap();
    (manual(graph), source)
}

/// Returns the number of events sent over each edge that leaves `from`; `None` is outside.
fn over_edges(report: &Report, from: Option<&str>) -> Vec<u64> {
    let edges = report.edges.iter().filter(|edge| edge.from.as_deref() == from);
    edges.map(|edge| edge.sent).collect()
}

fn depths(manual: &Manual) -> Vec<usize> {
    manual.report().stages.iter().map(|stage| stage.queue.depth).collect()
}

fn refused(report: &Report) -> u64 {
    report.stages.iter().flat_map(|stage| stage.refused.values()).sum()
}

#[test]
fn a_central_queue_is_one_stage_with_a_worker_for_each_replica() {
    let (manual, source) = idle(64, 4, Balance::Central);
    source.send_all((0..10).collect()).unwrap();
    let report = manual.report();
    let [render] = report.stages.as_slice() else { panic!("{report}") };
    assert_eq!((render.name.as_str(), render.queue.depth, render.workers.now), ("render", 10, 4));
    assert_eq!((render.workers.min, render.workers.max), (4, 4));
}

#[test]
fn each_replica_has_an_edge_of_its_own_on_both_sides() {
    let (mut graph, render) = declare(64, 3, Balance::RoundRobin);
    let store = Replicas { count: 2, balance: Balance::RoundRobin };
    let store = graph.replicated_stage::<u32>("store", 64, store);
    graph
        .attach_each(render, |wire| {
            let store = wire.sink(store);
            move |n, cx| cx.send(&store, n).unwrap()
        })
        .unwrap();
    graph.attach_each(store, |_wire| |_, _| {}).unwrap();
    let source = graph.source(render).unwrap();
    let mut manual = manual(graph);
    (0..12).for_each(|n| source.send(n).unwrap());
    manual.run_until_idle();
    let report = manual.report();
    assert_eq!(over_edges(&report, None), [4, 4, 4]);
    for n in 1..=3 {
        assert_eq!(over_edges(&report, Some(&format!("render-{n}"))), [2, 2]);
    }
    assert!(manual.warnings().is_empty(), "{:?}", manual.warnings());
    assert!(report.to_dot().contains("label=\"render-3"));
    assert_balanced(&report);
}

#[test]
fn replicas_in_one_pool_keep_their_edges_apart() {
    let (mut graph, render) = declare(64, 2, Balance::RoundRobin);
    let store = graph.stage::<u32>("store", 64);
    let pool = graph.pool("all", seda_core::WorkerRange::exactly(1));
    graph
        .attach_each_in(&pool, render, |wire| {
            let store = wire.sink(store);
            move |n, cx| cx.send(&store, n).unwrap()
        })
        .unwrap();
    graph.attach_each_in(&pool, store, |_wire| |_, _| {}).unwrap();
    let source = graph.source(render).unwrap();
    let mut manual = manual(graph);
    (0..9).for_each(|n| source.send(n).unwrap());
    manual.run_until_idle();
    let report = manual.report();
    assert_eq!(over_edges(&report, Some("render-1")), [5]);
    assert_eq!(over_edges(&report, Some("render-2")), [4]);
    assert_balanced(&report);
}

#[test]
fn one_worker_of_a_shared_pool_runs_a_replica_at_a_time() {
    let gate = crate::support::Gate::default();
    let (mut graph, render) = declare(64, 2, Balance::RoundRobin);
    let pool = graph.pool("all", seda_core::WorkerRange::exactly(2));
    let held = gate.clone();
    graph
        .attach_replicas_in(&pool, render, |_wire| {
            move |_replica| {
                let gate = held.clone();
                Ok(each(move |_: u32, _: &mut Context| gate.pass()))
            }
        })
        .unwrap();
    let source = graph.source(render).unwrap();
    let running = graph.start().unwrap();
    // Both go to the first replica. The other worker may take only the next one.
    source.send_all(vec![0; 2]).unwrap();
    gate.wait_for(1);
    source.send(0).unwrap();
    gate.wait_for(2);
    let report = running.report();
    let inside = report.stages.iter().map(|stage| (stage.in_hand, stage.queued));
    assert_eq!(inside.collect::<Vec<_>>(), [(1, 1), (1, 0)]);
    gate.open();
    let drained = running.drain(crate::support::LONG);
    assert_eq!(drained.report.events.handled, 3);
    assert_balanced(&drained.report);
}

#[test]
fn a_factory_receives_the_number_of_its_replica_again_after_a_panic() {
    crate::support::quiet_panics();
    for balance in Balance::ALL {
        let (mut graph, render) = declare(64, 3, balance);
        let (made, seen) = std::sync::mpsc::channel();
        let made = Mutex::new(made);
        graph
            .attach_replicas(render, |_wire| {
                move |replica| {
                    made.lock().send(replica)?;
                    Ok(each(move |event: u32, _: &mut Context| {
                        if event == 1 {
                            std::panic::panic_any(crate::support::ON_PURPOSE)
                        }
                    }))
                }
            })
            .unwrap();
        let source = graph.source(render).unwrap();
        let mut manual = manual(graph);
        // One event for the first batch of each worker, then three more.
        for round in [1, 0] {
            for _ in 0..3 {
                source.send(round).unwrap();
            }
            manual.step();
        }
        manual.run_until_idle();
        let mut numbers: Vec<usize> = seen.try_iter().collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [0, 0, 1, 1, 2, 2], "{balance}");
        let report = manual.report();
        assert_eq!((report.events.failed, report.events.handled), (3, 3));
        assert_balanced(&report);
    }
}

#[test]
fn a_closed_replica_is_passed_over_even_with_the_shortest_queue() {
    for balance in SEVERAL {
        let (mut graph, render) = declare(400, 4, balance);
        graph
            .attach_replicas(render, |_wire| {
                |replica| match replica {
                    2 => Err("no connection".into()),
                    _ => Ok(each(|_: u32, _: &mut Context| {})),
                }
            })
            .unwrap();
        let source = graph.source(render).unwrap();
        let clock = Arc::new(ManualClock::new());
        let mut manual = graph.start_manual(clock.clone()).unwrap();
        (0..4).for_each(|n| source.send(n).unwrap());
        source.send_all(vec![0; 4]).unwrap();
        (0..8).for_each(|n| source.send(n).unwrap());
        for _ in 0..12 {
            manual.step();
            clock.advance(std::time::Duration::from_secs(60));
        }
        let before = manual.report();
        assert!(before.stages[2].shed["closed"] > 0, "{balance}");
        (0..30).for_each(|n| source.send(n).unwrap());
        let depths = depths(&manual);
        assert_eq!((depths.iter().sum::<usize>(), depths[2]), (30, 0), "{balance}");
        assert_eq!(refused(&manual.report()), 0);
        manual.run_until_idle();
        assert_balanced(&manual.report());
    }
}

#[test]
fn a_pending_event_also_sends_to_the_shortest_queue() {
    let (mut graph, render) = declare(64, 4, Balance::ShortestQueue);
    let entry = graph.stage::<u32>("entry", 64);
    let held = Arc::new(Mutex::new(None));
    let hold = Arc::clone(&held);
    graph
        .attach_each(entry, |wire| {
            let render = wire.sink(render);
            move |_, cx| *hold.lock() = Some((cx.defer().unwrap(), render.clone()))
        })
        .unwrap();
    graph.attach_each(render, |_wire| |_, _| {}).unwrap();
    let source = graph.source(entry).unwrap();
    let mut manual = manual(graph);
    source.send(0).unwrap();
    manual.step();
    let (mut pending, render) = held.lock().take().unwrap();
    (0..8).for_each(|n| pending.send(&render, n).unwrap());
    assert_eq!(depths(&manual), [2, 2, 2, 2, 0]);
    pending.complete();
    manual.run_until_idle();
    assert_balanced(&manual.report());
}

#[test]
fn on_threads_no_event_is_lost_and_a_drain_ends() {
    for balance in Balance::ALL {
        let (mut graph, render) = declare(64, 3, balance);
        let (split, join) = (graph.stage::<u32>("split", 256), graph.stage::<u32>("join", 256));
        graph
            .attach_each(split, |wire| {
                let render = wire.sink(render);
                move |n, cx| (0..3).for_each(|_| drop(cx.send(&render, n)))
            })
            .unwrap();
        graph
            .attach_each(render, |wire| {
                let join = wire.waiting_sink(join, crate::support::LONG);
                move |n, cx| cx.send_waiting(&join, n).unwrap()
            })
            .unwrap();
        graph.attach_each(join, |_wire| |_, _| {}).unwrap();
        graph.configure(split, workers(2)).unwrap();
        // The budget never binds, so the valve evicts nothing.
        graph.budget(10_000);
        let sources = [graph.source(split).unwrap(), graph.source(split).unwrap()];
        let running = graph.start().unwrap();
        std::thread::scope(|scope| {
            for source in &sources {
                scope.spawn(move || {
                    (0..2_000).for_each(|n| source.send_within(n, crate::support::LONG).unwrap());
                });
            }
        });
        let drained = running.drain(crate::support::LONG);
        assert!(drained.complete, "{balance}: {}", drained.report);
        let report = &drained.report;
        let rendered = report.stages.iter().filter(|stage| stage.name.starts_with("render"));
        let offered: u64 = rendered.map(|stage| stage.offered).sum();
        assert_eq!(offered, 12_000, "{balance}");
        assert_balanced(report);
    }
}

#[test]
fn a_waiting_sink_waits_for_any_replica() {
    let gate = crate::support::Gate::default();
    let (mut graph, render) = declare(2, 2, Balance::RoundRobin);
    let entry = graph.stage::<u32>("entry", 64);
    graph
        .attach_each(entry, |wire| {
            let render = wire.waiting_sink(render, crate::support::LONG);
            move |n, cx| cx.send_waiting(&render, n).unwrap()
        })
        .unwrap();
    let held = gate.clone();
    graph
        .attach_replicas(render, |_wire| {
            move |replica| {
                let gate = held.clone();
                Ok(each(move |_: u32, _: &mut Context| {
                    if replica == 0 {
                        gate.pass();
                    }
                }))
            }
        })
        .unwrap();
    let source = graph.source(entry).unwrap();
    let running = graph.start().unwrap();
    source.send_all((0..20).collect()).unwrap();
    // One event blocks the first replica and one is queued there; the second replica does the rest.
    crate::support::wait_until("the second replica does the rest", || {
        running.report().stages[1].handled == 18
    });
    gate.open();
    let drained = running.drain(crate::support::LONG);
    assert_eq!((drained.report.events.handled, drained.report.events.refused), (40, 0));
    assert_balanced(&drained.report);
}

#[test]
fn replicas_can_weigh_their_events_and_cannot_be_keyed() {
    let mut graph = Graph::new("replicas");
    let replicas = Replicas { count: 2, balance: Balance::RoundRobin };
    let stage = graph.replicated_stage::<u32>("render", 8, replicas);
    let error = graph.keyed(stage, |n| *n).unwrap_err().to_string();
    assert!(error.contains("`render`") && error.contains("central queue"), "{error}");
    graph.weigh(stage, |n| *n as usize).unwrap();
    graph.attach_each(stage, |_wire| |_n, _cx: &mut Context| {}).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    source.send_all(vec![10]).unwrap();
    source.send(7).unwrap();
    let bytes: Vec<_> = graph.report().stages.iter().map(|stage| stage.bytes).collect();
    assert_eq!((bytes, graph.report().budget.bytes_used), (vec![Some(10), Some(7)], 17));
    graph.run_until_idle();
    assert_eq!(graph.report().budget.bytes_used, 0);
}
