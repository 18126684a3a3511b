//! Stages as services, closures that block, and services in stages.

use crate::scripted::{LONG, poll_once, run};
use seda_core::{Graph, GraphConfig, LossReason, Running, SendOptions, StageConfig, WorkerRange};
use seda_tower::{Answer, Blocking, Call, StageError, StageService};
use std::convert::Infallible;
use std::pin::pin;
use std::sync::mpsc;
use std::time::Duration;
use tower::{Service, ServiceExt, service_fn};

/// Returns a stage that adds one, on a hosted pool: no worker runs it unless the test does.
fn idle_stage(capacity: usize) -> (Running, seda_core::Pool, StageService<u32, u32>) {
    let mut graph = Graph::new("numbers");
    let pool = graph.hosted_pool("test", 1);
    let add = graph.stage::<Call<u32, u32>>("add", capacity);
    graph
        .attach_each_in(&pool, add, |_wire| {
            |call: Call<u32, u32>, _cx| {
                let sum = call.request.checked_add(1).expect("the largest number panics");
                call.respond(sum);
            }
        })
        .unwrap();
    let service = StageService::new(graph.source(add).unwrap());
    (graph.start().unwrap(), pool, service)
}

#[test]
fn a_request_becomes_an_event_and_its_answer_resolves_the_future() {
    let (running, pool, mut service) = idle_stage(8);
    let mut worker = running.hosted_workers(pool).remove(0);
    let mut answer = pin!(service.call(1));
    assert!(poll_once(answer.as_mut()).unwrap().is_pending());
    worker.turn();
    assert_eq!(run(answer), Ok(2));
}

#[test]
fn a_full_stage_refuses_at_once_with_the_reason() {
    let (running, _pool, mut service) = idle_stage(1);
    let _first = service.call(1);
    assert!(matches!(run(service.call(2)), Err(StageError::Refused(_))));
    let options = SendOptions { deadline: Some(Duration::ZERO), ..SendOptions::default() };
    let expired = run(service.ask(3, options)).unwrap_err();
    assert_eq!(expired.to_string(), "the stage refused the request: expired");
    drop(running);
}

#[test]
fn an_event_whose_future_was_dropped_does_not_begin() {
    let (running, pool, mut service) = idle_stage(8);
    let mut worker = running.hosted_workers(pool).remove(0);
    drop(service.call(u32::MAX));
    worker.turn();
    let report = running.report();
    assert_eq!((report.stages[0].shed["abandoned"], report.events.failed), (1, 0));
}

#[test]
fn a_request_without_an_answer_is_lost_with_the_reason() {
    let (running, pool, mut service) = idle_stage(8);
    let mut worker = running.hosted_workers(pool).remove(0);
    let panicked = service.call(u32::MAX);
    worker.turn();
    assert_eq!(run(panicked), Err(StageError::Lost(LossReason::Panicked)));
    let waiting = service.call(1);
    drop(worker);
    running.shutdown();
    assert_eq!(run(waiting), Err(StageError::Lost(LossReason::Drain)));
}

#[test]
fn closures_run_on_threads_of_their_own_and_return_their_values() {
    let blocking = Blocking::start("disk").unwrap();
    let here = std::thread::current().id();
    let there = run(blocking.spawn(|| std::thread::current().id())).unwrap();
    assert!(here != there);
    let panicked: Answer<u32> = blocking.spawn(|| panic!("as the test says"));
    assert_eq!(run(panicked), Err(StageError::Lost(LossReason::Panicked)));
    assert_eq!(run(blocking.spawn(|| 7)), Ok(7));
    let clone = blocking.clone();
    assert!(blocking.drain(LONG).is_none());
    let report = clone.drain(LONG).unwrap().report;
    assert_eq!((report.events.handled, report.events.failed), (2, 1));
}

#[test]
fn a_closure_whose_future_is_dropped_before_it_begins_does_not_run() {
    let mut config = GraphConfig::default();
    let one = StageConfig { workers: Some(WorkerRange::exactly(1)), ..StageConfig::default() };
    config.stages.insert("disk".to_owned(), one);
    let blocking = Blocking::start_with("disk", config).unwrap();
    let (begin, begun) = mpsc::channel();
    let (release, released) = mpsc::channel::<()>();
    let first = blocking.spawn(move || {
        begin.send(()).unwrap();
        released.recv().unwrap();
    });
    begun.recv().unwrap();
    drop(blocking.spawn(|| panic!("it must not run")));
    release.send(()).unwrap();
    run(first).unwrap();
    let report = blocking.drain(LONG).unwrap().report;
    assert_eq!((report.events.failed, report.stages[0].shed["abandoned"]), (0, 1));
}

#[test]
fn a_setting_of_a_pool_that_is_wrong_is_named() {
    let mut config = GraphConfig::default();
    config.stages.insert("disc".to_owned(), StageConfig::default());
    let error = Blocking::start_with("disk", config).unwrap_err().to_string();
    assert!(error.contains("disc"), "{error}");
}

type Ask = Call<u32, Result<u32, Infallible>>;

/// Returns a stage whose service runs where `spawn` says.
fn remote(
    spawn: impl Fn(seda_tower::Task) + Clone + Send + Sync + 'static,
) -> (Running, StageService<u32, Result<u32, Infallible>>) {
    let double = service_fn(|number: u32| async move { Ok::<_, Infallible>(2 * number) });
    let mut graph = Graph::new("remote");
    let ask = graph.stage::<Ask>("ask", 64);
    graph.attach(ask, |_wire| move || Ok(seda_tower::stage(double, spawn.clone()))).unwrap();
    let places = StageConfig { outstanding: Some(2), pending: Some(8), ..StageConfig::default() };
    graph.configure(ask, places).unwrap();
    let service = StageService::new(graph.source(ask).unwrap());
    (graph.start().unwrap(), service)
}

#[test]
fn a_service_in_a_stage_answers_and_holds_no_worker() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let handle = runtime.handle().clone();
    let (running, service) = remote(move |task| drop(handle.spawn(task)));
    let answers: Vec<_> = (0..20).map(|n| service.clone().oneshot(n)).collect();
    for (n, answer) in (0..).zip(answers) {
        assert_eq!(run(answer), Ok(Ok(2 * n)));
    }
    let drained = running.drain(LONG);
    assert!(drained.complete);
    assert_eq!((drained.report.events.handled, drained.report.requests.answered), (20, 20));
}

#[test]
fn a_runtime_that_drops_its_tasks_loses_their_requests() {
    let (running, service) = remote(drop);
    assert_eq!(run(service.oneshot(1)), Err(StageError::Lost(LossReason::Forgotten)));
    let report = running.drain(LONG).report;
    assert_eq!((report.events.failed, report.events.pending), (1, 0));
}
