//! Random graphs under random steps. After every step both ledgers are exact per stage and class,
//! bounds hold, no worker idles beside work, and each owner is notified exactly once. Every end of
//! a graph is complete.
//!
//! A case is a [`plan::Plan`], the [`step::Step`]s taken on it, and its end. The test's world keeps
//! both ledgers a second time, by watching its own jobs.
//!
//! - `SEDA_CASES=n` sets the number of cases, `SEDA_SEED=n` the seed; equal runs are identical.
//! - A failing case is shrunk and printed as JSON. `SEDA_REPLAY=file` runs a case from a file.
//!
//! A new capability is a variant of [`step::Step`], a field of a plan, or a choice of
//! [`node::Node`]. It needs a line in `draw.rs`, and its effect on the counts in `check.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod build;
mod check;
mod classes;
mod clients;
mod draw;
mod job;
mod node;
mod plan;
mod rng;
mod run;
mod settings;
mod step;
mod world;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use run::Case;

/// Every mutation tried so far was found in a fifth of these cases.
const CASES: u32 = 5_000;

/// Attempts to shrink a failing case; they take half a minute.
const SHRINKS: u32 = 20_000;

/// Threads that share the cases. Fixed, so that runs on all machines are identical; two, because
/// the smallest machine has two cores.
const SHARES: u32 = 2;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |n| n.parse().expect("a number"))
}

#[test]
fn any_graph_keeps_its_ledgers_and_bounds_and_notifies_each_owner_once() {
    if let Ok(file) = std::env::var("SEDA_REPLAY") {
        let case: Case = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
        return case.run().unwrap_or_else(|fault| panic!("{fault}"));
    }
    let cases = u32::try_from(number("SEDA_CASES", CASES.into())).unwrap();
    std::thread::scope(|scope| {
        for share in 0..SHARES {
            scope.spawn(move || attack(share, cases.div_ceil(SHARES)));
        }
    });
}

/// Runs `cases` cases, different ones for each `share`.
fn attack(share: u32, cases: u32) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("SEDA_SEED", 0).to_le_bytes());
    seed[8..12].copy_from_slice(&share.to_le_bytes());
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: SHRINKS, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let result = TestRunner::new_with_rng(config, rng)
        .run(&draw::case(), |case| case.run().map_err(TestCaseError::fail));
    match result {
        Ok(()) => {}
        Err(TestError::Fail(fault, case)) => {
            panic!(
                "{fault}\nSEDA_REPLAY=<a file of this line>\n{}",
                serde_json::to_string(&case).unwrap()
            );
        }
        Err(TestError::Abort(reason)) => panic!("{reason}"),
    }
}
