//! Invariant 1 under load: every scrape is a consistent cut, and in the end every event has its
//! intended fate.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use crate::support::{LONG, ON_PURPOSE, assert_balanced, quiet_panics};
use seda_core::{
    Context, Graph, GraphConfig, LossReason, ManualClock, Mode, Pending, Responder,
    ResponseReceiver, Running, Sink, Source, StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

/// Requests of each of the two senders.
const EACH: u64 = 15_000;

struct Job {
    n: u64,
    reply: Responder<u64>,
}

/// The intended fate of a job.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Panic,
    /// Deferred, and its handle dropped.
    Drop,
    /// Deferred, and sent on from another thread.
    Relay,
    Pass,
}

fn fate(n: u64) -> Fate {
    match n {
        n if n % 97 == 0 => Fate::Panic,
        n if n % 15 == 0 => Fate::Drop,
        n if n % 5 == 0 => Fate::Relay,
        _ => Fate::Pass,
    }
}

type Outside = (Pending, Sink<Job>, Job);

/// Returns a graph: `entry` sends every job to `work`, which gives it its fate; `out` answers.
fn graph(outside: Sender<Outside>) -> (Running, Source<Job>) {
    let mut graph = Graph::new("g");
    // The budget never binds and nothing is refused, so all figures are known in advance. Without
    // histograms to merge, there are many scrapes.
    let mut config =
        GraphConfig { budget: Some(100_000), statistics: false, ..GraphConfig::default() };
    config.control.admission = Mode::Off;
    graph.apply(config).unwrap();
    let [entry, work, out] = ["entry", "work", "out"].map(|name| graph.stage::<Job>(name, 65_536));
    graph
        .attach_each(entry, |wire| {
            let work = wire.sink(work);
            move |job: Job, cx: &mut Context| cx.send(&work, job).unwrap()
        })
        .unwrap();
    graph
        .attach_each(work, |wire| {
            let out = wire.sink(out);
            move |job: Job, cx: &mut Context| match fate(job.n) {
                Fate::Panic => std::panic::panic_any(ON_PURPOSE),
                Fate::Pass => cx.send(&out, job).unwrap(),
                _ => outside.send((cx.defer().unwrap(), out.clone(), job)).unwrap(),
            }
        })
        .unwrap();
    graph.attach_each(out, |_wire| |job: Job, _cx| job.reply.respond(job.n)).unwrap();
    for stage in [entry, work, out] {
        graph.weigh(stage, |job| 64 + (job.n % 64) as usize).unwrap();
    }
    let workers = Some(WorkerRange::new(1, 4));
    let config = StageConfig { workers, pending: Some(65_536), ..StageConfig::default() };
    graph.configure(work, config).unwrap();
    // Batches of one end most often, and each end may fall into a scrape.
    graph.configure(entry, StageConfig { batch: Some(1), ..StageConfig::default() }).unwrap();
    let source = graph.source(entry).unwrap();
    (graph.start().unwrap(), source)
}

/// Completes pending jobs, often before the worker has settled the event.
fn complete(outside: Receiver<Outside>) {
    for (mut pending, out, job) in outside {
        if fate(job.n) == Fate::Relay {
            pending.send(&out, job).unwrap();
            pending.complete();
        }
    }
}

fn scrape(running: &Running, done: &AtomicBool) {
    while !done.load(Ordering::Relaxed) {
        let report = running.report();
        assert_balanced(&report);
        // In one cut, `work` has exactly the jobs that `entry` handled.
        assert_eq!(report.stages[0].handled, report.stages[1].accepted, "{report}");
    }
}

fn ask(source: &Source<Job>, n: u64) -> (u64, ResponseReceiver<u64>) {
    (n, source.request(|reply| Job { n, reply }).unwrap())
}

#[test]
fn every_scrape_balances_under_panics_defers_and_resizes_and_all_fates_are_as_intended() {
    quiet_panics();
    let (sender, outside) = channel();
    let (running, source) = graph(sender);
    let done = AtomicBool::new(false);
    let completer = std::thread::Builder::new().spawn(move || complete(outside)).unwrap();
    let tickets: Vec<(u64, ResponseReceiver<u64>)> = std::thread::scope(|scope| {
        (0..2).for_each(|_| drop(scope.spawn(|| scrape(&running, &done))));
        let asking: Vec<_> = (0..2)
            .map(|s| {
                let source = source.clone();
                scope.spawn(move || (0..EACH).map(|n| ask(&source, 2 * n + s)).collect::<Vec<_>>())
            })
            .collect();
        for n in (1..5).cycle().take(200) {
            running.set_workers("work", n);
        }
        let tickets: Vec<_> =
            asking.into_iter().flat_map(|asking| asking.join().unwrap()).collect();
        crate::support::wait_until("all are resolved", || running.report().requests.open == 0);
        done.store(true, Ordering::Relaxed);
        tickets
    });
    check_end(running);
    // The graph had the other ends of the channel.
    completer.join().unwrap();
    for (n, ticket) in &tickets {
        let meant = match fate(*n) {
            Fate::Panic => Err(LossReason::Panicked),
            Fate::Drop => Err(LossReason::Forgotten),
            Fate::Relay | Fate::Pass => Ok(*n),
        };
        assert_eq!((ticket.try_take(), ticket.try_take()), (Some(meant), None));
    }
}

fn check_end(running: Running) {
    let drained = running.drain(LONG);
    let report = &drained.report;
    assert!(drained.complete, "{report}");
    assert_balanced(report);
    let count = |meant: &[Fate]| (0..2 * EACH).filter(|n| meant.contains(&fate(*n))).count() as u64;
    let (all, through) = (2 * EACH, count(&[Fate::Relay, Fate::Pass]));
    let figures: Vec<_> = report.stages.iter().map(|s| (s.accepted, s.handled, s.failed)).collect();
    assert_eq!(figures, [(all, all, 0), (all, through, all - through), (through, through, 0)]);
    assert_eq!((report.requests.admitted, report.requests.answered), (all, through));
    assert_eq!(report.requests.lost["panicked"], count(&[Fate::Panic]));
    assert_eq!(report.budget.used, 0);
}

#[test]
fn a_scrape_of_five_thousand_stages_needs_no_more_stack_than_one_of_a_few() {
    const STAGES: usize = 5_000;
    let scrape = || {
        let mut graph = Graph::new("many");
        for number in 0..STAGES {
            let stage = graph.stage::<u64>(&format!("s{number}"), 1);
            let workers = Some(WorkerRange::exactly(1));
            graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
            graph.attach_each(stage, |_wire| |_event, _cx: &mut Context| {}).unwrap();
        }
        let mut graph = graph.start_manual(Arc::new(ManualClock::new())).unwrap();
        graph.tick();
        assert_balanced(&graph.report());
        graph.report().stages.len()
    };
    // A quarter of the default stack.
    let small = std::thread::Builder::new().name("small".to_owned()).stack_size(512 * 1024);
    assert_eq!(small.spawn(scrape).unwrap().join().unwrap(), STAGES);
}
