//! New settings for a running graph: set whole or not at all, each takes effect, bounds hold in
//! every step, and each change is journaled.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod queues;

use crate::support::{assert_balanced, class};
use parking_lot::Mutex;
use seda_core::control::{PoolObservation, PoolSizePolicy};
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Pending, ReconfigureError,
    RefusalReason, SettingsError, Source, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn config(text: &str) -> GraphConfig {
    toml::from_str(text).unwrap()
}

/// Sets `text`, and returns the changes as text.
#[track_caller]
fn set(graph: &mut Manual, text: &str) -> Vec<String> {
    let changes = graph.reconfigure(&config(text)).unwrap();
    changes.iter().map(ToString::to_string).collect()
}

/// A graph with two classes; `own` has a pool of its own and records its events, and `a` and `b`
/// share the pool `both`.
struct Small {
    graph: Manual,
    own: Source<u32>,
    shared: [Source<u32>; 2],
    handled: Arc<Mutex<Vec<u32>>>,
}

fn small() -> Small {
    let clock = Arc::new(ManualClock::new());
    let handled: Arc<Mutex<Vec<u32>>> = Arc::default();
    let mut graph = Graph::new("small");
    graph.classes(&[("gold", 3), ("basic", 1)]);
    let both = graph.pool("both", WorkerRange::exactly(1));
    let own = graph.stage::<u32>("own", 64);
    let noted = Arc::clone(&handled);
    graph.attach_each(own, |_wire| move |event, _cx| noted.lock().push(event)).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(own, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let shared = ["a", "b"].map(|name| {
        let stage = graph.stage::<u32>(name, 1_000);
        let time = Arc::clone(&clock);
        // A millisecond each, so a batch is one event.
        let handle = move |_event, _cx: &mut Context| time.advance(Duration::from_millis(1));
        graph.attach_each_in(&both, stage, |_wire| handle).unwrap();
        graph.source(stage).unwrap()
    });
    graph.budget(1_500);
    let own = graph.source(own).unwrap();
    Small { graph: graph.start_manual(clock).unwrap(), own, shared, handled }
}

impl Small {
    /// Fills `own`, and returns the number of accepted events.
    fn fill(&self) -> usize {
        (0..10_000).take_while(|event| self.own.send(*event).is_ok()).count()
    }
}

const EVERYTHING: &str = r#"
    budget = 1000
    statistics = false
    [control]
    tick = "200ms"
    pool_size = "off"
    batch_size = "observe"
    valve = "observe"
    overload = "tail_drop"
    wait_target = "6ms"
    idle_after = "7s"
    stuck_after = "8s"
    [classes]
    gold = 5
    basic = 2
    [stages.own]
    capacity = 32
    soft = 16
    batch = 4
    weight = 2
    cap = 3
    pending = 9
    outstanding = 5
    workers = "2..4"
    [pools.both]
    workers = "1..3"
"#;

const EVERY_CHANGE: [&str; 21] = [
    "`budget`: 1500 → 1000",
    "`statistics`: true → false",
    "`control.tick`: 100ms → 200ms",
    "`control.pool_size`: on → off",
    "`control.batch_size`: on → observe",
    "`control.valve`: on → observe",
    "`control.overload`: longest_queue → tail_drop",
    "`control.wait_target`: 5ms → 6ms",
    "`control.idle_after`: 5s → 7s",
    "`control.stuck_after`: 10s → 8s",
    "`classes.gold`: 3 → 5",
    "`classes.basic`: 1 → 2",
    "`stages.own.capacity`: 64 → 32",
    "`stages.own.soft`: the capacity → 16",
    "`stages.own.batch`: 32 → 4",
    "`stages.own.weight`: 1 → 2",
    "`stages.own.cap`: all workers → 3",
    "`stages.own.pending`: 1024 → 9",
    "`stages.own.outstanding`: unbounded → 5",
    "`stages.own.workers`: 1..1 → 2..4",
    "`pools.both.workers`: 1..1 → 1..3",
];

#[test]
fn with_one_bad_key_among_all_nothing_changes() {
    let mut small = small();
    small.own.send(1).unwrap();
    let before = small.graph.report();
    let bad = [
        ("budget = 1000", "budget = 0", "`budget` is 0"),
        ("\"200ms\"", "\"1us\"", "`control.tick` is 1µs"),
        ("gold = 5", "gold = 0", "`classes.gold` is 0; allowed: 1 to 1000000"),
        (
            "gold = 5",
            "silver = 5",
            "`classes.silver` names no class of this graph; it has `gold`, `basic`",
        ),
        ("capacity = 32", "capacity = 0", "stage `own` has capacity 0"),
        ("capacity = 32", "capacity = 8", "`stages.own.soft` is 16; allowed: 1 to the capacity, 8"),
        ("batch = 4", "batch = 5000", "`stages.own.batch` is 5000"),
        ("weight = 2", "weight = 0", "`stages.own.weight` is 0"),
        ("cap = 3", "cap = 0", "`stages.own.cap` is 0"),
        ("outstanding = 5", "outstanding = 0", "`stages.own.outstanding` is 0"),
        (
            "outstanding = 5",
            "outstanding = 10",
            "`stages.own.outstanding` is 10; allowed: 1 to the stage's `pending`, 9",
        ),
        ("[stages.own]", "[stages.won]", "`stages.won` names no stage"),
        ("[pools.both]", "[pools.booth]", "`pools.booth` names no pool"),
        ("[pools.both]", "[stages.a]", "`stages.a.workers` is 1..3; allowed: nothing for a stage"),
    ];
    for (good, bad, expected) in bad {
        let text = EVERYTHING.replacen(good, bad, 1);
        assert_ne!(text, EVERYTHING);
        let error = small.graph.reconfigure(&config(&text)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_eq!(small.graph.report(), before);
    }
    let range = WorkerRange::new(3, 2);
    let mut empty = config(EVERYTHING);
    empty.pools.get_mut("both").unwrap().workers = range;
    let error = small.graph.reconfigure(&empty).unwrap_err();
    let ReconfigureError::Settings(SettingsError::EmptyRange { pool, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(pool, "both");
    assert_eq!(small.graph.report(), before);
    // No part of it is kept for later either.
    assert_eq!(set(&mut small.graph, EVERYTHING), EVERY_CHANGE);
}

#[test]
fn every_change_is_journaled_once_and_nothing_else_is() {
    let mut small = small();
    let heard = small.graph.journal();
    assert_eq!(set(&mut small.graph, ""), [""; 0]);
    assert_eq!(set(&mut small.graph, EVERYTHING), EVERY_CHANGE);
    assert_eq!(set(&mut small.graph, EVERYTHING), [""; 0]);
    let journal = small.graph.report().journal;
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), journal);
    let entries: Vec<String> = journal
        .iter()
        .map(|entry| {
            assert_eq!((entry.controller, entry.acted), (Controller::Settings, true));
            assert_eq!(entry.seen, "reconfigured");
            format!("{}: {}", entry.action.strip_prefix("set ").unwrap(), entry.changed)
        })
        .collect();
    assert_eq!(entries, EVERY_CHANGE);
    let about: Vec<Option<&str>> = journal.iter().map(|entry| entry.stage.as_deref()).collect();
    assert_eq!(about[..12], [None; 12]);
    assert_eq!(about[12..20], [Some("own"); 8]);
    assert_eq!(about[20], Some("both"));
}

#[test]
fn a_line_that_is_removed_restores_the_declared_value() {
    let mut small = small();
    let before = small.graph.report();
    set(&mut small.graph, EVERYTHING);
    let back = set(&mut small.graph, "");
    let turned: Vec<String> = EVERY_CHANGE
        .iter()
        .map(|change| {
            let (key, values) = change.split_once(": ").unwrap();
            let (declared, read) = values.split_once(" → ").unwrap();
            format!("{key}: {read} → {declared}")
        })
        .collect();
    assert_eq!(back, turned);
    small.graph.step();
    let mut after = small.graph.report();
    assert_eq!(after.journal.len(), 2 * EVERY_CHANGE.len());
    after.journal.clear();
    assert_eq!(after, before);
}

#[test]
fn a_file_applied_before_the_start_is_replaced_and_not_merged() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    graph.apply(config("stages.s.capacity = 8\nstages.s.batch = 2")).unwrap();
    graph.configure(stage, StageConfig { batch: Some(5), ..StageConfig::default() }).unwrap();
    graph.apply(config("stages.s.capacity = 16\nstages.s.batch = 2")).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    assert_eq!(graph.report().stages[0].queue.capacity, 16);
    let changes = set(&mut graph, "budget = 10");
    let expected = ["`budget`: 16 → 10", "`stages.s.capacity`: 16 → 64", "`stages.s.batch`: 2 → 5"];
    assert_eq!(changes, expected);
}

#[test]
fn statistics_cover_only_events_while_they_are_on_and_ledgers_all() {
    let mut small = small();
    let mut counted = |text: &str| {
        set(&mut small.graph, text);
        small.own.send_all(vec![0; 10]).unwrap();
        small.graph.run_until_idle();
        let stage = small.graph.report().stages[0].clone();
        (stage.handled, stage.wait_seconds.count, stage.service_seconds.quantiles.count)
    };
    assert_eq!(counted(""), (10, 10, 10));
    assert_eq!(counted("statistics = false"), (20, 10, 10));
    assert_eq!(counted(""), (30, 20, 20));
}

/// Asks for `workers` on every tick, and counts the ticks.
struct Always(usize, Arc<AtomicUsize>);

impl PoolSizePolicy for Always {
    fn decide(&mut self, _seen: &PoolObservation) -> Option<(usize, String)> {
        self.1.fetch_add(1, Ordering::SeqCst);
        Some((self.0, "because".to_owned()))
    }
}

#[test]
fn a_pool_size_controller_is_switched_live_and_a_custom_policy_stays() {
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    let workers = Some(WorkerRange::new(1, 8));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let ticks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ticks);
    graph.pool_size_policy(move |_pool| Always(5, Arc::clone(&counted)));
    graph.apply(config("control.pool_size = \"off\"")).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    let mut workers = |text: &str| {
        set(&mut graph, text);
        clock.advance(Duration::from_millis(100));
        graph.tick();
        graph.step();
        graph.report().stages[0].workers.now
    };
    assert_eq!(workers("control.pool_size = \"off\""), 1);
    assert_eq!(workers("control.pool_size = \"observe\"\ncontrol.idle_after = \"1s\""), 1);
    assert_eq!(workers("control.idle_after = \"2s\""), 5);
    // A range below the wanted size bounds it at once.
    assert_eq!(workers("stages.s.workers = \"1..3\""), 3);
    assert_eq!(ticks.load(Ordering::SeqCst), 3);
}

