//! Replicated stages: who gets an event, and that nothing is lost or refused between them.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use parking_lot::Mutex;
use seda_core::{
    Balance, Chooser, Context, Graph, GraphConfig, GraphError, LossReason, Manual, ManualClock,
    RefusalReason, Replicas, Report, Sink, Source, Stage, StageConfig, each,
};
use std::sync::Arc;
use support::{assert_balanced, workers};

/// The balances that give each replica a queue.
const SEVERAL: [Balance; 3] = [Balance::ShortestQueue, Balance::TwoChoices, Balance::RoundRobin];

fn declare(capacity: usize, count: usize, balance: Balance) -> (Graph, Stage<u32>) {
    let mut graph = Graph::new("replicas");
    let render = graph.replicated_stage("render", capacity, Replicas { count, balance });
    (graph, render)
}

fn manual(graph: Graph) -> Manual {
    graph.start_manual(Arc::new(ManualClock::new())).unwrap()
}

/// Replicas that take events and do nothing, with a source.
fn idle(capacity: usize, count: usize, balance: Balance) -> (Manual, Source<u32>) {
    let (mut graph, render) = declare(capacity, count, balance);
    graph.attach_each(render, |_wire| |_, _| {}).unwrap();
    let source = graph.source(render).unwrap();
    graph.budget(10_000);
    (manual(graph), source)
}

/// `entry` does `send` for each of its events; the replicas behind it do nothing.
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

/// How many events were sent over each edge that leaves `from`; `None` is outside.
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
fn round_robin_is_exact_from_outside_and_from_a_handler() {
    let (mut manual, source) = idle(64, 4, Balance::RoundRobin);
    assert_eq!(source.stage(), "render");
    (0..10).for_each(|n| source.send(n).unwrap());
    assert_eq!(depths(&manual), [3, 3, 2, 2]);
    manual.run_until_idle();
    assert_balanced(&manual.report());

    let send = |cx: &mut Context, render: &Sink<u32>, n| cx.send(render, n).unwrap();
    let (mut manual, source) = behind(64, 4, Balance::RoundRobin, send);
    source.send_all((0..41).collect()).unwrap();
    manual.run_until_idle();
    let report = manual.report();
    // The worker's clone of the sink is the first: it begins with the second replica.
    assert_eq!(over_edges(&report, Some("entry")), [10, 11, 10, 10]);
    assert_balanced(&report);
}

#[test]
fn the_shortest_queue_is_joined() {
    let (mut manual, source) = idle(64, 4, Balance::ShortestQueue);
    source.send_all(vec![0; 5]).unwrap();
    assert_eq!(depths(&manual), [5, 0, 0, 0], "all of a `send_all` go to one");
    (0..15).for_each(|n| source.send(n).unwrap());
    assert_eq!(depths(&manual), [5, 5, 5, 5]);
    manual.run_until_idle();
    assert_balanced(&manual.report());
}

#[test]
fn what_a_batch_has_sent_and_not_published_counts_for_the_shortest() {
    let send = |cx: &mut Context, render: &Sink<u32>, n| {
        cx.send_all(render, vec![n; 3]).unwrap();
        (0..9).for_each(|_| cx.send(render, n).unwrap());
    };
    let (mut manual, source) = behind(64, 4, Balance::ShortestQueue, send);
    source.send(0).unwrap();
    manual.step();
    assert_eq!(depths(&manual), [3, 3, 3, 3, 0]);
}

#[test]
fn a_busy_replica_with_an_empty_queue_is_not_the_shortest() {
    // Whichever replica's turn it is among equals.
    for turn in 0..3 {
        let (mut graph, render) = declare(64, 3, Balance::ShortestQueue);
        let source = graph.source(render).unwrap();
        let inside: Vec<_> = (0..=turn).map(|_| source.clone()).collect();
        graph
            .attach_each(render, |_wire| {
                move |event: u32, _: &mut Context| {
                    if event == 1 {
                        inside[turn].send(0).unwrap();
                    }
                }
            })
            .unwrap();
        let mut manual = manual(graph);
        source.send(1).unwrap();
        manual.run_until_idle();
        let report = manual.report();
        assert_eq!((report.stages[0].accepted, report.events.handled), (1, 2), "turn {turn}");
        assert_balanced(&report);
    }
}

