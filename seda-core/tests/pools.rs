//! Pools: sizes, shares, caps; invariants 5 and 6.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced, wait_until};
use parking_lot::Mutex;
use seda_core::control::{PoolObservation, PoolSizePolicy};
use seda_core::{
    Class, Context, Controller, Graph, GraphConfig, Manual, ManualClock, Mode, SendOptions, Source,
    Stage, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

fn workers<E: Send + 'static>(graph: &mut Graph, stage: Stage<E>, range: WorkerRange) {
    let config = StageConfig { workers: Some(range), ..StageConfig::default() };
    graph.configure(stage, config).unwrap();
}

#[test]
fn no_worker_idles_while_an_event_that_it_may_run_is_queued() {
    let gate = Gate::default();
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 64);
    let held = gate.clone();
    graph.attach_each(stage, |_wire| move |_event, _cx| held.pass()).unwrap();
    workers(&mut graph, stage, WorkerRange::exactly(4));
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    // Each event blocks its worker, so each needs a worker of its own.
    for n in 1..=4 {
        source.send(0).unwrap();
        gate.wait_for(n);
    }
    source.send_all(vec![0; 8]).unwrap();
    gate.open();
    let drained = running.drain(LONG);
    assert_eq!(drained.report.events.handled, 12);
}

#[test]
fn threads_are_named_after_their_stage_or_their_pool() {
    let mut graph = Graph::new("g");
    let names: Arc<Mutex<Vec<String>>> = Arc::default();
    let own = graph.stage::<u32>("render", 8);
    let shared = graph.stage::<u32>("parse", 8);
    let pool = graph.pool("front", WorkerRange::exactly(1));
    let note = |names: &Arc<Mutex<Vec<String>>>| {
        let names = Arc::clone(names);
        move |_event: u32, _cx: &mut Context| {
            names.lock().push(std::thread::current().name().unwrap_or_default().to_owned());
        }
    };
    workers(&mut graph, own, WorkerRange::exactly(1));
    graph.attach_each(own, |_wire| note(&names)).unwrap();
    graph.attach_each_in(&pool, shared, |_wire| note(&names)).unwrap();
    let sources = [graph.source(own).unwrap(), graph.source(shared).unwrap()];
    let running = graph.start().unwrap();
    for source in sources {
        source.send(1).unwrap();
        let seen = names.lock().len();
        wait_until("it ran", || names.lock().len() > seen || names.lock().len() == 2);
    }
    running.drain(LONG);
    let mut names = names.lock().clone();
    names.sort();
    assert_eq!(names, ["front-0", "render-0"]);
}

/// Returns two stages in a pool of one worker; each event takes a millisecond.
fn shared(weights: (u32, u32)) -> (Manual, Source<u32>, Source<u32>) {
    let mut graph = Graph::new("g");
    let pool = graph.pool("both", WorkerRange::exactly(1));
    let clock = Arc::new(ManualClock::new());
    let mut stage = |name, weight| {
        let stage = graph.stage::<u32>(name, 4_096);
        let clock = Arc::clone(&clock);
        let work = move |_wire: &mut seda_core::Wire<'_>| {
            move |_event: u32, _cx: &mut Context| clock.advance(Duration::from_millis(1))
        };
        graph.attach_each_in(&pool, stage, work).unwrap();
        graph
            .configure(stage, StageConfig { weight: Some(weight), ..StageConfig::default() })
            .unwrap();
        graph.source(stage).unwrap()
    };
    let (heavy, light) = (stage("heavy", weights.0), stage("light", weights.1));
    graph.budget(8_000);
    (graph.start_manual(clock).unwrap(), heavy, light)
}

#[test]
fn stages_of_a_shared_pool_get_its_time_by_weight() {
    let (mut graph, heavy, light) = shared((3, 1));
    heavy.send_all(vec![0; 2_000]).unwrap();
    light.send_all(vec![0; 2_000]).unwrap();
    graph.run(400);
    let report = graph.report();
    let (heavy, light) = (report.stages[0].handled, report.stages[1].handled);
    assert_eq!(heavy + light, 400);
    assert!((298..=302).contains(&heavy), "{heavy} to {light}");
}

#[test]
fn an_idle_stage_does_not_save_up_its_share() {
    let (mut graph, heavy, light) = shared((1, 1));
    heavy.send_all(vec![0; 500]).unwrap();
    graph.run(400);
    light.send_all(vec![0; 500]).unwrap();
    graph.run(100);
    let report = graph.report();
    // Each gets half of the last hundred; the stage that was idle does not get all.
    assert!((449..=451).contains(&report.stages[0].handled), "{report}");
}

