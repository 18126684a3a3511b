//! The declaration, wiring and settings of replicas.

use super::*;

#[test]
fn settings_apply_to_all_replicas_or_to_one() {
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
fn impossible_replicas_are_errors_that_name_the_stage() {
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
            let expected = format!("`stages.render.replicas` is {count}; allowed: 1 to 64");
            assert_eq!(told, expected, "{balance}");
        }
        manual(attached(1_000, 64, balance));
        manual(attached(1_000, 1, balance));
    }
    let told = error(attached(3, 4, Balance::RoundRobin)).to_string();
    assert!(told.contains("`stages.render.capacity` is 3; allowed: 4 or more"), "{told}");
    manual(attached(3, 4, Balance::Central));

    for name in ["render", "render-2"] {
        let mut graph = attached(64, 2, Balance::RoundRobin);
        let twin = graph.stage::<u32>(name, 8);
        graph.attach_each(twin, |_wire| |_, _| {}).unwrap();
        assert!(matches!(error(graph), GraphError::StageNameTwice { stage } if stage == name));
    }
}

#[test]
fn a_token_of_another_graph_is_refused() {
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
fn attach_and_on_lost_cover_all_replicas_and_are_allowed_once() {
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
