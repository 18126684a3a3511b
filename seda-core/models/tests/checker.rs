//! Runs a model under many schedules. A model holds under all of them, or fails with a seeded flaw
//! for a stated reason.

#[cfg(feature = "loom")]
pub use loom::{sync, thread};
use seda_core::modelled::{Flaw, seed};
#[cfg(feature = "shuttle")]
pub use shuttle::{sync, thread};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The word of both checkers for a state in which every thread waits.
pub const DEADLOCK: &str = "deadlock";
/// shuttle's words for an execution that does not end.
#[cfg(feature = "shuttle")]
pub const LIVELOCK: &str = "exceeded max_steps bound";

/// Environment variable of a child process: the flaw to seed and the model that must fail.
const CHILD: &str = "SEDA_MODEL_CHILD";
/// Exit code of a child after its model has failed.
const CAUGHT: i32 = 70;

/// The effort of a checker. shuttle tries this number of schedules with each of its schedulers;
/// loom tries every schedule with at most this number of preemptions.
#[derive(Clone, Copy, Debug)]
pub struct Bound(pub usize);

/// Asserts that the model holds under every tried schedule.
pub fn holds(bound: Bound, model: impl Fn() + Send + Sync + 'static) {
    if std::env::var_os(CHILD).is_none() {
        println!("{} schedules", run(bound, Arc::new(model)));
    }
}

/// Asserts that the model with `flaw` fails under a tried schedule, with a message that contains
/// `why`.
///
/// The model fails in a child process: a checker unwinds all threads of a model at once, and their
/// drops can then abort the process.
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
    // The name is `models::file::function`. Other tests of the file do nothing in a child.
    let file = name.split("::").nth(1).unwrap_or_default();
    let ended = Command::new(std::env::current_exe().unwrap())
        .args([file, "--nocapture", "--test-threads=1"])
        .env(CHILD, child)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(CAUGHT), "{flaw:?} was not caught: {stderr}");
    let (schedule, caught) = stderr.split_once("caught: ").unwrap_or_default();
    assert!(caught.contains(why), "{flaw:?} was caught, but not by `{why}`: {caught}");
    println!("{flaw:?}, caught {caught}");
    // For a replay with SEDA_SCHEDULE.
    eprintln!("{schedule}");
}

/// Seeds the flaw and runs the model; exits with [`CAUGHT`] when it fails.
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

    /// Fixed, so that a failure repeats on every machine.
    const SEED: u64 = 0x5EDA;
    /// The number of preemptions up to which PCT finds a bug (Burckhardt et al. 2010).
    const PREEMPTIONS: usize = 3;

    // A given schedule is replayed alone.
    if let Ok(schedule) = std::env::var("SEDA_SCHEDULE") {
        let replayed = ReplayScheduler::new_from_encoded(&schedule);
        return shuttle::Runner::new(replayed, config()).run(move || model());
    }
    // PCT first, then random schedules.
    let pct = PctScheduler::new_from_seed(SEED, PREEMPTIONS, bound);
    let pct_model = Arc::clone(&model);
    let tried = shuttle::Runner::new(pct, config()).run(move || pct_model());
    let random = RandomScheduler::new_from_seed(SEED, bound);
    tried + shuttle::Runner::new(random, config()).run(move || model())
}

#[cfg(feature = "shuttle")]
fn config() -> shuttle::Config {
    let mut config = shuttle::Config::new();
    // A worker's turn that builds a report needs more than the default of 60 KiB.
    config.stack_size = 512 * 1024;
    // No model takes a tenth of these steps, so more of them are a livelock.
    config.max_steps = shuttle::MaxSteps::FailAfter(100_000);
    // Memory orderings are checked by loom: see `wakeups.rs`.
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
