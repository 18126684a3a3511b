//! Invariants 1 and 2: both ledgers balance after every step of any graph, bounds are kept, and
//! everything is told to its owner exactly once.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod job;
mod node;
mod plan;

use job::{Fates, Job};
use node::{World, give_back};
use plan::{NAMES, Plan, plan};
use proptest::prelude::*;
use seda_core::{Class, Manual, Report, Source, Terms, Ticket};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use support::check_ledgers;

#[derive(Clone, Debug)]
enum Step {
    Send { to: usize, class: u8, deadline: Option<u8>, hops: u8, seed: u64 },
    SendAll { to: usize, n: u8, class: u8, seed: u64 },
    Request { to: usize, class: u8, hops: u8, seed: u64 },
    Reserve { to: usize, n: u8, class: u8 },
    UsePermit { at: usize, seed: u64 },
    DropPermit { at: usize },
    Turns(u8),
    Advance(u8),
    Tick,
    Complete { at: usize, how: u8 },
    Abandon { at: usize },
    Resize { pool: usize, workers: usize },
    Soft { stage: usize, soft: usize },
}

fn step() -> impl Strategy<Value = Step> {
    let (to, class, seed, at) = (0..6_usize, 0..4_u8, any::<u64>(), any::<usize>());
    let deadline = proptest::option::weighted(0.3, 0..30_u8);
    prop_oneof![
        8 => (to.clone(), class.clone(), deadline, 0..6_u8, seed).prop_map(
            |(to, class, deadline, hops, seed)| Step::Send { to, class, deadline, hops, seed }),
        3 => (to.clone(), 0..9_u8, class.clone(), seed)
            .prop_map(|(to, n, class, seed)| Step::SendAll { to, n, class, seed }),
        5 => (to.clone(), class.clone(), 0..6_u8, seed)
            .prop_map(|(to, class, hops, seed)| Step::Request { to, class, hops, seed }),
        1 => (to, 0..4_u8, class).prop_map(|(to, n, class)| Step::Reserve { to, n, class }),
        1 => (at, seed).prop_map(|(at, seed)| Step::UsePermit { at, seed }),
        1 => at.prop_map(|at| Step::DropPermit { at }),
        8 => (1..6_u8).prop_map(Step::Turns),
        3 => (0..40_u8).prop_map(Step::Advance),
        2 => Just(Step::Tick),
        3 => (at, 0..4_u8).prop_map(|(at, how)| Step::Complete { at, how }),
        1 => at.prop_map(|at| Step::Abandon { at }),
        1 => (0..7_usize, 0..6_usize).prop_map(|(pool, workers)| Step::Resize { pool, workers }),
        1 => (0..6_usize, 0..17_usize).prop_map(|(stage, soft)| Step::Soft { stage, soft }),
    ]
}

struct Run {
    world: Arc<World>,
    sources: Vec<Source<Job>>,
    tickets: Vec<(Ticket<u64>, bool)>,
}

impl Run {
    fn source(&self, to: usize, class: u8, deadline: Option<u8>) -> Source<Job> {
        let deadline = deadline.map(|millis| Duration::from_millis(millis.into()));
        let terms = Terms { class: Class::new(class), deadline };
        self.sources[to % self.sources.len()].with_terms(terms)
    }

