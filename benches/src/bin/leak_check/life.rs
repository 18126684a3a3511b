//! The life of one graph that uses every feature with a resource behind it.

#![expect(clippy::panic, reason = "some handlers panic on purpose")]

use crate::fault::Fault;
use benches::rng::ON_PURPOSE;
use parking_lot::Mutex;
use seda_core::testing::imbalances;
use seda_core::{Class, CondvarPark};
use seda_core::{
    Context, Graph, GraphConfig, Handler, Held, Pending, Permits, Responder, Running, SendOptions,
    Sink, Source, StageConfig, WorkerRange,
};
use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;

/// Number of kinds of lives: with statistics and without, each with four ends.
pub(crate) const KINDS: u64 = 8;
const EVENTS: u64 = 300;
/// Time limit of a drain, on any machine.
const LONG: Duration = Duration::from_secs(60);

#[derive(Debug)]
struct Job {
    n: u64,
    payload: Vec<u8>,
    reply: Option<Responder<u64>>,
}

/// Deferred events and permits kept outside the graph, perhaps beyond its end.
#[derive(Debug, Default)]
struct Kept {
    pending: Vec<(Pending, Job)>,
    permits: Vec<Permits<Job>>,
}

type Shared = Arc<Mutex<Kept>>;

/// Returns the end of life number `n`, for people.
pub(crate) fn about(n: u64) -> &'static str {
    match n % 4 {
        0 => "drained",
        1 => "shut down",
        2 => "dropped under load",
        _ => "drained too briefly",
    }
}

/// Starts a graph, loads it and ends it.
pub(crate) fn live(n: u64) -> Result<(), Fault> {
    let shared = Shared::default();
    let (running, source, hosted) = start(n, &shared)?;
    let hosts: Vec<_> = running
        .hosted_workers(hosted)
        .into_iter()
        .map(|worker| std::thread::Builder::new().spawn(|| worker.run(CondvarPark::new())))
        .collect();
    load(&running, &source, &shared);
    match n % 4 {
        0 => drain(running, &shared)?,
        1 => drop(running.shutdown()),
        2 => drop(running),
        _ => drop(running.drain(Duration::ZERO)),
    }
    for host in hosts {
        host?.join().map_err(|_| Fault::HostedWorker)?;
    }
    // Some events and permits outlive the graph.
    bring_back(&shared);
    Ok(())
}

fn start(
    n: u64,
    shared: &Shared,
) -> Result<(Running, Source<Job>, seda_core::Pool), seda_core::GraphError> {
    let mut graph = Graph::new("leak");
    let parse = graph.stage::<Job>("parse", 64);
    let join = graph.stage::<Job>("join", 64);
    let work = graph.stage::<Job>("work", 32);
    let write = graph.stage::<Job>("write", 64);
    graph.classes(&[("gold", 2), ("basic", 1)]);
    let mut config = GraphConfig { budget: Some(80), ..GraphConfig::default() };
    config.statistics = n % 8 < 4;
    config.control.tick = Duration::from_millis(10);
    graph.apply(config)?;
    let hosted = graph.hosted_pool("hosted", 1);
    let shared_pool = graph.pool("shared", WorkerRange::new(1, 2));
    graph.keyed(join, |job| job.n % 7)?;
    graph.weigh(work, |job| job.payload.len())?;
    graph.budget_bytes(20_000);
    graph.configure(
        work,
        StageConfig { workers: Some(WorkerRange::new(1, 3)), ..StageConfig::default() },
    )?;
    graph.attach_each_in(&hosted, parse, |wire| {
        let (join, work) = (wire.sink(join), wire.sink(work));
        move |job: Job, cx: &mut Context| send_on(&join, &work, job, cx)
    })?;
    graph.attach_in(&shared_pool, join, |wire| {
        let work = wire.sink(work);
        move || Ok(Join { work: work.clone(), kept: None })
    })?;
    let kept = Arc::clone(shared);
    graph.attach_each(work, |wire| {
        let (write, again) = (wire.sink(write), wire.sink(work));
        move |job: Job, cx: &mut Context| work_on((&write, &again), job, cx, &kept)
    })?;
    graph.attach_each_in(&shared_pool, write, |_wire| {
        |job: Job, _cx: &mut Context| {
            if let Some(reply) = job.reply {
                reply.respond(job.n);
            }
        }
    })?;
    for stage in [parse, join, work] {
        graph.on_lost(stage, |job, _reason| drop(job))?;
    }
    let source = graph.source(parse)?;
    Ok((graph.start()?, source, hosted))
}

