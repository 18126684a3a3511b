//! One graph's life: it is started, loaded, changed, looked at, ended, and added up.

use crate::graph::{Shape, start};
use crate::hosts::drive;
use crate::load::{self, TOLD_WITHIN};
use crate::sums::Sums;
use crate::world::World;
use benches::dice::Dice;
use benches::process::wait_until;
use seda_core::testing::imbalances;
use seda_core::{Clock, Drained, MonotonicClock, ResponseReceiver, Running};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::thread::{Scope, ScopedJoinHandle};
use std::time::Duration;

/// The longest that a graph lives before it is ended, in milliseconds.
const LIFE: usize = 2_500;
/// By then all work that is not held up has ended, on any machine: a factory that fails is called
/// again within five seconds.
const LONG: Duration = Duration::from_secs(60);
/// What an end may take beyond its limit: two limits of a drain's own, and a machine that is busy.
const GRACE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// Load stops, everything comes back, and a drain finds nothing to give up.
    Settled,
    /// Drained under load, with time for all that can end.
    Drained,
    /// Drained under load, and cut short, perhaps with stuck handlers.
    Cut(Duration),
    Shutdown,
    Dropped,
}

impl End {
    fn draw(dice: &mut Dice) -> Self {
        match dice.below(6) {
            0 | 1 => End::Settled,
            2 => End::Drained,
            3 => End::Cut(Duration::from_millis(dice.below(50) as u64)),
            4 => End::Shutdown,
            _ => End::Dropped,
        }
    }
}

/// Runs the generation that follows from `seed`; says how it ended, and what it came to.
pub(crate) fn run(seed: u64) -> Result<(String, Sums), String> {
    let mut dice = Dice(seed);
    let world = Arc::new(World::default());
    let (running, shape) = start(&mut dice, &world).map_err(|error| error.to_string())?;
    let end = End::draw(&mut dice);
    let about = format!("{} stages, {end:?}", shape.stages.len());
    let mut sums = live(&mut dice, (&world, &shape), running, end)?;
    // Handlers that were stuck may still set events aside.
    let bring_back = || {
        while world.complete_one(dice.roll()) {}
        let permits = std::mem::take(&mut *world.permits.lock());
        drop(permits);
        world.fates.alive.load(SeqCst) == 0
    };
    let all_told = wait_until(LONG, bring_back);
    world.sources.lock().clear();
    if !all_told {
        let alive = world.fates.alive.load(SeqCst);
        world.fates.fault(format!("{alive} events are still alive after the end"));
    }
    if let Some(fault) = world.fates.fault.lock().clone() {
        return Err(format!("{about}: {fault}"));
    }
    sums.add_world(&world);
    Ok((about, sums))
}

fn live(
    dice: &mut Dice,
    (world, shape): (&Arc<World>, &Shape),
    running: Running,
    end: End,
) -> Result<Sums, String> {
    let life = Duration::from_millis(dice.between(20, LIFE) as u64);
    std::thread::scope(|scope| {
        drive(scope, (world, &running, shape), dice);
        let mut senders: Vec<_> = (0..dice.between(1, 3))
            .map(|sender| {
                let dice = Dice(dice.roll());
                scope.spawn(move || load::send(world, shape, sender, dice))
            })
            .collect();
        let completing = Dice(dice.roll());
        scope.spawn(move || load::complete(world, completing));
        let scrapes = watch(scope, dice, (world, shape), &running, life);
        *world.hosts.steady.lock() = true;
        drive(scope, (world, &running, shape), dice);
        let mut tickets = Vec::new();
        let mut join = |senders: Vec<ScopedJoinHandle<'_, Vec<ResponseReceiver<u64>>>>| {
            world.sending_is_over.store(true, SeqCst);
            tickets.extend(senders.into_iter().filter_map(|sender| sender.join().ok()).flatten());
        };
        if end == End::Settled {
            world.prison.open();
            join(std::mem::take(&mut senders));
        }
        let drained = finish(world, running, end);
        join(senders);
        // Stuck handlers may set events aside until they have all come back.
        world.prison.open();
        let mut untold = tickets.into_iter().filter_map(|t| load::settle(world, t, TOLD_WITHIN));
        if untold.next().is_some() {
            world.fates.fault("a client was told nothing".to_owned());
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

/// Lets those who need the running graph go on for as long as it lives.
fn watch<'scope, 'world: 'scope>(
    scope: &'scope Scope<'scope, '_>,
    dice: &mut Dice,
    (world, shape): (&'world Arc<World>, &'world Shape),
    running: &Running,
    life: Duration,
) -> u64 {
    let (one, other) = (Dice(dice.roll()), Dice(dice.roll()));
    std::thread::scope(|watchers| {
        let scraping = watchers.spawn(|| load::scrape(world, running, one));
        watchers.spawn(|| load::change(world, running, shape, other));
        let clock = MonotonicClock::new();
        while clock.now().as_secs_f64() < life.as_secs_f64() {
            std::thread::park_timeout(Duration::from_millis(20));
            drive(scope, (world, running, shape), dice);
        }
        world.watching_is_over.store(true, SeqCst);
        scraping.join().unwrap_or(0)
    })
}

/// Ends the graph, in time.
fn finish(world: &World, running: Running, end: End) -> Result<Option<Drained>, String> {
    let clock = MonotonicClock::new();
    let (limit, drained) = match end {
        End::Settled => {
            let idle = || {
                let events = running.report().events;
                events.queued + events.in_hand == 0
            };
            if !wait_until(LONG, idle) {
                return Err(format!("never comes to rest:\n{}", running.report()));
            }
            (LONG, Some(running.drain(LONG)))
        }
        End::Drained => {
            world.prison.open();
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
        return Err(format!("{end:?} took {took} s"));
    }
    if let Some(drained) = &drained
        && let Some(fault) = imbalances(&drained.report).first()
    {
        return Err(format!("at the end: {fault}\n{}", drained.report));
    }
    Ok(drained)
}

/// Nothing was left, and the graph's ledgers are those of the world.
fn check_settled(world: &World, drained: &Drained) -> Result<(), String> {
    let (report, fates) = (&drained.report, &world.fates);
    let (events, requests) = (&report.events, &report.requests);
    let lost: u64 = requests.lost.values().sum();
    let abandoned = requests.lost.get("abandoned").copied().unwrap_or(0);
    let clients = &world.clients;
    let equations = [
        ("complete", u64::from(drained.complete), 1),
        ("given up", drained.given_up, 0),
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
    match equations.iter().find(|(_, seen, known)| seen != known) {
        Some((what, seen, known)) => {
            Err(format!("{what}: {seen} reported, {known} known\n{report}"))
        }
        None => Ok(()),
    }
}
