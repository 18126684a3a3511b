//! The life of one graph: start, load, changes, scrapes, end, and the check of its counts.

use crate::fault::Fault;
use crate::graph::{Shape, start};
use crate::hosts::drive;
use crate::load::{self, ANSWER_LIMIT};
use crate::sums::Sums;
use crate::world::World;
use benches::process::wait_until;
use benches::rng::Rng;
use seda_core::testing::imbalances;
use seda_core::{Clock, Drained, MonotonicClock, ResponseReceiver, Running};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// The longest life of a graph before its end, in milliseconds.
const LIFE: usize = 2_500;
/// Time limit of all work that is not stuck, on any machine. A failed factory is called again
/// within five seconds.
const LONG: Duration = Duration::from_secs(60);
/// Time that an end may take beyond its limit: a drain has two of its own, and machines are busy.
const GRACE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The load stops, everything comes back, and a drain finds nothing to shed.
    Settled,
    /// A drain under load, with time for all work that can end.
    Drained,
    /// A drain under load with a short limit, perhaps with stuck handlers.
    Cut(Duration),
    Shutdown,
    Dropped,
}

impl End {
    fn draw(rng: &mut Rng) -> Self {
        match rng.below(6) {
            0 | 1 => End::Settled,
            2 => End::Drained,
            3 => End::Cut(Duration::from_millis(rng.below(50) as u64)),
            4 => End::Shutdown,
            _ => End::Dropped,
        }
    }
}

/// A generation after its end.
pub(crate) struct Generation {
    /// Its size and end, for people.
    pub(crate) about: String,
    pub(crate) outcome: Result<Sums, Fault>,
}

/// Runs the generation that follows from `seed`.
pub(crate) fn run(seed: u64) -> Generation {
    let mut rng = Rng(seed);
    let world = Arc::new(World::default());
    let (running, shape) = match start(&mut rng, &world) {
        Ok(started) => started,
        Err(error) => {
            return Generation { about: "not started".to_owned(), outcome: Err(error.into()) };
        }
    };
    let end = End::draw(&mut rng);
    let about = format!("{} stages, {end:?}", shape.stages.len());
    let outcome = live(&mut rng, (&world, &shape), running, end)
        .and_then(|sums| settle(&mut rng, &world, sums));
    Generation { about, outcome }
}

/// Brings everything back after the end and adds the counts of the world.
fn settle(rng: &mut Rng, world: &World, mut sums: Sums) -> Result<Sums, Fault> {
    // Handlers that were stuck may still defer events, so this is repeated.
    let all_settled = wait_until(LONG, || {
        while world.complete_one(rng.next_u64()) {}
        let permits = std::mem::take(&mut *world.permits.lock());
        drop(permits);
        world.fates.alive.load(SeqCst) == 0
    });
    world.sources.lock().clear();
    if !all_settled {
        let alive = world.fates.alive.load(SeqCst);
        world.fates.fault(format!("{alive} events are still alive after the end"));
    }
    if let Some(fault) = world.fates.fault.lock().take() {
        return Err(Fault::Found(fault));
    }
    sums.add_world(world);
    Ok(sums)
}

fn live(
    rng: &mut Rng,
    (world, shape): (&Arc<World>, &Shape),
    running: Running,
    end: End,
) -> Result<Sums, Fault> {
    let life = Duration::from_millis(rng.between(20, LIFE) as u64);
    std::thread::scope(|scope| {
        // Load from outside, and completions of deferred events.
        drive(scope, (world, &running, shape), rng);
        let mut senders: Vec<_> = (0..rng.between(1, 3))
            .map(|sender| {
                let rng = Rng(rng.next_u64());
                scope.spawn(move || load::send(world, shape, sender, rng))
            })
            .collect();
        let completing = Rng(rng.next_u64());
        scope.spawn(move || load::complete(world, completing));
        // Changes and scrapes, for the life of the graph.
        let scrapes = watch(scope, rng, (world, shape), &running, life);
        *world.hosts.steady.lock() = true;
        drive(scope, (world, &running, shape), rng);
        // The end; only a settled one waits for the senders first.
        let mut tickets = Vec::new();
        if end == End::Settled {
            world.stall.open();
            tickets.extend(join_senders(world, std::mem::take(&mut senders)));
        }
        let drained = finish(world, running, end);
        tickets.extend(join_senders(world, senders));
        // Every client has an answer or a loss. Stuck handlers may defer events until released.
        world.stall.open();
        let mut open = tickets.into_iter().filter_map(|t| load::settle(world, t, ANSWER_LIMIT));
        if open.next().is_some() {
            world.fates.fault("a client heard nothing".to_owned());
        }
        world.completing_is_over.store(true, SeqCst);
        let mut sums = Sums::default();
        sums.scrapes = scrapes;
        if let Some(drained) = drained? {
            sums.add_report(&drained.report);
            if end == End::Settled {
                check_settled(world, &drained)?;
            }
        }
        Ok(sums)
    })
}

