//! The overload valve: exact victims where one thread steps the graph, bounds and conservation
//! where many threads flood it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, assert_balanced};
use parking_lot::Mutex;
use seda_core::{
    Class, Controller, Graph, GraphConfig, LossReason, Manual, ManualClock, Mode, OverloadPolicy,
    RefusalReason, SendOptions, Source, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);

struct Lab {
    graph: Manual,
    clock: Arc<ManualClock>,
    left: Source<u32>,
    right: Source<u32>,
    /// The victims, in the order in which their owners are notified.
    lost: Arc<Mutex<Vec<(u32, LossReason)>>>,
}

/// Returns two parallel stages, `left` and `right`; events stay queued until a step.
fn lab(budget: usize, policy: OverloadPolicy, mode: Mode) -> Lab {
    let mut graph = Graph::new("lab");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let mut config = GraphConfig { budget: Some(budget), ..GraphConfig::default() };
    (config.control.valve, config.control.overload) = (mode, policy);
    graph.apply(config).unwrap();
    let lost: Arc<Mutex<Vec<_>>> = Arc::default();
    let mut stage = |name| {
        let stage = graph.stage::<u32>(name, 64);
        graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
        let lost = Arc::clone(&lost);
        graph.on_lost(stage, move |event, reason| lost.lock().push((event, reason))).unwrap();
        graph.source(stage).unwrap()
    };
    let (left, right) = (stage("left"), stage("right"));
    let clock = Arc::new(ManualClock::new());
    let graph = graph.start_manual(clock.clone()).unwrap();
    Lab { graph, clock, left, right, lost }
}

impl Lab {
    /// Returns the victims so far, without a turn of any stage.
    fn victims(&mut self) -> Vec<(u32, LossReason)> {
        self.graph.tell_owners();
        std::mem::take(&mut *self.lost.lock())
    }

    fn depths(&self) -> (usize, usize) {
        let stages = self.graph.report().stages;
        (stages[0].queue.depth, stages[1].queue.depth)
    }
}

fn fill(source: &Source<u32>, class: Class, events: std::ops::Range<u32>) {
    let source = source.with_options(SendOptions { class, ..SendOptions::default() });
    events.for_each(|event| source.send(event).unwrap());
}

fn valve(events: &[u32]) -> Vec<(u32, LossReason)> {
    events.iter().map(|event| (*event, LossReason::Valve)).collect()
}

#[test]
fn at_the_budget_an_entry_is_refused_unless_a_strictly_lower_class_is_queued() {
    let mut lab = lab(4, OverloadPolicy::LongestQueue, Mode::On);
    fill(&lab.left, GOLD, 0..4);
    for class in [GOLD, BASIC] {
        let entry = lab.left.with_options(SendOptions { class, ..SendOptions::default() });
        assert_eq!(entry.send(9).unwrap_err().reason(), RefusalReason::Budget);
    }
    assert_eq!((lab.victims(), lab.depths()), (vec![], (4, 0)));
    assert_balanced(&lab.graph.report());
}

#[test]
fn the_longest_queue_gives_its_lowest_class_oldest_first_down_to_the_second_longest() {
    let mut lab = lab(10, OverloadPolicy::LongestQueue, Mode::On);
    fill(&lab.left, GOLD, 0..2);
    fill(&lab.left, BASIC, 10..15);
    fill(&lab.right, BASIC, 20..23);
    fill(&lab.right, GOLD, 30..31);
    // 7 and 3 are queued: four of `left` are evicted, and the new event gets one of their places.
    assert_eq!(lab.victims(), valve(&[10, 11, 12, 13]));
    assert_eq!(lab.depths(), (3, 4));
    let report = lab.graph.report();
    assert_eq!(report.budget.used, 7);
    assert_eq!(report.stages[0].shed["valve"], 4);
    let decision = report.journal.last().unwrap();
    assert_eq!((decision.controller, decision.changed.as_str()), (Controller::Valve, "7 → 3"));
    assert!(decision.acted && decision.seen.contains("depths left 7, right 3"), "{decision}");
    assert_balanced(&report);
}

