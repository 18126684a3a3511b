//! Why a graph could not be diagnosed.

use seda_core::GraphError;
use thiserror::Error;

#[derive(Debug, Error)]
pub(crate) enum Fault {
    #[error("the graph did not start: {0}")]
    Start(#[from] GraphError),
    #[error("a thread did not start: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the description has no stage; stage 0 is the entry")]
    NoEntry,
    #[error("the spinner's stage refused its first event; give it a capacity of at least 1")]
    NoSpinner,
    #[error("`{0}` is not a kind of graph; kinds are {1}")]
    UnknownKind(String, String),
    #[error("a thread of the run panicked; its message is above")]
    Panic,
}
