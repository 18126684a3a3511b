//! Runs a model under many schedules: it holds under all, or fails with a flaw for a stated reason.

#[cfg(feature = "loom")]
pub use loom::{sync, thread};
use seda_core::modelled::{Flaw, seed};
#[cfg(feature = "shuttle")]
pub use shuttle::{sync, thread};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What both checkers call a state in which everybody waits.
pub const DEADLOCK: &str = "deadlock";
/// What shuttle calls an execution that does not end.
#[cfg(feature = "shuttle")]
pub const LIVELOCK: &str = "exceeded max_steps bound";

/// In the environment of a child: the flaw that it is to seed, and the model that is to fail.
const CHILD: &str = "SEDA_MODEL_CHILD";
/// How a child ends whose model failed.
const CAUGHT: i32 = 70;

/// How far a checker goes: shuttle tries so many schedules with each of its schedulers, loom every
/// schedule with so many preemptions at most.
#[derive(Clone, Copy, Debug)]
pub struct Bound(pub usize);

/// The model holds under every schedule that is tried.
pub fn holds(bound: Bound, model: impl Fn() + Send + Sync + 'static) {
    if std::env::var_os(CHILD).is_none() {
        println!("{} schedules", run(bound, Arc::new(model)));
    }
}

/// With `flaw` the model fails under one of the schedules that are tried, and says `why`.
///
/// It fails in a child process: a checker unwinds all of a model's threads at once, and what they
/// drop then can end the process.
#[track_caller]
pub fn fails<M: Fn() + Send + Sync + 'static>(bound: Bound, flaw: Flaw, why: &str, model: M) {
    let name = std::any::type_name::<M>();
    let child = format!("{flaw:?} in {name}");
    if let Some(chosen) = std::env::var_os(CHILD) {
        if *chosen == *child {
            fail(bound, flaw, model);
        }
        return;
    }
    // `models::file::function`; the file's other tests do nothing in a child.
    let file = name.split("::").nth(1).unwrap_or_default();
    let ended = Command::new(std::env::current_exe().unwrap())
        .args([file, "--nocapture", "--test-threads=1"])
        .env(CHILD, child)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(CAUGHT), "{flaw:?} was not caught: {said}");
    let (schedule, caught) = said.split_once("caught: ").unwrap_or_default();
    assert!(caught.contains(why), "{flaw:?} was caught, but not by `{why}`: {caught}");
    println!("{flaw:?}, caught {caught}");
    // To be replayed.
    eprintln!("{schedule}");
}

fn fail(bound: Bound, flaw: Flaw, model: impl Fn() + Send + Sync + 'static) {
    let tried = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tried);
    std::panic::set_hook(Box::new(move |panic| {
        eprintln!("caught: by schedule {}, {panic}", tried.load(Ordering::Relaxed));
        std::process::exit(CAUGHT);
    }));
    seed(Some(flaw));
    let counting = move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    };
    run(bound, Arc::new(counting));
}

#[cfg(feature = "shuttle")]
fn run(Bound(bound): Bound, model: Arc<dyn Fn() + Send + Sync>) -> usize {
    use shuttle::scheduler::{PctScheduler, RandomScheduler, ReplayScheduler};

    /// Fixed, so that a failure is one on every machine.
    const SEED: u64 = 0x5EDA;
    /// How many preemptions a bug may need for PCT to find it (Burckhardt et al. 2010).
    const PREEMPTIONS: usize = 3;

    let runner = |model: Arc<dyn Fn() + Send + Sync>| move || model();
    if let Ok(schedule) = std::env::var("SEDA_SCHEDULE") {
        let replayed = ReplayScheduler::new_from_encoded(&schedule);
        return shuttle::Runner::new(replayed, config()).run(runner(model));
    }
    let pct = PctScheduler::new_from_seed(SEED, PREEMPTIONS, bound);
    let tried = shuttle::Runner::new(pct, config()).run(runner(Arc::clone(&model)));
    let random = RandomScheduler::new_from_seed(SEED, bound);
    tried + shuttle::Runner::new(random, config()).run(runner(model))
}

#[cfg(feature = "shuttle")]
fn config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    // A worker's turn with a report inside needs more than the default of 60 KiB.
    config.stack_size = 512 * 1024;
    // Nothing here takes a tenth of that: more is a livelock.
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    // Orderings are loom's business: see `wakeups.rs`.
    config.silence_warnings = true;
    config
}

#[cfg(feature = "loom")]
fn run(Bound(bound): Bound, model: Arc<dyn Fn() + Send + Sync>) -> usize {
    let tried = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&tried);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound.get_or_insert(bound);
    builder.max_branches = 50_000;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    tried.load(Ordering::Relaxed)
}