#[test]
fn a_flood_at_the_budget_writes_one_entry_per_tick_and_stage_and_keeps_other_entries() {
    let mut lab = lab(20, OverloadPolicy::LongestQueue, Mode::On);
    let settings = "budget = 20\n[control]\nstuck_after = '9s'";
    lab.graph.reconfigure(&toml::from_str(settings).unwrap()).unwrap();
    // 2,000 events/s for 3 s; a gold event displaces each basic one.
    for tick in 0..30 {
        for event in 0..100 {
            fill(&lab.left, BASIC, event..event + 1);
            if event % 20 == 19 {
                (0..20).for_each(|gold| fill(&lab.right, GOLD, gold..gold + 1));
                lab.graph.run_until_idle();
            }
        }
        lab.clock.advance(Duration::from_millis(100));
        lab.graph.tick();
        assert!(lab.graph.report().journal.len() <= 2 + tick, "{tick}");
    }
    let journal = lab.graph.report().journal;
    let valve = || journal.iter().filter(|entry| entry.controller == Controller::Valve);
    assert_eq!((valve().count(), journal[0].controller), (30, Controller::Settings));
    let last = valve().next_back().unwrap();
    // Five rounds of twenty basic events: the first gold event evicts sixteen of them, which leaves
    // fifteen places, and each of the last four gold events evicts one.
    assert_eq!(
        last.action,
        "evicted 100 of class basic for 25 of class gold from `left`, the longest queue with a \
         victim"
    );
    assert!(last.seen.ends_with("an entry of class gold into `right`"), "{last}");
    assert_balanced(&lab.graph.report());
}

#[test]
fn an_observer_journals_once_per_tick_the_events_it_would_evict() {
    let mut lab = lab(4, OverloadPolicy::LongestQueue, Mode::Observe);
    fill(&lab.left, BASIC, 0..4);
    let entry = lab.right.with_options(SendOptions { class: GOLD, ..SendOptions::default() });
    (0..50).for_each(|event| drop(entry.send(event)));
    lab.graph.tick();
    let journal = lab.graph.report().journal;
    assert_eq!((journal.len(), journal[0].acted), (1, false));
    let action = "evicted 50 for 50 of class gold from `left`, the longest queue with a victim";
    assert_eq!(journal[0].action, action);
    assert_eq!(lab.depths(), (4, 0));
}

#[test]
fn a_decision_evicts_at_most_sixteen() {
    let mut lab = lab(40, OverloadPolicy::LongestQueue, Mode::On);
    fill(&lab.left, BASIC, 0..40);
    fill(&lab.right, GOLD, 90..91);
    assert_eq!(lab.victims(), valve(&(0..16).collect::<Vec<_>>()));
}

#[test]
fn among_equally_long_queues_the_first_declared_has_the_victim() {
    let mut lab = lab(6, OverloadPolicy::LongestQueue, Mode::On);
    fill(&lab.left, BASIC, 0..3);
    fill(&lab.right, BASIC, 10..13);
    fill(&lab.right, GOLD, 90..91);
    assert_eq!((lab.victims(), lab.depths()), (valve(&[0]), (2, 4)));
}

#[test]
fn expired_events_at_the_head_of_a_lane_are_evicted_first_in_any_class() {
    let mut lab = lab(5, OverloadPolicy::LongestQueue, Mode::On);
    let soon = SendOptions {
        class: GOLD,
        deadline: Some(Duration::from_millis(1)),
        ..SendOptions::default()
    };
    lab.left.with_options(soon).send(0).unwrap();
    fill(&lab.left, GOLD, 1..2);
    fill(&lab.left, BASIC, 10..13);
    lab.clock.advance(Duration::from_millis(1));
    fill(&lab.right, GOLD, 90..91);
    // Three lower events are eligible; the expired one is evicted before two of them.
    let expected = [(0, LossReason::Expired), (10, LossReason::Valve), (11, LossReason::Valve)];
    assert_eq!(lab.victims(), expected);
    assert_balanced(&lab.graph.report());
}

#[test]
fn tail_drop_evicts_the_newest_of_the_queue_that_the_new_event_is_sent_to() {
    let mut lab = lab(6, OverloadPolicy::TailDrop, Mode::On);
    fill(&lab.left, BASIC, 0..4);
    fill(&lab.right, BASIC, 10..12);
    fill(&lab.right, GOLD, 90..91);
    assert_eq!((lab.victims(), lab.depths()), (valve(&[11]), (4, 2)));
    // `right` has one lower event left: the next send evicts it, and later sends find no victim.
    fill(&lab.right, GOLD, 91..92);
    assert_eq!(lab.victims(), valve(&[10]));
    let entry = lab.right.with_options(SendOptions { class: GOLD, ..SendOptions::default() });
    assert_eq!(entry.send(92).unwrap_err().reason(), RefusalReason::Budget);
}

