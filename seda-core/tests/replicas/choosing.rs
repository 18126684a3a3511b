//! The replica that a send goes to.

use super::*;

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
    // The worker has the first clone of the sink, so it begins with the second replica.
    assert_eq!(over_edges(&report, Some("entry")), [10, 11, 10, 10]);
    assert_balanced(&report);
}

#[test]
fn a_send_joins_the_shortest_queue() {
    let (mut manual, source) = idle(64, 4, Balance::ShortestQueue);
    source.send_all(vec![0; 5]).unwrap();
    assert_eq!(depths(&manual), [5, 0, 0, 0], "all of a `send_all` go to one");
    (0..15).for_each(|n| source.send(n).unwrap());
    assert_eq!(depths(&manual), [5, 5, 5, 5]);
    manual.run_until_idle();
    assert_balanced(&manual.report());
}

#[test]
fn unpublished_sends_of_a_batch_count_towards_the_shortest_queue() {
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
    // The busy replica is not chosen at any turn of the tie-break.
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
fn a_pending_event_counts_towards_the_shortest_queue() {
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
fn two_choices_in_a_graph_are_those_of_the_balancer() {
    let (manual, source) = idle(4_000, 4, Balance::TwoChoices);
    // The seed of the first source.
    let balancer = Balancer::new(Balance::TwoChoices, 4, 0);
    let mut expected = vec![0; 4];
    for n in 0..1_000 {
        source.send(n).unwrap();
        let replica = balancer.choose(|replica| expected[replica]);
        expected[replica] += 1;
    }
    assert_eq!(depths(&manual), expected);
    let spread = expected.iter().max().unwrap() - expected.iter().min().unwrap();
    assert!(spread <= 4, "{expected:?}");
}

#[test]
fn a_send_is_refused_only_when_all_replicas_are_full_and_is_counted_once() {
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
fn the_sends_of_a_handler_also_fill_every_place_of_all_replicas() {
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
        // Two replicas can never hold three at once; the other two can.
        assert_eq!(results[2..], [RefusalReason::Full, RefusalReason::TooLarge]);
        manual.run_until_idle();
        assert_balanced(&manual.report());
    }
}

#[test]
fn permits_belong_to_one_replica_and_are_released() {
    let (manual, source) = idle(8, 2, Balance::ShortestQueue);
    let mut permits = source.reserve(4).unwrap();
    permits.send_all([1, 2]);
    // Four are queued or reserved at the first replica; the rest goes to the second.
    (0..4).for_each(|n| source.send(n).unwrap());
    assert_eq!(depths(&manual), [2, 4]);
    assert_eq!(source.send(9).unwrap_err().reason(), RefusalReason::Full);
    drop(permits);
    source.send(9).unwrap();
    assert_eq!(depths(&manual), [3, 4]);
    assert_balanced(&manual.report());
}

#[test]
fn send_both_finds_places_at_two_replicas_or_takes_neither() {
    let both = |cx: &mut Context, render: &Sink<u32>, n| {
        drop(cx.send_both((render, n), (render, n)));
    };
    for balance in SEVERAL {
        let (mut manual, source) = behind(2, 2, balance, both);
        source.send(1).unwrap();
        manual.step();
        assert_eq!(depths(&manual), [1, 1, 0], "{balance}");
        source.send(2).unwrap();
        // The replicas run first in a step, so this event finds them empty again.
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