#[test]
fn the_default_pool_size_policy_follows_its_targets() {
    let mut small = small();
    let ticks = |small: &mut Small, n: usize| {
        for _ in 0..n {
            // The stage `a` moves the clock by a millisecond for each event.
            small.shared[0].send_all(vec![0; 125]).unwrap();
            small.graph.run_until_idle();
            small.graph.tick();
            small.graph.step();
        }
        small.graph.report().stages[0].workers.now
    };
    // `own` is idle beside the others: it loses one worker after each `idle_after`.
    set(&mut small.graph, "stages.own.workers = \"1..8\"\ncontrol.idle_after = \"1s\"");
    small.graph.set_workers("own", 8);
    assert_eq!(ticks(&mut small, 9), 7);
    set(&mut small.graph, "stages.own.workers = \"1..8\"\ncontrol.idle_after = \"10s\"");
    assert_eq!(ticks(&mut small, 79), 7);
    assert_eq!(ticks(&mut small, 1), 6);
}

#[test]
fn leases_follow_the_capacity_of_the_target_and_the_workers_of_the_sender() {
    let mut graph = Graph::new("g");
    let from = graph.stage::<u32>("from", 64);
    let to = graph.stage::<u32>("to", 64);
    let aside = graph.source(to).unwrap();
    let left: Arc<Mutex<Vec<usize>>> = Arc::default();
    let noted = Arc::clone(&left);
    graph
        .attach_each(from, |wire| {
            let to = wire.sink(to);
            move |event, cx: &mut Context| {
                if event == 0 {
                    cx.send(&to, 0).unwrap();
                    // The places that the lease leaves to others.
                    let free = |n: &usize| aside.reserve(*n).is_ok();
                    noted.lock().push((1..=64).take_while(free).count());
                }
            }
        })
        .unwrap();
    graph.attach_each(to, |_wire| |_event, _cx| {}).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(from, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(from).unwrap();
    graph.budget(120);
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    // The first batch is one event, to measure.
    source.send(1).unwrap();
    for text in ["", "stages.to.capacity = 32", "stages.from.workers = \"1..4\"", ""] {
        graph.run_until_idle();
        set(&mut graph, &format!("budget = 120\n{text}"));
        source.send_all((0..32).collect()).unwrap();
        graph.run_until_idle();
    }
    // capacity / (4 · workers): 16 of 64, 8 of 32, 4 of 64, 16 of 64.
    assert_eq!(*left.lock(), [48, 24, 60, 48]);
    assert_balanced(&graph.report());
}

#[test]
fn only_the_workers_of_a_hosted_pool_cannot_change() {
    let mut graph = Graph::new("g");
    let pool = graph.hosted_pool("reactors", 2);
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each_in(&pool, stage, |_wire| |_event, _cx| {}).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let before = graph.report();
    let text = "budget = 4\nstages.s.batch = 3\npools.reactors.workers = 3";
    let error = graph.reconfigure(&config(text)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`pools.reactors.workers` is 2..2 and cannot become 3..3 while the graph runs: its workers \
         are driven from outside; restart to change their number"
    );
    assert_eq!(graph.report(), before);
    let same = set(&mut graph, "stages.s.batch = 3\npools.reactors.workers = 2");
    assert_eq!(same, ["`stages.s.batch`: 32 → 3"]);
}