#[test]
fn a_pending_event_counts_for_the_shortest() {
    for turn in 0..3 {
        let (mut graph, render) = declare(64, 3, Balance::ShortestQueue);
        let source = graph.source(render).unwrap();
        let clones: Vec<_> = (0..=turn).map(|_| source.clone()).collect();
        let held = Arc::new(Mutex::new(Vec::new()));
        let hold = Arc::clone(&held);
        graph
            .attach_each(render, |_wire| move |_, cx| hold.lock().push(cx.defer().unwrap()))
            .unwrap();
        let mut manual = manual(graph);
        source.send(0).unwrap();
        manual.step();
        clones[turn].send(0).unwrap();
        manual.step();
        assert_eq!(manual.report().stages[0].pending, 1, "turn {turn}");
        held.lock().clear();
        assert_balanced(&manual.report());
    }
}

#[test]
fn two_choices_in_a_graph_are_those_of_the_chooser() {
    let (manual, source) = idle(4_000, 4, Balance::TwoChoices);
    // The first source's seed.
    let chooser = Chooser::new(Balance::TwoChoices, 4, 0);
    let mut expected = vec![0; 4];
    for n in 0..1_000 {
        source.send(n).unwrap();
        let replica = chooser.choose(|replica| expected[replica]);
        expected[replica] += 1;
    }
    assert_eq!(depths(&manual), expected);
    let spread = expected.iter().max().unwrap() - expected.iter().min().unwrap();
    assert!(spread <= 4, "{expected:?}");
}

#[test]
fn a_send_is_refused_only_when_no_replica_has_room_and_then_counted_once() {
    for balance in SEVERAL {
        let (manual, source) = idle(10, 4, balance);
        (0..10).for_each(|n| source.send(n).unwrap());
        let mut sorted = depths(&manual);
        sorted.sort_unstable();
        assert_eq!(sorted, [2, 2, 3, 3], "{balance}");
        let error = source.send(10).unwrap_err();
        assert_eq!((error.reason(), error.into_event()), (RefusalReason::Full, 10));
        assert_eq!(source.reserve(1).unwrap_err().reason(), RefusalReason::Full);
        assert_eq!(source.send_all(vec![1; 4]).unwrap_err().reason(), RefusalReason::TooLarge);
        let report = manual.report();
        assert_eq!((refused(&report), report.events.refused), (6, 6), "{balance}");
        assert_balanced(&report);
    }
}

#[test]
fn a_handlers_sends_fill_every_place_of_all_replicas_too() {
    for balance in SEVERAL {
        let results = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&results);
        let (mut manual, source) = behind(10, 4, balance, move |cx, render, n| {
            let mut seen = seen.lock();
            (0..10).for_each(|_| cx.send(render, n).unwrap());
            seen.push(cx.send(render, n).unwrap_err().reason());
            seen.push(cx.reserve(render, 1).unwrap_err().reason());
            seen.push(cx.send_all(render, vec![n; 3]).unwrap_err().reason());
            seen.push(cx.send_all(render, vec![n; 4]).unwrap_err().reason());
        });
        source.send(0).unwrap();
        manual.step();
        let report = manual.report();
        let depth: usize = report.stages.iter().map(|stage| stage.queue.depth).sum();
        assert_eq!((depth, refused(&report)), (10, 9), "{balance}");
        let results = results.lock().clone();
        assert_eq!(results[..2], [RefusalReason::Full; 2]);
        // Two replicas could never hold three at once, the other two could.
        assert_eq!(results[2..], [RefusalReason::Full, RefusalReason::TooLarge]);
        manual.run_until_idle();
        assert_balanced(&manual.report());
    }
}

#[test]
fn places_reserved_are_one_replicas_and_come_back() {
    let (manual, source) = idle(8, 2, Balance::ShortestQueue);
    let mut permits = source.reserve(4).unwrap();
    permits.send_all([1, 2]);
    // Four are queued or reserved at the first; the rest goes to the second.
    (0..4).for_each(|n| source.send(n).unwrap());
    assert_eq!(depths(&manual), [2, 4]);
    assert_eq!(source.send(9).unwrap_err().reason(), RefusalReason::Full);
    drop(permits);
    source.send(9).unwrap();
    assert_eq!(depths(&manual), [3, 4]);
    assert_balanced(&manual.report());
}