/// Ends the load and returns the tickets that are still open.
fn join_senders(
    world: &World,
    senders: Vec<ScopedJoinHandle<'_, Vec<ResponseReceiver<u64>>>>,
) -> Vec<ResponseReceiver<u64>> {
    world.sending_is_over.store(true, SeqCst);
    senders.into_iter().filter_map(|sender| sender.join().ok()).flatten().collect()
}

/// Runs the threads that need the running graph for `life`; returns the number of scrapes.
fn watch<'scope, 'world: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    rng: &mut Rng,
    (world, shape): (&'world Arc<World>, &'world Shape),
    running: &Running,
    life: Duration,
) -> u64 {
    let (one, other) = (Rng(rng.next_u64()), Rng(rng.next_u64()));
    std::thread::scope(|watchers| {
        let scraping = watchers.spawn(|| load::scrape(world, running, one));
        watchers.spawn(|| load::change(world, running, shape, other));
        let clock = MonotonicClock::new();
        while clock.now().as_secs_f64() < life.as_secs_f64() {
            std::thread::park_timeout(Duration::from_millis(20));
            drive(scope, (world, running, shape), rng);
        }
        world.watching_is_over.store(true, SeqCst);
        scraping.join().unwrap_or(0)
    })
}

/// Ends the graph and checks the time that this takes.
fn finish(world: &World, running: Running, end: End) -> Result<Option<Drained>, Fault> {
    let clock = MonotonicClock::new();
    let (limit, drained) = match end {
        End::Settled => {
            if !wait_until(LONG, || is_idle(&running)) {
                return Err(Fault::NeverIdle(Box::new(running.report())));
            }
            (LONG, Some(running.drain(LONG)))
        }
        End::Drained => {
            world.stall.open();
            (LONG, Some(running.drain(LONG)))
        }
        End::Cut(limit) => (limit, Some(running.drain(limit))),
        End::Shutdown => (Duration::ZERO, Some(running.shutdown())),
        End::Dropped => {
            drop(running);
            (Duration::ZERO, None)
        }
    };
    let took = clock.now().as_secs_f64();
    if took > (limit + GRACE).as_secs_f64() {
        return Err(Fault::SlowEnd { end: format!("{end:?}"), seconds: took });
    }
    if let Some(drained) = &drained
        && let Some(imbalance) = imbalances(&drained.report).first()
    {
        let report = Box::new(drained.report.clone());
        return Err(Fault::Imbalance { imbalance: imbalance.to_string(), report });
    }
    Ok(drained)
}

fn is_idle(running: &Running) -> bool {
    let events = running.report().events;
    events.queued + events.in_hand == 0
}

/// Checks that nothing was left and that the graph's ledgers equal the counts of the world.
fn check_settled(world: &World, drained: &Drained) -> Result<(), Fault> {
    let (report, fates) = (&drained.report, &world.fates);
    let (events, requests) = (&report.events, &report.requests);
    let lost: u64 = requests.lost.values().sum();
    let abandoned = requests.lost.get("abandoned").copied().unwrap_or(0);
    let clients = &world.clients;
    let equations = [
        ("complete", u64::from(drained.complete), 1),
        ("shed by the drain", drained.given_up, 0),
        ("budget in use", report.budget.used as u64, 0),
        ("bytes in use", report.budget.bytes_used, 0),
        ("accepted", events.accepted, fates.accepted.load(SeqCst)),
        ("refused", events.refused, fates.refused.load(SeqCst)),
        ("begun", events.handled + events.failed, fates.begun.load(SeqCst)),
        ("shed", events.shed, fates.lost()),
        ("admitted", requests.admitted, clients.admitted.load(SeqCst)),
        ("answered", requests.answered, clients.answered.load(SeqCst)),
        ("abandoned", abandoned, clients.abandoned.load(SeqCst)),
        ("lost", lost - abandoned, clients.lost.load(SeqCst)),
        ("open", requests.open, 0),
    ];
    match equations.into_iter().find(|(_, reported, known)| reported != known) {
        Some((what, reported, known)) => {
            Err(Fault::Ledger { what, reported, known, report: Box::new(report.clone()) })
        }
        None => Ok(()),
    }
}