#[test]
fn the_cap_of_a_stage_is_never_exceeded() {
    let mut graph = Graph::new("g");
    let pool = graph.pool("four", WorkerRange::exactly(4));
    let stage = graph.stage::<u32>("capped", 256);
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (now, peak) = (Arc::clone(&inside), Arc::clone(&most));
    graph
        .attach_each_in(&pool, stage, |_wire| {
            move |_event, _cx| {
                peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::yield_now();
                now.fetch_sub(1, Ordering::SeqCst);
            }
        })
        .unwrap();
    graph.configure(stage, StageConfig { cap: Some(2), ..StageConfig::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    let running = graph.start().unwrap();
    (0..5_000).for_each(|event| source.send_within(event, LONG).unwrap());
    let drained = running.drain(LONG);
    assert_eq!(drained.report.events.handled, 5_000);
    assert!(most.load(Ordering::SeqCst) <= 2);
}

#[test]
fn within_a_class_events_are_taken_in_the_order_of_their_arrival() {
    let mut graph = Graph::new("g");
    graph.classes(&[("gold", 3), ("basic", 1)]);
    let stage = graph.stage::<u32>("s", 1_024);
    let taken: Arc<Mutex<Vec<u32>>> = Arc::default();
    let kept = Arc::clone(&taken);
    graph.attach_each(stage, |_wire| move |event, _cx| kept.lock().push(event)).unwrap();
    workers(&mut graph, stage, WorkerRange::exactly(1));
    let source = graph.source(stage).unwrap();
    let gold = source.with_options(SendOptions { class: Class::new(0), ..SendOptions::default() });
    let basic = source.with_options(SendOptions { class: Class::new(1), ..SendOptions::default() });
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    gold.send_all((0..200).collect()).unwrap();
    basic.send_all((1_000..1_200).collect()).unwrap();
    graph.run_until_idle();
    let taken = taken.lock();
    for class in [0..1_000, 1_000..2_000] {
        let of_class: Vec<u32> = taken.iter().copied().filter(|e| class.contains(e)).collect();
        assert!(of_class.len() == 200 && of_class.is_sorted());
    }
    // Three to one while both wait.
    let gold_first = taken[..200].iter().filter(|event| **event < 1_000).count();
    assert_eq!(gold_first, 150);
}

/// Returns a stage with events of 10 ms, on a clock that they move, under a controller.
fn sized(mode: Mode) -> (Manual, Source<u32>, Arc<ManualClock>) {
    let mut graph = Graph::new("g");
    let mut config = GraphConfig::default();
    config.control.pool_size = mode;
    config.control.batch_size = Mode::Off;
    graph.apply(config).unwrap();
    let stage = graph.stage::<u32>("slow", 1_024);
    let clock = Arc::new(ManualClock::new());
    let work = Arc::clone(&clock);
    graph
        .attach_each(stage, |_wire| move |_event, _cx| work.advance(Duration::from_millis(10)))
        .unwrap();
    workers(&mut graph, stage, WorkerRange::new(1, 8));
    let source = graph.source(stage).unwrap();
    (graph.start_manual(clock.clone()).unwrap(), source, clock)
}

#[test]
fn a_pool_grows_when_events_wait_shrinks_when_they_do_not_and_journals_both() {
    let (mut graph, source, clock) = sized(Mode::On);
    source.send_all(vec![0; 100]).unwrap();
    graph.run(10);
    graph.tick();
    let grown = graph.report();
    assert_eq!(grown.stages[0].workers.now, 8);
    let decision = &grown.journal[0];
    assert_eq!(
        (decision.controller, decision.changed.as_str()),
        (Controller::PoolSize, "workers 1 → 8")
    );
    graph.run_until_idle();
    for _ in 0..400 {
        clock.advance(Duration::from_millis(125));
        graph.tick();
        graph.step();
    }
    let shrunk = graph.report();
    assert_eq!((shrunk.stages[0].workers.now, shrunk.journal.len()), (1, 8));
    assert_balanced(&shrunk);
}

#[test]
fn a_controller_that_observes_journals_once_and_changes_nothing_and_one_that_is_off_is_silent() {
    for (mode, entries) in [(Mode::Observe, 1), (Mode::Off, 0)] {
        let (mut graph, source, clock) = sized(mode);
        source.send_all(vec![0; 100]).unwrap();
        clock.advance(Duration::from_secs(1));
        graph.tick();
        for _ in 0..3 {
            graph.run(10);
            graph.tick();
        }
        let report = graph.report();
        assert_eq!((report.stages[0].workers.now, report.journal.len()), (1, entries));
        assert!(report.journal.iter().all(|decision| !decision.acted));
    }
}

#[test]
fn the_policy_can_be_replaced() {
    struct Always(usize);
    impl PoolSizePolicy for Always {
        fn decide(&mut self, _seen: &PoolObservation) -> Option<(usize, String)> {
            Some((self.0, "because".to_owned()))
        }
    }
    let mut graph = Graph::new("g");
    let stage = graph.stage::<u32>("s", 8);
    graph.attach_each(stage, |_wire| |_event, _cx| {}).unwrap();
    workers(&mut graph, stage, WorkerRange::new(1, 8));
    graph.pool_size_policy(|pool| {
        assert_eq!(pool, "s");
        Always(5)
    });
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    clock.advance(Duration::from_millis(100));
    graph.tick();
    assert_eq!(graph.report().stages[0].workers.now, 5);
}

#[test]
fn a_graph_is_not_idle_after_a_batch_was_shed_whole() {
    let mut graph = Graph::new("expired");
    let pool = graph.pool("shared", WorkerRange::exactly(1));
    let [first, second] = ["first", "second"].map(|name| graph.stage::<u32>(name, 8));
    for stage in [first, second] {
        graph.attach_each_in(&pool, stage, |_wire| |_n, _cx: &mut Context| {}).unwrap();
    }
    let (hasty, patient) = (graph.source(first).unwrap(), graph.source(second).unwrap());
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    let deadline = Some(Duration::from_millis(1));
    hasty.with_options(SendOptions { deadline, ..SendOptions::default() }).send(1).unwrap();
    clock.advance(Duration::from_millis(1));
    patient.send(2).unwrap();
    assert_eq!(graph.run_until_idle(), 1);
    let events = graph.report().events;
    assert_eq!((events.handled, events.shed, events.queued), (1, 1, 0));
}