#[test]
fn send_both_finds_room_at_two_replicas_or_takes_neither() {
    let both = |cx: &mut Context, render: &Sink<u32>, n| {
        drop(cx.send_both((render, n), (render, n)));
    };
    for balance in SEVERAL {
        let (mut manual, source) = behind(2, 2, balance, both);
        source.send(1).unwrap();
        manual.step();
        assert_eq!(depths(&manual), [1, 1, 0], "{balance}");
        source.send(2).unwrap();
        // The replicas come first in a step, so this one finds them empty again.
        manual.step();
        assert_eq!(depths(&manual), [1, 1, 0], "{balance}");
        manual.run_until_idle();
        assert_eq!(manual.report().events.handled, 6);
    }
    let send = move |cx: &mut Context, render: &Sink<u32>, n| {
        cx.send(render, n).unwrap();
        both(cx, render, n);
    };
    let (mut manual, source) = behind(2, 2, Balance::ShortestQueue, send);
    source.send(1).unwrap();
    manual.step();
    let report = manual.report();
    assert_eq!(
        (report.stages[0].queue.depth + report.stages[1].queue.depth, refused(&report)),
        (1, 1)
    );
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
fn of_a_shared_pool_one_worker_at_a_time_runs_a_replica() {
    let gate = support::Gate::default();
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
    // Both to the first. The other worker may not take what is left there, but what comes next.
    source.send_all(vec![0; 2]).unwrap();
    gate.wait_for(1);
    source.send(0).unwrap();
    gate.wait_for(2);
    let report = running.report();
    let inside = report.stages.iter().map(|stage| (stage.in_hand, stage.queued));
    assert_eq!(inside.collect::<Vec<_>>(), [(1, 1), (1, 0)]);
    gate.open();
    let drained = running.drain(support::LONG);
    assert_eq!(drained.report.events.handled, 3);
    assert_balanced(&drained.report);
}

#[test]
fn a_factory_is_told_its_replica_and_again_after_a_panic() {
    support::quiet_panics();
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
                            std::panic::panic_any(support::ON_PURPOSE)
                        }
                    }))
                }
            })
            .unwrap();
        let source = graph.source(render).unwrap();
        let mut manual = manual(graph);
        // One for each worker's first batch, then three more.
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
fn a_closed_replica_is_passed_over_although_its_queue_is_the_shortest() {
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
fn settings_are_said_of_all_replicas_or_of_one() {
    let (mut graph, render) = declare(64, 3, Balance::TwoChoices);
    graph.attach_each(render, |_wire| |_, _| {}).unwrap();
    graph.configure(render, StageConfig { capacity: Some(11), ..workers(2) }).unwrap();
    let file = "stages.render.soft = 6\nstages.\"render-2\" = { capacity = 9, workers = \"3\" }";
    graph.apply(toml::from_str::<GraphConfig>(file).unwrap()).unwrap();
    let report = manual(graph).report();
    let settings = report.stages.iter().map(|stage| {
        (stage.name.as_str(), stage.queue.capacity, stage.queue.soft, stage.workers.now)
    });
    let expected = [("render-1", 4, 2, 2), ("render-2", 9, 2, 3), ("render-3", 3, 2, 2)];
    assert_eq!(settings.collect::<Vec<_>>(), expected);
}

#[test]
fn replicas_that_cannot_be_are_errors_that_name_the_stage() {
    let attached = |capacity, count, balance| {
        let (mut graph, render) = declare(capacity, count, balance);
        graph.attach_each(render, |_wire| |_, _| {}).unwrap();
        graph
    };
    let error = |graph: Graph| -> GraphError {
        graph.start_manual(Arc::new(ManualClock::new())).map(drop).unwrap_err()
    };
    for balance in Balance::ALL {
        for count in [0, 65, usize::MAX] {
            let told = error(attached(1_000, count, balance)).to_string();
            let expected = format!("`stages.render.replicas` is {count}: allowed is 1 to 64");
            assert_eq!(told, expected, "{balance}");
        }
        manual(attached(1_000, 64, balance));
        manual(attached(1_000, 1, balance));
    }
    let told = error(attached(3, 4, Balance::RoundRobin)).to_string();
    assert!(told.contains("`stages.render.capacity` is 3: allowed is 4 or more"), "{told}");
    manual(attached(3, 4, Balance::Central));

    for name in ["render", "render-2"] {
        let mut graph = attached(64, 2, Balance::RoundRobin);
        let twin = graph.stage::<u32>(name, 8);
        graph.attach_each(twin, |_wire| |_, _| {}).unwrap();
        assert!(matches!(error(graph), GraphError::StageNameTwice { stage } if stage == name));
    }
}

#[test]
fn a_token_of_another_graph_is_recognised() {
    let (mut graph, _) = declare(64, 3, Balance::RoundRobin);
    let (_other, foreign) = declare(64, 3, Balance::RoundRobin);
    let entry = graph.stage::<u32>("entry", 8);
    assert!(matches!(graph.source(foreign), Err(GraphError::Foreign { .. })));
    assert!(matches!(graph.on_lost(foreign, |_, _| {}), Err(GraphError::Foreign { .. })));
    let attached = graph.attach_each(entry, |wire| {
        let _sink = wire.sink(foreign);
        |_, _| {}
    });
    assert!(matches!(attached, Err(GraphError::Foreign { .. })));
}

#[test]
fn attaching_and_on_lost_are_for_all_replicas_and_once() {
    let (mut graph, render) = declare(64, 3, Balance::RoundRobin);
    let lost = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lost);
    graph.on_lost(render, move |event, reason| heard.lock().push((event, reason))).unwrap();
    assert!(matches!(graph.on_lost(render, |_, _| {}), Err(GraphError::OnLostTwice { .. })));
    let mut wired = 0;
    graph
        .attach_each(render, |_wire| {
            wired += 1;
            |_, _| {}
        })
        .unwrap();
    assert_eq!(wired, 1);
    let again = graph.attach_each(render, |_wire| |_, _| {});
    assert!(matches!(again, Err(GraphError::AttachedTwice { .. })));
    let source = graph.source(render).unwrap();
    let manual = manual(graph);
    (0..6).for_each(|n| source.send(n).unwrap());
    let drained = manual.drain(0);
    let mut lost = lost.lock().clone();
    lost.sort_unstable_by_key(|(event, _)| *event);
    assert_eq!(lost, (0..6).map(|n| (n, LossReason::Drain)).collect::<Vec<_>>());
    assert_balanced(&drained.report);
}

