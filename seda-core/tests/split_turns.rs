//! A turn in two halves, as a simulation takes it: begin, move the clock, complete.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use crate::support::{ON_PURPOSE, quiet_panics};
use parking_lot::Mutex;
use seda_core::{
    Begun, Context, Graph, Handler, LossReason, Lost, Manual, ManualClock, Responder, Source,
    StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::time::Duration;

struct Rig {
    graph: Manual,
    clock: Arc<ManualClock>,
    source: Source<Responder<u32>>,
}

/// Returns two stages in a row; the second answers.
fn rig(workers: usize, batch: usize) -> Rig {
    let mut graph = Graph::new("split");
    graph.cores(3);
    let first = graph.stage::<Responder<u32>>("first", 64);
    let second = graph.stage::<Responder<u32>>("second", 64);
    let workers = Some(WorkerRange::exactly(workers));
    let config = StageConfig { workers, batch: Some(batch), ..StageConfig::default() };
    graph.configure(first, config).unwrap();
    graph
        .configure(second, StageConfig { workers: Some(WorkerRange::exactly(1)), ..config_of(1) })
        .unwrap();
    graph
        .attach_each(first, |wire| {
            let second = wire.sink(second);
            move |reply, cx: &mut Context| {
                cx.send(&second, reply).unwrap_or_else(|refused| refused.give_up());
            }
        })
        .unwrap();
    graph.attach_each(second, |_wire| |reply: Responder<u32>, _cx| reply.respond(7)).unwrap();
    let source = graph.source(first).unwrap();
    let clock = Arc::new(ManualClock::new());
    let graph = graph.start_manual(Arc::clone(&clock) as Arc<dyn seda_core::Clock>).unwrap();
    Rig { graph, clock, source }
}

fn config_of(batch: usize) -> StageConfig {
    StageConfig { batch: Some(batch), ..StageConfig::default() }
}

#[test]
fn service_lasts_from_begin_to_complete_and_sends_are_known_at_its_end() {
    let mut rig = rig(1, 1);
    let answer = rig.source.request(|reply| reply).unwrap();
    let mut workers = rig.graph.take_workers();
    assert_eq!(
        workers.iter().map(|worker| worker.pool().to_owned()).collect::<Vec<_>>(),
        ["first", "second"]
    );
    rig.clock.advance(Duration::from_millis(2));
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    // A second call returns the same and takes no further event.
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    assert_eq!(workers[1].begin(), Begun::Idle(None));
    rig.clock.advance(Duration::from_millis(5));
    let report = rig.graph.report();
    assert_eq!((report.events.in_hand, report.events.queued), (1, 0));
    assert_eq!(workers[0].complete(), 1);
    assert_eq!(workers[0].complete(), 0);
    assert_eq!(workers[1].begin(), Begun::Batch { stage: 1, events: 1 });
    rig.clock.advance(Duration::from_millis(3));
    assert!(answer.try_take().is_none());
    assert_eq!(workers[1].complete(), 1);
    assert_eq!(answer.try_take(), Some(Ok(7)));
    let report = rig.graph.report();
    let first = &report.stages[0];
    assert_eq!(first.wait_seconds.mean, Some(0.002));
    assert_eq!(first.service_seconds.quantiles.mean, Some(0.005));
    assert_eq!(report.stages[1].wait_seconds.mean, Some(0.0));
    assert_eq!(report.stages[1].service_seconds.quantiles.mean, Some(0.003));
    assert_eq!(report.response_seconds["default"].quantiles.mean, Some(0.01));
    rig.graph.put_back(workers);
    let drained = rig.graph.drain(10);
    assert_eq!((drained.report.events.handled, drained.report.events.shed), (2, 0));
}

#[test]
fn each_event_of_a_batch_has_the_mean_service() {
    let mut rig = rig(1, 4);
    let mut workers = rig.graph.take_workers();
    // The first batch has one event, because the service time is still unknown.
    let answers: Vec<_> = (0..5).map(|_| rig.source.request(|reply| reply).unwrap()).collect();
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    rig.clock.advance(Duration::from_micros(100));
    assert_eq!(workers[0].complete(), 1);
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 4 });
    rig.clock.advance(Duration::from_micros(400));
    assert_eq!(workers[0].complete(), 4);
    let service = rig.graph.report().stages[0].service_seconds.quantiles.clone();
    assert_eq!((service.count, service.mean, service.max), (5, Some(100e-6), Some(100e-6)));
    drop(answers);
    rig.graph.put_back(workers);
}

