//! The threads beside a graph: load, completions, changes, scrapes.

use crate::fate::{Job, RequestEntry};
use crate::graph::{Shape, config};
use crate::world::World;
use benches::rng::Rng;
use seda_core::RateConfig;
use seda_core::testing::imbalances;
use seda_core::{
    Class, GraphConfig, LossReason, Lost, ResponseReceiver, Running, SendOptions, Source,
    StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// Time limit of an answer after the end of the graph.
pub(crate) const ANSWER_LIMIT: Duration = Duration::from_secs(20);

/// Sends until `sending_is_over`; returns the tickets that are still open.
pub(crate) fn send(
    world: &Arc<World>,
    shape: &Shape,
    sender: usize,
    mut rng: Rng,
) -> Vec<ResponseReceiver<u64>> {
    let (mut tickets, mut n) = (Vec::new(), 0);
    while !world.sending_is_over.load(SeqCst) {
        for _ in 0..rng.below(40) {
            n += 1;
            send_one(world, shape, (sender, n), &mut rng, &mut tickets);
        }
        for _ in 0..rng.below(40).min(tickets.len()) {
            let ticket = tickets.swap_remove(rng.below(tickets.len()));
            if rng.one_in(5) {
                leave(world, ticket);
            } else {
                tickets.extend(settle(world, ticket, Duration::ZERO));
            }
        }
        std::thread::park_timeout(Duration::from_micros(rng.below(3_000) as u64));
    }
    tickets
}

fn send_one(
    world: &Arc<World>,
    shape: &Shape,
    (sender, n): (usize, u64),
    rng: &mut Rng,
    tickets: &mut Vec<ResponseReceiver<u64>>,
) {
    let to = rng.below(shape.stages.len());
    let Some(source) = world.source(to) else { return };
    let deadline = rng.one_in(4).then(|| Duration::from_micros(rng.below(30_000) as u64));
    // There is no order between classes, so all ordered events have the same one.
    let ordered = shape.keyed.get(to) == Some(&true) && rng.one_in(2);
    let class = if ordered { 0 } else { rng.below(shape.classes) };
    let source = source.with_options(SendOptions {
        class: Class::new(class as u8),
        deadline,
        ..SendOptions::default()
    });
    match rng.below(10) {
        _ if ordered => {
            let sent = source.send(job(world, to, rng).ordered(sender, n));
            world.note(sent.map_err(|refused| refused.into_event()));
        }
        0..=2 => {
            let sent = source.send(job(world, to, rng));
            world.note(sent.map_err(|refused| refused.into_event()));
        }
        3 => {
            let n = rng.below(9);
            let jobs = (0..n).map(|_| job(world, to, rng)).collect();
            world.note_all(n, source.send_all(jobs).map_err(|refused| refused.into_event()));
        }
        4 => {
            let limit = Duration::from_micros(rng.below(3_000) as u64);
            let sent = source.send_within(job(world, to, rng), limit);
            world.note(sent.map_err(|refused| refused.into_event()));
        }
        5 => {
            let n = rng.below(4);
            match source.reserve(n) {
                Ok(permits) => world.permits.lock().push((to, permits)),
                Err(_) => world.note_all_refused(n),
            }
        }
        6 => use_permits(world, rng),
        _ => tickets.extend(request(world, &source, || job(world, to, rng))),
    }
}

fn job(world: &World, to: usize, rng: &mut Rng) -> Job {
    Job::new(&world.fates, to, rng.below(6) as u8, rng.next_u64())
}

fn request(
    world: &World,
    source: &Source<Job>,
    job: impl FnOnce() -> Job,
) -> Option<ResponseReceiver<u64>> {
    let entry = Arc::new(RequestEntry::default());
    let admitted = source.request(|reply| Job { reply: Some(reply), ..job() }.through(&entry));
    if entry.close() || admitted.is_err() {
        world.note_all_refused(1);
    } else {
        world.note_all(1, Ok(()));
    }
    let ticket = admitted.ok()?;
    world.clients.admitted.fetch_add(1, SeqCst);
    Some(ticket)
}

fn use_permits(world: &World, rng: &mut Rng) {
    let permits = world.permits.lock().pop();
    let Some((to, mut permits)) = permits else { return };
    for _ in 0..rng.below(permits.left() + 1) {
        let sent = permits.send(Job::new(&world.fates, to, 2, rng.next_u64()));
        world.note(sent.map_err(|refused| refused.into_event()));
    }
}

/// Counts the answer or loss that arrives within `limit`; otherwise returns the ticket.
pub(crate) fn settle(
    world: &World,
    ticket: ResponseReceiver<u64>,
    limit: Duration,
) -> Option<ResponseReceiver<u64>> {
    match ticket.wait(limit) {
        Ok(_) => {
            world.clients.answered.fetch_add(1, SeqCst);
        }
        Err(Lost::Given(LossReason::Abandoned)) => {
            world.fates.fault("a request is abandoned, but its client is waiting".to_owned());
        }
        Err(Lost::Given(_)) => {
            world.clients.lost.fetch_add(1, SeqCst);
        }
        Err(_) => return Some(ticket),
    }
    if ticket.try_take().is_some() || ticket.request().abandon() {
        world.fates.fault("a request was resolved twice".to_owned());
    }
    None
}

/// Abandons a request, as a client that disconnects does.
fn leave(world: &World, ticket: ResponseReceiver<u64>) {
    if !ticket.request().abandon() {
        // The request is resolved already, perhaps at this moment.
        if settle(world, ticket, ANSWER_LIMIT).is_some() {
            world.fates.fault("a request is resolved, but its client heard nothing".to_owned());
        }
        return;
    }
    world.clients.abandoned.fetch_add(1, SeqCst);
    if ticket.try_take().is_some() {
        world.fates.fault("an abandoned request has an answer".to_owned());
    }
}

/// Completes deferred events and drops unused permits.
pub(crate) fn complete(world: &World, mut rng: Rng) {
    while !world.completing_is_over.load(SeqCst) {
        for _ in 0..rng.below(20) {
            world.complete_one(rng.next_u64());
        }
        if rng.one_in(3) {
            let permits = world.permits.lock().pop();
            drop(permits);
        }
        std::thread::park_timeout(Duration::from_micros(rng.below(2_000) as u64));
    }
}

/// Changes settings, and now and then releases stuck handlers.
pub(crate) fn change(world: &World, running: &Running, shape: &Shape, mut rng: Rng) {
    while !world.watching_is_over.load(SeqCst) {
        match rng.below(8) {
            0..=2 => {
                if let Some(pool) = rng.pick(&shape.pools) {
                    running.set_workers(pool, rng.below(6));
                }
            }
            3 | 4 => {
                if let Some(stage) = rng.pick(&shape.stages) {
                    running.set_soft_capacity(stage, rng.below(600));
                }
            }
            5 | 6 => {
                // A value out of bounds is refused and changes nothing.
                let _ = running.reconfigure(&settings(shape, &mut rng));
            }
            _ => world.stall.release_waiting(),
        }
        std::thread::park_timeout(Duration::from_micros(rng.below(20_000) as u64));
    }
}

fn settings(shape: &Shape, rng: &mut Rng) -> GraphConfig {
    let mut config = config(rng, shape.stuck);
    for name in &shape.stages {
        let range = WorkerRange::new(1, rng.between(1, 4));
        let own_pool = shape.pools.contains(name);
        let settings = StageConfig {
            capacity: perhaps(rng, 2, (3, 512)),
            soft: perhaps(rng, 16, (1, 512)),
            workers: (own_pool && rng.one_in(2)).then_some(range),
            batch: perhaps(rng, 2, (1, 32)),
            weight: None,
            cap: perhaps(rng, 2, (1, 3)),
            pending: perhaps(rng, 2, (0, 32)),
            outstanding: rng.one_in(8).then_some(1),
            rate: perhaps(rng, 8, (1, 64))
                .map(|burst| RateConfig { per_second: 1e4, burst: burst as u64 }),
            codel: None,
            newest_first_above: None,
        };
        if rng.one_in(2) {
            config.stages.insert(name.clone(), settings);
        }
    }
    config
}

/// Returns a number between the bounds, once in `n` times.
fn perhaps(rng: &mut Rng, n: usize, (low, high): (usize, usize)) -> Option<usize> {
    rng.one_in(n).then(|| rng.between(low, high))
}

/// Scrapes the graph in every way; each report must be consistent. Returns the number of scrapes.
pub(crate) fn scrape(world: &World, running: &Running, mut rng: Rng) -> u64 {
    let (mut scrapes, snapshots) = (0, running.snapshots());
    let mut journal = running.journal();
    let mut before = (0, 0, 0);
    while !world.watching_is_over.load(SeqCst) {
        let report = running.report();
        if let Some(fault) = imbalances(&report).first() {
            world.fates.fault(format!("{fault}\n{report}"));
        }
        let now = (report.events.offered, report.events.handled, report.requests.admitted);
        if now.0 < before.0 || now.1 < before.1 || now.2 < before.2 {
            world.fates.fault(format!("counters went down: {before:?}, {now:?}"));
        }
        before = now;
        scrapes += 1;
        match rng.below(12) {
            0 => snapshots.request(Box::new(|_report| {})),
            1 => snapshots.request(Box::new(|_report| Rng(1).panic_one_in(1))),
            2 => drop(report.to_string()),
            3 => drop(report.to_dot()),
            4 => journal = running.journal(),
            _ => drop(journal.try_iter().count()),
        }
        std::thread::park_timeout(Duration::from_micros(rng.below(4_000) as u64));
    }
    let (sender, answer) = std::sync::mpsc::channel();
    snapshots.request(Box::new(move |report| {
        let _ = sender.send(report.uptime_seconds);
    }));
    if answer.recv_timeout(ANSWER_LIMIT).is_err() {
        world.fates.fault("the control thread no longer answers snapshot requests".to_owned());
    }
    scrapes
}
