//! The modes on, observe and off, their live changes, and hot pools.

use crate::admission::plant::{BASIC, MS, Plant, SLO, Sent, plant, with_slo};
use seda_core::{Controller, GraphConfig, Manual, Mode};
use std::time::Duration;

fn mode(mode: Mode) -> GraphConfig {
    let mut config = with_slo(SLO);
    config.control.admission = mode;
    config
}

#[test]
fn an_observing_controller_refuses_no_request_and_reports_those_it_would_have_refused() {
    for routed in [true, false] {
        let mut plant = plant(MS, mode(Mode::Observe), routed);
        plant.world.offer(BASIC, 2_000.0);
        plant.run(Duration::from_secs(1));
        let report = plant.graph.report();
        assert_eq!(plant.world.sent(BASIC).refused, 0);
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
fn after_a_change_to_observe_no_request_is_refused_and_no_event_shed_early() {
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
        // Requests admitted before keep their deadlines.
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
fn an_slo_set_during_a_flood_bounds_admission_before_the_next_tick() {
    let mut plant = plant(MS, mode(Mode::Off), true);
    plant.run(Duration::from_secs(1));
    plant.graph.reconfigure(&with_slo(SLO)).unwrap();
    // A worker serves one, and 256 may wait before the first measurement.
    (0..400).for_each(|_| plant.world.send(BASIC));
    assert_eq!(plant.world.sent(BASIC), Sent { offered: 400, refused: 143 });
    plant.end();
}

#[test]
fn without_admission_the_queue_grows_and_after_a_live_change_it_shrinks() {
    let mut off = with_slo(SLO);
    off.control.admission = Mode::Off;
    let mut plant = plant(MS, off, true);
    plant.world.offer(BASIC, 1_500.0);
    plant.run(Duration::from_secs(3));
    assert!(plant.world.slowest(BASIC) > SLO, "{:?}", plant.world.slowest(BASIC));
    assert!(plant.graph.report().stages.iter().all(|stage| stage.gate.is_none()));
    plant.graph.reconfigure(&with_slo(SLO)).unwrap();
    plant.run(Duration::from_secs(4));
    plant.world.responses.lock()[BASIC.index()].clear();
    plant.run(Duration::from_secs(2));
    let world = plant.end();
    assert!(world.slowest(BASIC) <= SLO, "{:?}", world.slowest(BASIC));
}

#[test]
fn a_persistently_busy_pool_is_flagged_once_and_unflagged_once() {
    let mut plant = plant(MS, with_slo(SLO), true);
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
fn the_hotspot_controller_flags_only_when_on_and_by_its_settings() {
    let mut config = with_slo(SLO);
    config.control.hotspot = Mode::Observe;
    let mut plant = plant(MS, config.clone(), true);
    plant.world.offer(BASIC, 3_000.0);
    plant.run(Duration::from_secs(3));
    let hot = |graph: &Manual| graph.report().stages.iter().all(|stage| stage.hot);
    let flags = |graph: &Manual| {
        let journal = graph.report().journal.into_iter();
        let entries = journal.filter(|entry| entry.controller == Controller::Hotspot);
        entries.map(|entry| (entry.changed, entry.acted)).collect::<Vec<_>>()
    };
    let observed = ("hot false → true".to_owned(), false);
    assert!(!hot(&plant.graph));
    assert_eq!(flags(&plant.graph), std::slice::from_ref(&observed));
    // From the next tick on, the observed decision takes effect.
    config.control.hotspot = Mode::On;
    plant.graph.reconfigure(&config).unwrap();
    plant.run(MS * 100);
    assert!(hot(&plant.graph));
    // Eight of eight new observations.
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
    assert_eq!(flags(&plant.graph), [observed, ("hot false → true".to_owned(), true)]);
    plant.end();
}
