//! What can keep a server from starting, in words that say what to do.

use crate::h1::LimitsError;
use seda_core::GraphError;
use std::io;
use std::net::SocketAddr;
use thiserror::Error;

/// A setting that is out of its bounds.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value outside its range.
    #[error("`{key}` is {value}: allowed is {allowed}")]
    OutOfRange {
        /// The key.
        key: &'static str,
        /// Its value.
        value: String,
        /// The range.
        allowed: String,
    },
    /// A limit on requests outside its range.
    #[error("`limits`: {0}")]
    Limits(#[from] LimitsError),
}

/// Why a server cannot listen.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The address is taken.
    #[error(
        "`listen` = {address} is in use: end the other server, or choose another port \
         (0 takes a free one)"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be had.
    #[error(
        "cannot listen on `listen` = {address}: {source}; choose an address of this machine, and \
         a port that this user may have"
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// What the machine said.
        source: io::Error,
    },
}

/// Why a server does not serve.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No stage takes the requests.
    #[error("no stage takes the requests: name one with `entry` before `serve`")]
    NoEntry,
    /// The graph that runs is not the one with the entry, or its workers are taken.
    #[error(
        "the running graph has no workers for the reactors: give `serve` the graph that \
         `entry` was called with, once"
    )]
    NoWorkers,
    /// The machine gave no poll, no thread or no descriptor.
    #[error("reactor {reactor} does not start: {source}; lower `reactors`, or raise the limits")]
    Reactor {
        /// Its number.
        reactor: usize,
        /// What the machine said.
        source: io::Error,
    },
}

/// Why requests cannot enter at a stage.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// There is an entry already.
    #[error("requests enter at `{stage}` already: a server has one entry")]
    Twice {
        /// The stage.
        stage: String,
    },
    /// The graph does not have the stage.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
