//! Proof by random attack: over any graph, after every step, both ledgers are exact for each stage
//! and class, bounds are kept, nobody rests beside work, and everything is told to its owner
//! exactly once; and any end is an end.
//!
//! A case is a [`plan::Plan`], the [`step::Step`]s taken on it and how it ends. The test's world
//! keeps both ledgers a second time, by watching its own jobs.
//!
//! - `SEDA_CASES=n` runs so many cases, `SEDA_SEED=n` other ones; each run repeats exactly.
//! - A case that fails is made as small as it gets and printed as JSON. `SEDA_REPLAY=file` runs
//!   one from a file. Those that have found something are kept in `found/` and run first.
//!
//! A new capability is a new variant of [`step::Step`], or a field of a plan or a choice of
//! [`node::Node`], with its line in `draw.rs`; and what it does to the counts in `check.rs`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

#[path = "../support/mod.rs"]
mod support;

mod build;
mod check;
mod classes;
mod clients;
mod dice;
mod draw;
mod job;
mod node;
mod plan;
mod run;
mod settings;
mod step;
mod world;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use run::Case;

/// Enough that each mutation tried so far was found in the first tenth.
const CASES: u32 = 10_000;

/// How often a case that failed is made smaller: half a minute.
const SHRINKS: u32 = 20_000;

/// The cases are shared among so many threads: the cores of the smallest machine that runs them.
/// Fixed, as a run has to repeat exactly on any machine.
const SHARES: u32 = 2;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |n| n.parse().expect("a number"))
}

#[test]
fn any_graph_keeps_its_ledgers_and_bounds_and_tells_everyone_once() {
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

/// Attacks `cases` graphs, others in each `share`.
fn attack(share: u32, cases: u32) {
    let mut seed = [0; 32];
    seed[..8].copy_from_slice(&number("SEDA_SEED", 0).to_le_bytes());
    seed[8..12].copy_from_slice(&share.to_le_bytes());
    let config =
        Config { cases, failure_persistence: None, max_shrink_iters: SHRINKS, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let found = TestRunner::new_with_rng(config, rng)
        .run(&draw::case(), |case| case.run().map_err(TestCaseError::fail));
    match found {
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
