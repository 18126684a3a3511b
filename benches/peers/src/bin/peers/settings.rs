//! The flags of a comparison and the values that all its runs share.

use clap::Parser;
use peers::Contestant;
use std::time::Duration;

/// Compares seda with its peers under overload.
#[derive(Debug, Parser)]
#[command(name = "peers")]
pub(super) struct Flags {
    /// One service time, one round, fewer peers: under 3 minutes
    #[arg(long)]
    pub(super) quick: bool,
    /// Run only these contestants, like "seda,axum-bounded-queue-16"
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    pub(super) only: Vec<Contestant>,
    /// Rounds of every service time [default: 3 and 2, with --quick 1]
    #[arg(long, value_name = "N")]
    pub(super) rounds: Option<u32>,
    /// Do not build the servers first
    #[arg(long)]
    pub(super) no_build: bool,
    /// Do not write docs/
    #[arg(long)]
    pub(super) keep_docs: bool,
}

/// The SLO: an answer within it is good.
pub(super) const SLO: Duration = Duration::from_millis(200);

/// Time after which a client gives up.
pub(super) const DEADLINE: Duration = Duration::from_secs(1);

/// Returns the SLOs of every run. The first decides; the others show how the result depends on it.
pub(super) fn slos() -> Vec<Duration> {
    vec![SLO, Duration::from_millis(100), Duration::from_millis(500)]
}