    fn take(&mut self, manual: &mut Manual, step: Step) {
        match step {
            Step::Send { to, class, deadline, hops, seed } => {
                let sent = self.source(to, class, deadline).send(self.world.job(hops, seed));
                give_back(sent.map_err(|refused| refused.into_event()));
            }
            Step::SendAll { to, n, class, seed } => self.send_all(to, n, class, seed),
            Step::Request { to, class, hops, seed } => self.request(to, class, hops, seed),
            Step::Reserve { to, n, class } => {
                match self.source(to, class, None).reserve(n.into()) {
                    Ok(permits) => self.world.permits.lock().push(permits),
                    Err(_) => drop(self.world.refused_places.fetch_add(n.into(), SeqCst)),
                }
            }
            Step::UsePermit { at, seed } => {
                let job = self.world.job(3, seed);
                match self.world.permits.lock().as_mut_slice() {
                    [] => job.fate.keep(),
                    permits => {
                        let at = at % permits.len();
                        // Without a place nothing is offered, so nothing is refused.
                        let is_offered = permits[at].left() > 0;
                        match permits[at].send(job) {
                            Err(refused) if is_offered => refused.into_event().fate.refuse(),
                            Err(refused) => refused.into_event().fate.keep(),
                            Ok(()) => {}
                        }
                    }
                }
            }
            Step::DropPermit { at } => drop(swap_remove(&mut self.world.permits.lock(), at)),
            Step::Turns(n) => {
                let _begun: usize = (0..n).map(|_| manual.step()).sum();
            }
            Step::Advance(millis) => self.world.clock.advance(Duration::from_millis(millis.into())),
            Step::Tick => manual.tick(),
            Step::Complete { at, how } => self.complete(at, how),
            Step::Abandon { at } => {
                let n = self.tickets.len().max(1);
                if let Some((ticket, abandoned)) = self.tickets.get_mut(at % n) {
                    *abandoned |= ticket.request().abandon();
                }
            }
            Step::Resize { pool, workers } => {
                let pool = NAMES.get(pool).copied().unwrap_or("shared");
                manual.set_workers(pool, workers);
            }
            Step::Soft { stage, soft } => drop(manual.set_soft_capacity(NAMES[stage], soft)),
        }
    }

    fn send_all(&self, to: usize, n: u8, class: u8, seed: u64) {
        let jobs = (0..n).map(|k| self.world.job(2, seed.wrapping_add(k.into()))).collect();
        if let Err(refused) = self.source(to, class, None).send_all(jobs) {
            refused.into_event().into_iter().for_each(|job| give_back(Err(job)));
        }
    }

    fn request(&mut self, to: usize, class: u8, hops: u8, seed: u64) {
        let source = &self.sources[to % self.sources.len()];
        let source = source.with_terms(Terms { class: Class::new(class), deadline: None });
        let made = |reply| Job { reply: Some(reply), ..self.world.job(hops, seed) };
        match source.request(made) {
            Ok(ticket) => self.tickets.push((ticket, false)),
            Err(_) => drop(self.world.refused_places.fetch_add(1, SeqCst)),
        }
    }

    fn complete(&self, at: usize, how: u8) {
        let Some((pending, job)) = swap_remove(&mut self.world.pending.lock(), at) else {
            return;
        };
        if let Some(reply) = job.reply.filter(|_| how == 1) {
            reply.respond(0);
        }
        if how > 0 {
            pending.complete();
        }
    }

    /// Places that are taken by what is outside: pending events, and permits.
    fn outside(&self) -> usize {
        let permits: usize = self.world.permits.lock().iter().map(|permits| permits.left()).sum();
        permits + self.world.pending.lock().len()
    }

    fn check(&self, report: &Report) -> Result<(), TestCaseError> {
        check_ledgers(report).map_err(TestCaseError::fail)?;
        let events = &report.events;
        let Fates { begun, refused, lost, wrong, .. } = &*self.world.fates;
        let held: u64 = report.stages.iter().map(|stage| stage.held).sum();
        let delayed: u64 = report.stages.iter().map(|stage| stage.delayed).sum();
        let deferred = self.world.pending.lock().len() as u64;
        prop_assert_eq!(held, self.world.held.load(SeqCst));
        prop_assert_eq!(events.pending, deferred + held + delayed);
        prop_assert_eq!(events.handled + events.failed + deferred + held, begun.load(SeqCst));
        let bytes: u64 = report.stages.iter().filter_map(|stage| stage.bytes).sum();
        prop_assert_eq!(bytes, report.budget.bytes_used);
        let places = self.world.refused_places.load(SeqCst);
        prop_assert_eq!(events.refused, refused.load(SeqCst) + places);
        // Victims of the valve are counted at once and told in the next turn.
        let (lost, shed) = (lost.lock(), shed_by_reason(report));
        prop_assert!(lost.iter().all(|(reason, n)| Some(n) <= shed.get(reason)), "{:?}", lost);
        prop_assert_eq!(wrong.load(SeqCst), 0);
        let inside = (events.queued + events.in_hand + held + delayed) as usize;
        prop_assert_eq!(report.budget.used, inside + self.outside());
        prop_assert_eq!(report.requests.admitted, self.tickets.len() as u64);
        let abandoned = self.tickets.iter().filter(|(_, abandoned)| *abandoned).count() as u64;
        let counted = report.requests.lost.get("abandoned").copied().unwrap_or(0);
        prop_assert_eq!(counted, abandoned);
        Ok(())
    }
}

