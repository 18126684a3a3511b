//! What happens to a graph while it lives: load, completions, changes, scrapes.

use crate::fate::{Door, Job};
use crate::graph::{Shape, config};
use crate::world::World;
use benches::dice::Dice;
use seda_core::RateConfig;
use seda_core::testing::imbalances;
use seda_core::{
    Class, GraphConfig, LossReason, Lost, ResponseReceiver, Running, SendOptions, Source,
    StageConfig, WorkerRange,
};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

/// A client that is told nothing for so long after its graph has ended never will be.
pub(crate) const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// Sends until that is over; returns the tickets that were told nothing yet.
pub(crate) fn send(
    world: &Arc<World>,
    shape: &Shape,
    sender: usize,
    mut dice: Dice,
) -> Vec<ResponseReceiver<u64>> {
    let (mut tickets, mut n) = (Vec::new(), 0);
    while !world.sending_is_over.load(SeqCst) {
        for _ in 0..dice.below(40) {
            n += 1;
            send_one(world, shape, (sender, n), &mut dice, &mut tickets);
        }
        for _ in 0..dice.below(40).min(tickets.len()) {
            let ticket = tickets.swap_remove(dice.below(tickets.len()));
            if dice.one_in(5) {
                leave(world, ticket);
            } else {
                tickets.extend(settle(world, ticket, Duration::ZERO));
            }
        }
        std::thread::park_timeout(Duration::from_micros(dice.below(3_000) as u64));
    }
    tickets
}

fn send_one(
    world: &Arc<World>,
    shape: &Shape,
    (sender, n): (usize, u64),
    dice: &mut Dice,
    tickets: &mut Vec<ResponseReceiver<u64>>,
) {
    let to = dice.below(shape.stages.len());
    let Some(source) = world.source(to) else { return };
    let deadline = dice.one_in(4).then(|| Duration::from_micros(dice.below(30_000) as u64));
    // Between classes there is no order: those that are ordered are of one.
    let ordered = shape.keyed.get(to) == Some(&true) && dice.one_in(2);
    let class = if ordered { 0 } else { dice.below(shape.classes) };
    let source = source.with_terms(SendOptions {
        class: Class::new(class as u8),
        deadline,
        ..SendOptions::default()
    });
    let job = |dice: &mut Dice| Job::new(&world.fates, to, dice.below(6) as u8, dice.roll());
    match dice.below(10) {
        _ if ordered => {
            let sent = source.send(job(dice).ordered(sender, n));
            world.note(sent.map_err(|refused| refused.into_event()));
        }
        0..=2 => world.note(source.send(job(dice)).map_err(|refused| refused.into_event())),
        3 => {
            let n = dice.below(9);
            let jobs = (0..n).map(|_| job(dice)).collect();
            world.note_all(n, source.send_all(jobs).map_err(|refused| refused.into_event()));
        }
        4 => {
            let limit = Duration::from_micros(dice.below(3_000) as u64);
            let sent = source.send_within(job(dice), limit);
            world.note(sent.map_err(|refused| refused.into_event()));
        }
        5 => {
            let n = dice.below(4);
            match source.reserve(n) {
                Ok(permits) => world.permits.lock().push((to, permits)),
                Err(_) => world.note_all_refused(n),
            }
        }
        6 => use_permits(world, dice),
        _ => tickets.extend(request(world, &source, || job(dice))),
    }
}

fn request(
    world: &World,
    source: &Source<Job>,
    job: impl FnOnce() -> Job,
) -> Option<ResponseReceiver<u64>> {
    let door = Arc::new(Door::default());
    let make = |reply| Job { reply: Some(reply), ..job() }.at_door(&door);
    let admitted = source.request(make);
    if door.shut() || admitted.is_err() {
        world.note_all_refused(1);
    } else {
        world.note_all(1, Ok(()));
    }
    let ticket = admitted.ok()?;
    world.clients.admitted.fetch_add(1, SeqCst);
    Some(ticket)
}

fn use_permits(world: &World, dice: &mut Dice) {
    let permits = world.permits.lock().pop();
    let Some((to, mut permits)) = permits else { return };
    for _ in 0..dice.below(permits.left() + 1) {
        let sent = permits.send(Job::new(&world.fates, to, 2, dice.roll()));
        world.note(sent.map_err(|refused| refused.into_event()));
    }
}

