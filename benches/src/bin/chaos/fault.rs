//! What went wrong, and in which generation.

use crate::sums::Sums;
use benches::process::Holdings;
use seda_core::GraphError;
use seda_core::Report;
use thiserror::Error;

/// A property that did not hold.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error("the graph did not start: {0}")]
    Start(#[from] GraphError),
    /// A thread of the generation found it; the first one counts.
    #[error("{0}")]
    Found(String),
    #[error("the graph never comes to rest:\n{0}")]
    NeverIdle(Box<Report>),
    #[error("{end} took {seconds} s")]
    SlowEnd { end: String, seconds: f64 },
    #[error("at the end: {imbalance}\n{report}")]
    Imbalance { imbalance: String, report: Box<Report> },
    /// A ledger of the graph and the count of the events differ.
    #[error("{what}: {reported} reported, {known} counted\n{report}")]
    Ledger { what: &'static str, reported: u64, known: u64, report: Box<Report> },
    #[error("the sums do not add up: {0:?}")]
    Sums(Box<Sums>),
    #[error("a panic that was not on purpose")]
    Panic,
    #[error("threads are left running: {0}")]
    Threads(Holdings),
    #[error("descriptors are left open: {0}")]
    Descriptors(Holdings),
}

/// A fault with the generation that it happened in.
#[derive(Debug, Error)]
#[error("generation {number}, {about}: {fault}")]
pub(crate) struct FailedGeneration {
    pub(crate) number: u64,
    pub(crate) about: String,
    #[source]
    pub(crate) fault: Fault,
}