fn shed_by_reason(report: &Report) -> BTreeMap<String, u64> {
    let mut sum = BTreeMap::new();
    for (reason, n) in report.stages.iter().flat_map(|stage| &stage.shed) {
        *sum.entry(reason.clone()).or_default() += n;
    }
    sum
}

fn swap_remove<T>(things: &mut Vec<T>, at: usize) -> Option<T> {
    let n = things.len();
    (n > 0).then(|| things.swap_remove(at % n))
}

/// Runs `steps` over `plan`, drains, and counts what became of everything.
fn run(plan: &Plan, steps: Vec<Step>, resolve_first: bool) -> Result<(), TestCaseError> {
    support::quiet_panics();
    let world = Arc::new(World::default());
    let (mut manual, sources) = plan.start(&world);
    let mut run = Run { world, sources, tickets: Vec::new() };
    for step in steps {
        let what = format!("{step:?}");
        run.take(&mut manual, step);
        manual.tell_owners();
        run.check(&manual.report()).map_err(|e| TestCaseError::fail(format!("{what}: {e}")))?;
    }
    if resolve_first {
        let pending = run.world.pending.lock().len();
        (0..pending).for_each(|_| run.complete(0, 1));
        run.world.permits.lock().clear();
    }
    if resolve_first && plan.is_reliable() {
        // Nobody idles beside an event that it may run: an idle graph is an empty one, up to what
        // is to come later.
        manual.run(100_000);
        // What is deferred keeps its key.
        if run.outside() == 0 {
            prop_assert_eq!(manual.report().events.queued, 0, "queued in an idle graph");
        }
    }
    let owed = resolve_first && plan.is_reliable();
    end(&run, manual, owed)
}

/// With `owed`, nothing keeps the drain from ending well but what handlers defer meanwhile.
fn end(run: &Run, manual: Manual, owed: bool) -> Result<(), TestCaseError> {
    let drained = manual.drain(100_000);
    run.check(&drained.report)?;
    if owed && run.outside() == 0 {
        prop_assert!(drained.complete, "{}", drained.report);
    }
    let (events, world) = (&drained.report.events, Arc::clone(&run.world));
    prop_assert_eq!((events.queued, events.in_hand), (0, 0));
    prop_assert_eq!(&shed_by_reason(&drained.report), &*world.fates.lost.lock());
    let lost_in_drain = shed_by_reason(&drained.report).get("drain").copied().unwrap_or(0);
    prop_assert_eq!(drained.given_up, lost_in_drain);
    let cancelled = shed_by_reason(&drained.report).get("cancelled").copied().unwrap_or(0);
    prop_assert_eq!(drained.cancelled, cancelled);
    prop_assert_eq!(run.outside() == 0 && drained.given_up == 0, drained.complete);
    // What is still outside comes back after the end, and is counted all the same.
    world.pending.lock().clear();
    world.permits.lock().clear();
    prop_assert_eq!(run.sources.len(), drained.report.stages.len());
    prop_assert_eq!(world.fates.wrong.load(SeqCst), 0);
    prop_assert_eq!(world.fates.alive.load(SeqCst), 0, "jobs that nobody has and nobody lost");
    for (ticket, abandoned) in &run.tickets {
        prop_assert_eq!(ticket.try_take().is_some(), !*abandoned, "told once, or abandoned");
        prop_assert!(ticket.try_take().is_none());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn both_ledgers_balance_after_every_step_of_any_graph_and_everyone_is_told_once(
        plan in plan(),
        steps in proptest::collection::vec(step(), 1..80),
        resolve_first in any::<bool>(),
    ) {
        run(&plan, steps, resolve_first)?;
    }
}
