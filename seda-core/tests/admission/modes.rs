//! On, observing, off, and from one to the other live; and the watch for hot pools.

use crate::plant::{BASIC, MS, Plant, SLO, plant, promised};
use seda_core::{Controller, GraphConfig, Manual, Mode};
use std::time::Duration;

fn mode(mode: Mode) -> GraphConfig {
    let mut config = promised(SLO);
    config.control.admission = mode;
    config
}

#[test]
fn observing_refuses_nothing_and_says_whom_it_would_have_refused() {
    for routed in [true, false] {
        let mut plant = plant(MS, mode(Mode::Observe), routed);
        plant.world.offer(BASIC, 2_000.0);
        plant.run(Duration::from_secs(1));
        let report = plant.graph.report();
        assert_eq!(plant.world.sent(BASIC).1, 0);
        let gate = report.stages[usize::from(routed)].gate.as_ref().unwrap();
        if routed {
            assert!(gate.turned_away["basic"] > 500, "{:?}", gate.turned_away);
            let decided = report.journal.iter().find(|entry| entry.action.starts_with("began"));
            assert!(!decided.unwrap().acted);
        }
        let refused = report.stages.iter().map(|stage| stage.refused.len());
        assert_eq!(refused.sum::<usize>(), 0);
        plant.end();
    }
}

#[test]
fn who_only_observes_from_now_on_refuses_nobody_any_more_and_sheds_nothing_before_its_time() {
    for routed in [true, false] {
        let mut plant = plant(MS, mode(Mode::On), routed);
        plant.world.offer(BASIC, 2_000.0);
        plant.run(Duration::from_secs(2));
        let ends = |plant: &Plant| {
            let report = plant.graph.report();
            let refused = report.stages.iter().map(|stage| stage.refused.values().sum::<u64>());
            let shed = report.stages.iter().map(|stage| stage.shed.values().sum::<u64>());
            refused.sum::<u64>() + shed.sum::<u64>()
        };
        assert!(ends(&plant) > 1_000, "{}", ends(&plant));
        plant.graph.reconfigure(&mode(Mode::Observe)).unwrap();
        let before = ends(&plant);
        plant.run(Duration::from_millis(500));
        // Who was let in before has the deadline that it was given.
        assert!(ends(&plant) - before < 100, "{before} {}", ends(&plant));
        let before = ends(&plant);
        plant.run(Duration::from_millis(500));
        assert_eq!(ends(&plant), before);
        plant.graph.reconfigure(&mode(Mode::On)).unwrap();
        plant.run(Duration::from_secs(3));
        assert!(ends(&plant) > before + 1_000);
        plant.end();
    }
}

#[test]
fn whom_a_promise_is_made_to_while_a_flood_comes_is_bounded_before_the_next_tick() {
    let mut plant = plant(MS, mode(Mode::Off), true);
    plant.run(Duration::from_secs(1));
    plant.graph.reconfigure(&promised(SLO)).unwrap();
    (0..100).for_each(|_| plant.world.send(BASIC));
    assert_eq!(plant.world.sent(BASIC), (100, 87));
    plant.end();
}

#[test]
fn switched_off_the_queue_grows_and_switched_on_live_it_is_worked_off() {
    let mut off = promised(SLO);
    off.control.admission = Mode::Off;
    let mut plant = plant(MS, off, true);
    plant.world.offer(BASIC, 1_500.0);
    plant.run(Duration::from_secs(3));
    assert!(plant.world.slowest(BASIC) > SLO, "{:?}", plant.world.slowest(BASIC));
    assert!(plant.graph.report().stages.iter().all(|stage| stage.gate.is_none()));
    plant.graph.reconfigure(&promised(SLO)).unwrap();
    plant.run(Duration::from_secs(4));
    plant.world.responses.lock()[BASIC.index()].clear();
    plant.run(Duration::from_secs(2));
    let world = plant.end();
    assert!(world.slowest(BASIC) <= SLO, "{:?}", world.slowest(BASIC));
}

#[test]
fn a_pool_that_is_full_and_stays_so_is_flagged_once_and_unflagged_once() {
    let mut plant = plant(MS, promised(SLO), true);
    plant.world.offer(BASIC, 300.0);
    plant.run(Duration::from_secs(3));
    assert!(plant.graph.report().stages.iter().all(|stage| !stage.hot));
    plant.world.offer(BASIC, 3_000.0);
    plant.run(Duration::from_secs(3));
    assert!(plant.graph.report().stages.iter().all(|stage| stage.hot));
    plant.world.offer(BASIC, 300.0);
    plant.run(Duration::from_secs(3));
    let journal = plant.graph.report().journal;
    let flags = journal.iter().filter(|entry| entry.controller == Controller::Hotspot);
    let flags: Vec<&str> = flags.map(|entry| entry.changed.as_str()).collect();
    assert_eq!(flags, ["hot false → true", "hot true → false"]);
    plant.end();
}

#[test]
fn the_watch_for_hot_pools_flags_only_when_it_is_on_and_by_the_bounds_that_were_set() {
    let mut config = promised(SLO);
    config.control.hotspot = Mode::Observe;
    let mut plant = plant(MS, config.clone(), true);
    plant.world.offer(BASIC, 3_000.0);
    plant.run(Duration::from_secs(3));
    let hot = |graph: &Manual| graph.report().stages.iter().all(|stage| stage.hot);
    let told = |graph: &Manual| {
        let journal = graph.report().journal.into_iter();
        let flags = journal.filter(|entry| entry.controller == Controller::Hotspot);
        flags.map(|entry| (entry.changed, entry.acted)).collect::<Vec<_>>()
    };
    let observed = ("hot false → true".to_owned(), false);
    assert!(!hot(&plant.graph));
    assert_eq!(told(&plant.graph), std::slice::from_ref(&observed));
    // What was observed is done from the next tick on.
    config.control.hotspot = Mode::On;
    plant.graph.reconfigure(&config).unwrap();
    plant.run(MS * 100);
    assert!(hot(&plant.graph));
    // Eight of eight, seen anew.
    (config.control.hot.least, config.control.hot.of) = (8, 8);
    plant.graph.reconfigure(&config).unwrap();
    plant.run(MS * 500);
    assert!(!hot(&plant.graph));
    plant.run(MS * 500);
    assert!(hot(&plant.graph));
    config.control.hotspot = Mode::Off;
    plant.graph.reconfigure(&config).unwrap();
    plant.run(Duration::from_secs(3));
    assert!(!hot(&plant.graph));
    assert_eq!(told(&plant.graph), [observed, ("hot false → true".to_owned(), true)]);
    plant.end();
}