#[test]
fn an_abandoned_request_is_not_begun_and_one_abandoned_later_is_served() {
    let mut rig = rig(1, 1);
    let mut workers = rig.graph.take_workers();
    drop(rig.source.request(|reply| reply).unwrap());
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 0 });
    assert_eq!(workers[0].complete(), 0);
    let answer = rig.source.request(|reply| reply).unwrap();
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    drop(answer);
    rig.clock.advance(Duration::from_millis(1));
    assert_eq!(workers[0].complete(), 1);
    let first = &rig.graph.report().stages[0];
    assert_eq!((first.handled, first.shed["abandoned"]), (1, 1));
    rig.graph.put_back(workers);
}

#[test]
fn a_begun_batch_is_completed_by_a_turn_and_shed_with_its_worker() {
    let mut rig = rig(2, 1);
    let answers: Vec<_> = (0..2).map(|_| rig.source.request(|reply| reply).unwrap()).collect();
    let mut workers = rig.graph.take_workers();
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    assert_eq!(workers[1].begin(), Begun::Batch { stage: 0, events: 1 });
    drop(workers.remove(1));
    rig.graph.tell_owners();
    assert_eq!(answers[1].wait(Duration::ZERO), Err(Lost::Given(LossReason::Forgotten)));
    rig.graph.put_back(workers);
    assert_eq!(rig.graph.run_until_idle(), 2);
    assert_eq!(answers[0].wait(Duration::ZERO), Ok(7));
    let events = rig.graph.report().events;
    assert_eq!((events.handled, events.shed, events.in_hand), (2, 1, 0));
}

#[test]
fn credited_time_splits_the_busy_time_of_a_worker() {
    let mut rig = rig(1, 1);
    let _answer = rig.source.request(|reply| reply).unwrap();
    let mut workers = rig.graph.take_workers();
    workers.iter().for_each(|worker| worker.credit(Duration::ZERO, Duration::ZERO));
    assert_eq!(workers[0].begin(), Begun::Batch { stage: 0, events: 1 });
    rig.clock.advance(Duration::from_millis(10));
    workers[0].credit(Duration::from_millis(5), Duration::from_millis(2));
    assert_eq!(workers[0].complete(), 1);
    let report = rig.graph.report();
    let first = &report.stages[0];
    assert_eq!((first.cpu_share, first.runqueue_share), (Some(0.5), Some(0.2)));
    assert!((first.blocked_share.unwrap() - 0.3).abs() < 1e-9);
    rig.graph.put_back(workers);
}

#[test]
fn a_handler_sees_each_event_when_its_service_begins_and_handles_it_at_its_end() {
    struct Seen(Arc<Mutex<Vec<(&'static str, u32)>>>);
    impl Handler<u32> for Seen {
        fn begin(&mut self, event: &u32) {
            self.0.lock().push(("begun", *event));
            assert_ne!(*event, 3, "{ON_PURPOSE}");
        }
        fn handle(&mut self, event: u32, _cx: &mut Context) {
            self.0.lock().push(("handled", event));
        }
    }
    quiet_panics();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut graph = Graph::new("split");
    let stage = graph.stage::<u32>("stage", 8);
    graph
        .configure(stage, StageConfig { workers: Some(WorkerRange::exactly(1)), ..config_of(1) })
        .unwrap();
    let handler = Arc::clone(&seen);
    graph.attach(stage, |_wire| move || Ok(Seen(Arc::clone(&handler)))).unwrap();
    let source = graph.source(stage).unwrap();
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let mut worker = graph.take_workers().remove(0);
    for event in [1, 2, 3] {
        source.send(event).unwrap();
        worker.begin();
        worker.begin();
        assert_eq!(worker.complete(), 1);
    }
    // A panic in `begin` costs nothing: the event is handled.
    let expected = [1, 2, 3].map(|event| [("begun", event), ("handled", event)]);
    assert_eq!(*seen.lock(), expected.concat());
}