/// Hears what came within `limit`; gives the ticket back if nothing did.
pub(crate) fn settle(
    world: &World,
    ticket: ResponseReceiver<u64>,
    limit: Duration,
) -> Option<ResponseReceiver<u64>> {
    match ticket.wait(limit) {
        Ok(_) => {
            world.clients.answered.fetch_add(1, SeqCst);
        }
        Err(Lost::Given(LossReason::Abandoned)) => world.fates.fault("abandoned by whom?".into()),
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

/// A client goes.
fn leave(world: &World, ticket: ResponseReceiver<u64>) {
    if !ticket.request().abandon() {
        // Resolved already, perhaps in this moment.
        if settle(world, ticket, TOLD_WITHIN).is_some() {
            world.fates.fault("a request was resolved and its client told nothing".to_owned());
        }
        return;
    }
    world.clients.abandoned.fetch_add(1, SeqCst);
    if ticket.try_take().is_some() {
        world.fates.fault("a client that has gone was told something".to_owned());
    }
}

/// Brings deferred events back, and gives kept places back.
pub(crate) fn complete(world: &World, mut dice: Dice) {
    while !world.completing_is_over.load(SeqCst) {
        for _ in 0..dice.below(20) {
            world.complete_one(dice.roll());
        }
        if dice.one_in(3) {
            let permits = world.permits.lock().pop();
            drop(permits);
        }
        std::thread::park_timeout(Duration::from_micros(dice.below(2_000) as u64));
    }
}

/// Changes settings, and lets stuck handlers go now and then.
pub(crate) fn change(world: &World, running: &Running, shape: &Shape, mut dice: Dice) {
    while !world.watching_is_over.load(SeqCst) {
        match dice.below(8) {
            0..=2 => {
                if let Some(pool) = dice.pick(&shape.pools) {
                    running.set_workers(pool, dice.below(6));
                }
            }
            3 | 4 => {
                if let Some(stage) = dice.pick(&shape.stages) {
                    running.set_soft_capacity(stage, dice.below(600));
                }
            }
            5 | 6 => {
                // What is out of bounds is refused, and changes nothing.
                let _ = running.reconfigure(&settings(shape, &mut dice));
            }
            _ => world.prison.amnesty(),
        }
        std::thread::park_timeout(Duration::from_micros(dice.below(20_000) as u64));
    }
}

fn settings(shape: &Shape, dice: &mut Dice) -> GraphConfig {
    let mut config = config(dice, shape.stuck);
    for name in &shape.stages {
        let some = |dice: &mut Dice, low: usize, high: usize| {
            dice.one_in(2).then(|| dice.between(low, high))
        };
        let range = WorkerRange::new(1, dice.between(1, 4));
        let own_pool = shape.pools.contains(name);
        let said = StageConfig {
            capacity: some(dice, 3, 512),
            soft: some(dice, 1, 512).filter(|_| dice.one_in(8)),
            workers: (own_pool && dice.one_in(2)).then_some(range),
            batch: some(dice, 1, 32),
            weight: None,
            cap: some(dice, 1, 3),
            pending: some(dice, 0, 32),
            outstanding: Some(1).filter(|_| dice.one_in(8)),
            rate: some(dice, 1, 64)
                .filter(|_| dice.one_in(4))
                .map(|burst| RateConfig { per_second: 1e4, burst: burst as u64 }),
            codel: None,
            newest_first_above: None,
        };
        if dice.one_in(2) {
            config.stages.insert(name.clone(), said);
        }
    }
    config
}

/// Looks at the graph in all the ways there are; each cut must be consistent.
pub(crate) fn scrape(world: &World, running: &Running, mut dice: Dice) -> u64 {
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
            world.fates.fault(format!("counts went back: {before:?}, {now:?}"));
        }
        before = now;
        scrapes += 1;
        match dice.below(12) {
            0 => snapshots.request(Box::new(|_report| {})),
            1 => snapshots.request(Box::new(|_report| Dice(1).panic_one_in(1))),
            2 => drop(report.to_string()),
            3 => drop(report.to_dot()),
            4 => journal = running.journal(),
            _ => drop(journal.try_iter().count()),
        }
        std::thread::park_timeout(Duration::from_micros(dice.below(4_000) as u64));
    }
    let (sender, answer) = std::sync::mpsc::channel();
    snapshots.request(Box::new(move |report| {
        let _ = sender.send(report.uptime_seconds);
    }));
    if answer.recv_timeout(TOLD_WITHIN).is_err() {
        world.fates.fault("the control thread gives no snapshots any more".to_owned());
    }
    scrapes
}