#[test]
fn random_drop_evicts_one_and_is_repeatable() {
    let run = || {
        let mut lab = lab(20, OverloadPolicy::Random, Mode::On);
        fill(&lab.left, BASIC, 0..15);
        fill(&lab.right, BASIC, 15..20);
        fill(&lab.right, GOLD, 90..95);
        lab.victims()
    };
    let victims = run();
    assert_eq!(victims.len(), 5);
    assert!(victims.iter().all(|(event, reason)| *event < 20 && *reason == LossReason::Valve));
    assert_eq!(run(), victims);
}

#[test]
fn without_a_policy_or_with_the_valve_off_nothing_is_evicted() {
    for (policy, mode) in [
        (OverloadPolicy::None, Mode::On),
        (OverloadPolicy::LongestQueue, Mode::Off),
        (OverloadPolicy::LongestQueue, Mode::Observe),
    ] {
        let mut lab = lab(4, policy, mode);
        fill(&lab.left, BASIC, 0..4);
        let entry = lab.right.with_options(SendOptions { class: GOLD, ..SendOptions::default() });
        assert_eq!(entry.send(9).unwrap_err().reason(), RefusalReason::Budget);
        assert_eq!((lab.victims(), lab.depths()), (vec![], (4, 0)));
        let observed = lab.graph.report().journal;
        assert_eq!(observed.len(), usize::from(mode == Mode::Observe));
        assert!(observed.iter().all(|decision| !decision.acted));
    }
}

#[test]
fn fan_out_may_evict_its_own_class_and_the_service_already_spent_is_counted() {
    let mut graph = Graph::new("tandem");
    graph.apply(GraphConfig { budget: Some(3), ..GraphConfig::default() }).unwrap();
    let first = graph.stage::<u32>("first", 8);
    let second = graph.stage::<u32>("second", 8);
    let clock = Arc::new(ManualClock::new());
    let work = Arc::clone(&clock);
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |event, cx| {
                work.advance(Duration::from_millis(1));
                for part in 0..2 {
                    cx.send(&second, event * 10 + part).unwrap();
                }
            }
        })
        .unwrap();
    // Its workers stay busy elsewhere: only the valve takes events from the queue.
    graph
        .attach(second, |_wire| {
            || {
                if false {
                    Ok(seda_core::each(|_e: u32, _cx: &mut seda_core::Context| {}))
                } else {
                    Err("later".into())
                }
            }
        })
        .unwrap();
    let lost: Arc<Mutex<Vec<u32>>> = Arc::default();
    let told = Arc::clone(&lost);
    graph.on_lost(second, move |event, _reason| told.lock().push(event)).unwrap();
    let source = graph.source(first).unwrap();
    let mut graph = graph.start_manual(clock).unwrap();
    for event in [1, 2] {
        source.send(event).unwrap();
        graph.step();
    }
    // The second part of the second event finds the budget full: the longest queue shrinks to the
    // length of the other, zero, and each victim has cost a millisecond in `first`.
    assert_eq!(*lost.lock(), [10, 11]);
    let report = graph.report();
    assert_eq!(report.stages[1].shed["valve"], 2);
    assert!((report.stages[1].wasted_seconds - 0.002).abs() < 1e-6);
    assert_balanced(&report);
}

#[test]
fn under_a_flood_from_many_threads_bounds_and_ledgers_hold_in_every_scrape() {
    let mut graph = Graph::new("flood");
    graph.classes(&[("gold", 4), ("basic", 1)]);
    graph.apply(GraphConfig { budget: Some(64), ..GraphConfig::default() }).unwrap();
    let first = graph.stage::<u32>("first", 48);
    let second = graph.stage::<u32>("second", 48);
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |event, cx| {
                for _ in 0..event % 3 {
                    drop(cx.send(&second, event));
                }
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |_event, _cx| {}).unwrap();
    for stage in [first, second] {
        let workers = Some(WorkerRange::exactly(2));
        graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    }
    let source = graph.source(first).unwrap();
    let running = graph.start().unwrap();
    std::thread::scope(|scope| {
        let senders: Vec<_> = [GOLD, BASIC, BASIC]
            .into_iter()
            .map(|class| {
                let entry = source.with_options(SendOptions { class, ..SendOptions::default() });
                scope.spawn(move || (0..30_000).for_each(|event| drop(entry.send(event))))
            })
            .collect();
        while !senders.iter().all(|sender| sender.is_finished()) {
            let report = running.report();
            assert_balanced(&report);
            assert!(report.stages.iter().all(|stage| stage.queue.depth <= 48));
        }
    });
    let drained = running.drain(LONG);
    assert!(drained.complete);
    let entered: u64 = drained.report.stages[0].offered;
    assert_eq!((entered, drained.report.budget.used), (90_000, 0));
    assert_balanced(&drained.report);
}