fn send_on(join: &Sink<Job>, work: &Sink<Job>, job: Job, cx: &mut Context) {
    let sink = if job.n.is_multiple_of(3) { join } else { work };
    if job.n.is_multiple_of(5) {
        let delay = Duration::from_millis(job.n % 3 * 500);
        cx.send_after(delay, sink, job).unwrap_or_else(|refused| refused.give_up());
    } else {
        cx.send(sink, job).unwrap_or_else(|refused| refused.give_up());
    }
}

fn work_on(
    (write, again): (&Sink<Job>, &Sink<Job>),
    mut job: Job,
    cx: &mut Context,
    kept: &Shared,
) {
    match job.n % 13 {
        0 => panic_any(ON_PURPOSE),
        1 => {
            if let Ok(pending) = cx.defer() {
                kept.lock().pending.push((pending, job));
            }
        }
        2 => {
            if let Ok(permits) = cx.reserve(write, 2) {
                kept.lock().permits.push(permits);
            }
        }
        3 => {
            job.n += 1;
            cx.send(again, job).unwrap_or_else(|refused| refused.give_up());
        }
        _ => cx.send(write, job).unwrap_or_else(|refused| refused.give_up()),
    }
}

/// A handler that holds one job until the next one arrives.
struct Join {
    work: Sink<Job>,
    kept: Option<(Job, Held)>,
}

impl Handler<Job> for Join {
    fn handle(&mut self, job: Job, cx: &mut Context) {
        if job.n.is_multiple_of(11) {
            panic_any(ON_PURPOSE);
        }
        self.finish(cx);
        if let Ok(held) = cx.hold() {
            self.kept = Some((job, held));
        }
    }

    fn finish(&mut self, cx: &mut Context) {
        if let Some((job, mut held)) = self.kept.take() {
            held.send(cx, &self.work, job).unwrap_or_else(|refused| refused.give_up());
            held.release();
        }
    }
}

fn load(running: &Running, source: &Source<Job>, shared: &Shared) {
    let (journal, snapshots) = (running.journal(), running.snapshots());
    let mut tickets = Vec::new();
    for n in 0..EVENTS {
        let payload = vec![0; 1 + (n as usize * 37) % 400];
        let options = SendOptions {
            class: Class::new((n % 2) as u8),
            deadline: n.is_multiple_of(9).then_some(Duration::from_millis(2)),
            ..SendOptions::default()
        };
        let source = source.with_options(options);
        if n.is_multiple_of(2) {
            tickets.extend(source.request(|reply| Job { n, payload, reply: Some(reply) }).ok());
        } else if let Err(refused) =
            source.send_within(Job { n, payload, reply: None }, Duration::from_millis(1))
        {
            refused.give_up();
        }
        if n.is_multiple_of(10) {
            drop(tickets.pop());
            shared.lock().permits.extend(source.reserve(1).ok());
        }
        if n.is_multiple_of(64) {
            running.set_workers("work", 1 + (n / 64) as usize % 3);
            running.set_soft_capacity("write", 8 + n as usize % 64);
            snapshots.request(Box::new(drop));
            drop(running.report().to_string());
        }
    }
    drop(journal);
}

/// Drains while another thread completes deferred events and uses permits.
fn drain(running: Running, shared: &Shared) -> Result<(), Fault> {
    let ended = AtomicBool::new(false);
    let drained = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !ended.load(SeqCst) {
                bring_back(shared);
                std::thread::park_timeout(Duration::from_millis(1));
            }
        });
        let drained = running.drain(LONG);
        ended.store(true, SeqCst);
        drained
    });
    if drained.complete && imbalances(&drained.report).is_empty() {
        Ok(())
    } else {
        Err(Fault::NotDrained(Box::new(drained.report)))
    }
}

/// Completes or drops every deferred event, and uses or drops every permit.
fn bring_back(shared: &Shared) {
    let Kept { pending, permits } = std::mem::take(&mut *shared.lock());
    for (n, (pending, job)) in pending.into_iter().enumerate() {
        drop(job);
        if n.is_multiple_of(2) {
            pending.complete();
        }
    }
    for (n, mut permits) in permits.into_iter().enumerate() {
        if n.is_multiple_of(2) {
            let job = Job { n: 7, payload: vec![0; 10], reply: None };
            let _ = permits.send(job);
        }
    }
}