#[test]
fn a_pending_event_sends_to_the_shortest_too() {
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
fn on_threads_nothing_is_lost_and_a_drain_ends() {
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
                let join = wire.waiting_sink(join, support::LONG);
                move |n, cx| cx.send_waiting(&join, n).unwrap()
            })
            .unwrap();
        graph.attach_each(join, |_wire| |_, _| {}).unwrap();
        graph.configure(split, workers(2)).unwrap();
        // It never binds, so that the valve has no reason to give anything up.
        graph.budget(10_000);
        let sources = [graph.source(split).unwrap(), graph.source(split).unwrap()];
        let running = graph.start().unwrap();
        std::thread::scope(|scope| {
            for source in &sources {
                scope.spawn(move || {
                    (0..2_000).for_each(|n| source.send_within(n, support::LONG).unwrap());
                });
            }
        });
        let drained = running.drain(support::LONG);
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
    let gate = support::Gate::default();
    let (mut graph, render) = declare(2, 2, Balance::RoundRobin);
    let entry = graph.stage::<u32>("entry", 64);
    graph
        .attach_each(entry, |wire| {
            let render = wire.waiting_sink(render, support::LONG);
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
    // One is held at the first replica and one queued there; the second does all others.
    support::wait_until("the second replica does the rest", || {
        running.report().stages[1].handled == 18
    });
    gate.open();
    let drained = running.drain(support::LONG);
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
