//! Invariant 4: an answer is never refused, and a request is resolved exactly once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{Gate, LONG, assert_balanced};
use parking_lot::Mutex;
use seda_core::testing::{Stepped, probe};
use seda_core::{
    Context, Graph, GraphConfig, LossReason, Lost, Manual, ManualClock, Mode, Outcome, Refused,
    ReplyAddress, ReplySink, Request, Responder, SendOptions, Source, StageConfig, WorkerRange,
    each,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type Ask = (u32, Responder<u32>);

/// Records the delivered outcomes.
#[derive(Default)]
struct Letters(Mutex<Vec<(u64, Result<u32, LossReason>)>>);

impl ReplySink<u32> for Letters {
    fn deliver(&self, address: ReplyAddress, outcome: Outcome<u32>) {
        let outcome = match outcome {
            Outcome::Answered(answer) => Ok(answer),
            Outcome::Lost(reason) => Err(reason),
        };
        self.0.lock().push((address.sequence, outcome));
    }
}

fn ask(source: &Source<Ask>, home: &Arc<Letters>, n: u32, terms: SendOptions) -> Arc<Request> {
    let address = ReplyAddress { sequence: u64::from(n), ..ReplyAddress::default() };
    source.request_to(home.clone(), address, terms, |reply| (n, reply)).unwrap()
}

/// Returns one stage with the handler `handle`.
fn graph(
    capacity: usize,
    handle: impl FnMut(Ask, &mut Context) + Clone + Send + Sync + 'static,
) -> (Graph, Source<Ask>) {
    let mut graph = Graph::new("requests");
    // Thousands are asked at once, and none of them may be refused.
    let mut config = GraphConfig::default();
    config.control.admission = Mode::Off;
    graph.apply(config).unwrap();
    let stage = graph.stage::<Ask>("answer", capacity);
    graph.attach_each(stage, |_wire| handle).unwrap();
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let source = graph.source(stage).unwrap();
    (graph, source)
}

#[test]
fn every_request_is_delivered_once_with_its_answer_or_the_reason() {
    let (graph, source) = graph(64, |(n, reply), _cx| match n % 3 {
        0 => reply.respond(n * 10),
        1 => drop(reply),
        _ => panic!("on purpose"),
    });
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let home = Arc::new(Letters::default());
    (0..6).for_each(|n| drop(ask(&source, &home, n, SendOptions::default())));
    graph.run_until_idle();
    let mut letters = std::mem::take(&mut *home.0.lock());
    letters.sort_by_key(|(n, _)| *n);
    let (forgotten, panicked) = (Err(LossReason::Forgotten), Err(LossReason::Panicked));
    assert_eq!(
        letters,
        [(0, Ok(0)), (1, forgotten), (2, panicked), (3, Ok(30)), (4, forgotten), (5, panicked)]
    );
    let report = graph.report();
    assert_eq!((report.requests.admitted, report.requests.answered), (6, 2));
    assert_eq!(report.requests.lost["forgotten"], 2);
    assert_eq!(report.requests.lost["panicked"], 2);
    assert_eq!((report.stages[0].handled, report.stages[0].failed), (4, 2));
    assert_balanced(&report);
}

#[test]
fn a_request_that_expires_in_the_queue_is_lost_as_expired_and_not_begun() {
    let (graph, source) = graph(64, |(_, reply), _cx| reply.respond(1));
    let mut test = Stepped::start(graph).unwrap();
    let deadline = Duration::from_millis(5);
    let source =
        source.with_options(SendOptions { deadline: Some(deadline), ..SendOptions::default() });
    let ticket = source.request(|reply| (0, reply)).unwrap();
    test.stall(deadline);
    assert_eq!(test.loss(&ticket), LossReason::Expired);
    assert_eq!(test.stage("answer").handled, 0);
    test.assert_finished();
}

/// Returns a page that sends to its cache, answers, and ends after its deadline. The cache begins
/// only if it has workers.
fn page_with_a_cache(has_workers: bool) -> (Manual, Source<Responder<u32>>) {
    let mut graph = Graph::new("requests");
    let page = graph.stage::<Responder<u32>>("page", 8);
    let cache = graph.stage::<u32>("cache", 8);
    let clock = Arc::new(ManualClock::new());
    let work = Arc::clone(&clock);
    graph
        .attach_each(page, |wire| {
            let cache = wire.sink(cache);
            move |reply: Responder<u32>, cx: &mut Context| {
                work.advance(Duration::from_millis(2));
                cx.send(&cache, 1).unwrap();
                reply.respond(1);
                work.advance(Duration::from_millis(10));
            }
        })
        .unwrap();
    graph
        .attach(cache, |_wire| {
            move || match has_workers {
                true => Ok(each(|_event: u32, _cx: &mut Context| {})),
                false => Err("later".into()),
            }
        })
        .unwrap();
    let deadline = Some(Duration::from_millis(5));
    let source = graph.source(page).unwrap();
    let source = source.with_options(SendOptions { deadline, ..SendOptions::default() });
    (graph.start_manual(clock).unwrap(), source)
}

#[test]
fn work_after_the_answer_is_begun_after_the_deadline_of_its_request() {
    let (mut graph, source) = page_with_a_cache(true);
    let answer = source.request(|reply| reply).unwrap();
    graph.run_until_idle();
    assert_eq!(answer.wait(Duration::ZERO), Ok(1));
    let report = graph.report();
    assert_eq!((report.stages[1].handled, report.stages[1].shed.len()), (1, 0));
    assert_balanced(&report);
}

#[test]
fn queued_work_after_the_answer_does_not_expire_and_is_no_waste_if_it_is_given_up() {
    let (mut graph, source) = page_with_a_cache(false);
    let answer = source.request(|reply| reply).unwrap();
    graph.step();
    graph.tick();
    assert_eq!(answer.wait(Duration::ZERO), Ok(1));
    assert!(graph.report().stages[1].shed.is_empty());
    let drained = graph.drain(0);
    let cache = &drained.report.stages[1];
    assert_eq!(cache.shed.values().sum::<u64>(), 1);
    assert!(cache.wasted_seconds.abs() < 1e-9, "{}", cache.wasted_seconds);
}

#[test]
fn a_drain_beyond_its_limit_notifies_every_client() {
    let (graph, source) = graph(64, |(_, reply), _cx| reply.respond(1));
    let graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let home = Arc::new(Letters::default());
    (0..3).for_each(|n| drop(ask(&source, &home, n, SendOptions::default())));
    let drained = graph.drain(0);
    assert_eq!((drained.complete, drained.given_up), (false, 3));
    assert_eq!(home.0.lock().len(), 3);
    assert!(home.0.lock().iter().all(|(_, outcome)| *outcome == Err(LossReason::Drain)));
    assert_eq!(drained.report.requests.open, 0);
}

#[test]
fn a_request_dropped_after_a_refused_send_is_lost_as_refused() {
    let mut graph = Graph::new("refusing");
    let entry = graph.stage::<Ask>("entry", 8);
    let (narrow, behind) = probe(&mut graph, "narrow", 1).unwrap();
    graph
        .attach_each(entry, |wire| {
            let narrow = wire.sink(narrow);
            move |ask, cx| cx.send(&narrow, ask).unwrap_or_else(Refused::give_up)
        })
        .unwrap();
    let source = graph.source(entry).unwrap();
    let mut test = Stepped::start(graph).unwrap();
    behind.refuse();
    let ticket = source.request(|reply| (9, reply)).unwrap();
    assert_eq!(test.loss(&ticket), LossReason::Refused);
    test.assert_finished();
}

#[test]
fn an_answer_passes_no_queue_bound() {
    // The queue of the stage is full while it answers; the answer arrives all the same.
    let (graph, source) = graph(2, |(n, reply), _cx| reply.respond(n));
    let mut test = Stepped::start(graph).unwrap();
    let tickets = [4, 5].map(|n| source.request(|reply| (n, reply)).unwrap());
    assert!(source.request(|reply| (7, reply)).is_err());
    assert_eq!(tickets.map(|ticket| test.answer(&ticket)), [4, 5]);
}

#[test]
fn an_answer_to_a_disconnected_client_is_dropped_and_counted_as_abandoned() {
    let (graph, source) = graph(8, |(n, reply), cx: &mut Context| {
        assert!(!reply.is_abandoned() && !cx.is_abandoned());
        reply.respond(n);
    });
    let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
    let home = Arc::new(Letters::default());
    let gone = ask(&source, &home, 1, SendOptions::default());
    assert!(gone.abandon() && !gone.abandon());
    graph.run_until_idle();
    let report = graph.report();
    assert_eq!((report.stages[0].handled, report.stages[0].shed["abandoned"]), (0, 1));
    assert_eq!((report.requests.lost["abandoned"], report.requests.answered), (1, 0));
    assert!(home.0.lock().is_empty());
    assert_balanced(&report);
}

#[test]
fn no_handler_runs_for_a_thousand_clients_that_disconnect_while_queued() {
    let (gate, ran) = (Gate::default(), Arc::new(AtomicUsize::new(0)));
    let (handler_gate, handler_ran) = (gate.clone(), Arc::clone(&ran));
    let (graph, source) = graph(2_000, move |(n, reply), cx: &mut Context| {
        handler_ran.fetch_add(1, Ordering::SeqCst);
        handler_gate.pass();
        // The handler that is running can see the disconnect.
        assert!(cx.is_abandoned() && reply.is_abandoned());
        reply.respond(n);
    });
    let running = graph.start().unwrap();
    let home = Arc::new(Letters::default());
    let first = ask(&source, &home, 0, SendOptions::default());
    gate.wait_for(1);
    let queued: Vec<_> =
        (1..=1_000).map(|n| ask(&source, &home, n, SendOptions::default())).collect();
    queued.iter().for_each(|request| assert!(request.abandon()));
    assert!(first.abandon());
    gate.open();
    let drained = running.drain(LONG);
    assert_eq!(ran.load(Ordering::SeqCst), 1);
    assert_eq!(drained.report.stages[0].shed["abandoned"], 1_000);
    assert_eq!(drained.report.requests.lost["abandoned"], 1_001);
    assert!(home.0.lock().is_empty());
    assert_balanced(&drained.report);
}

#[test]
fn a_receiver_waits_for_its_answer_times_out_and_abandons_when_dropped() {
    let gate = Gate::default();
    let held = gate.clone();
    let (graph, source) = graph(8, move |(n, reply): Ask, _cx: &mut Context| {
        if n == 1 {
            held.pass();
        }
        reply.respond(n + 1);
    });
    let running = graph.start().unwrap();
    let quick = source.request(|reply| (7, reply)).unwrap();
    assert_eq!(quick.wait(LONG), Ok(8));
    let slow = source.request(|reply| (1, reply)).unwrap();
    assert_eq!(slow.wait(Duration::ZERO), Err(Lost::TimedOut));
    gate.open();
    assert_eq!(slow.wait(LONG), Ok(2));
    let lost = source.request::<u32>(|reply| (3, reply)).unwrap();
    drop(lost);
    crate::support::wait_until("the request is resolved", || running.report().requests.open == 0);
    assert_balanced(&running.drain(LONG).report);
}

#[test]
fn response_time_is_recorded_once_for_each_answered_request_by_class() {
    let mut graph = Graph::new("classes");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let stage = graph.stage::<Ask>("answer", 8);
    graph.attach_each(stage, |_wire| |(n, reply), _cx| reply.respond(n)).unwrap();
    let source = graph.source(stage).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    let home = Arc::new(Letters::default());
    for n in 0..3 {
        let class = seda_core::Class::new(u8::from(n > 0));
        drop(ask(&source, &home, n, SendOptions { class, ..SendOptions::default() }));
    }
    clock.advance(Duration::from_millis(40));
    graph.run_until_idle();
    let responses = graph.report().response_seconds;
    assert_eq!((responses["gold"].quantiles.count, responses["basic"].quantiles.count), (1, 2));
    assert_eq!(responses["gold"].quantiles.max, Some(0.04));
    assert_eq!(responses["basic"].cdf, [(0.04, 2)]);
}
