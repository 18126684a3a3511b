//! What a graph did not do or did not give back.

use crate::heap::Live;
use benches::process::Holdings;
use seda_core::{GraphError, Report};
use std::io;
use thiserror::Error;

/// A property that did not hold.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error("the graph did not start: {0}")]
    Start(#[from] GraphError),
    #[error("no thread for a hosted worker: {0}")]
    Thread(#[from] io::Error),
    #[error("a hosted worker panicked")]
    HostedWorker,
    #[error("not drained:\n{0}")]
    NotDrained(Box<Report>),
    #[error("the heap has changed: {0:?}")]
    Heap(Live),
    #[error("threads are left running: {0}")]
    Threads(Holdings),
    #[error("a panic that was not on purpose")]
    Panic,
    #[error("descriptors or memory have grown: {0}")]
    Grown(Holdings),
}

/// A fault, with the life in which it was found.
#[derive(Debug, Error)]
#[error("iteration {number}, {about}: {fault}")]
pub(crate) struct FailedLife {
    pub(crate) number: u64,
    pub(crate) about: &'static str,
    #[source]
    pub(crate) fault: Fault,
}
