//! The errors before a server serves. Each message names the remedy.

use crate::h1::LimitsError;
#[cfg(feature = "tls")]
use crate::tls::TlsError;
use seda_core::GraphError;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use thiserror::Error;

/// A setting that is out of its bounds.
///
/// ```
/// use seda_http::{ConfigError, HttpConfig};
///
/// let mut config = HttpConfig::default();
/// config.reactors = 0;
/// let error = config.check().unwrap_err();
/// assert!(matches!(error, ConfigError::OutOfRange { key: "reactors", .. }));
/// assert_eq!(error.to_string(), "`reactors` is 0; allowed: 1 to 64");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value is out of its range.
    #[error("`{key}` is {value}; allowed: {allowed}")]
    OutOfRange {
        /// The configuration key.
        key: &'static str,
        /// The value.
        value: String,
        /// The range.
        allowed: String,
    },
    /// A limit on requests is out of its range.
    #[error("`limits`: {0}")]
    Limits(#[from] LimitsError),
}

/// The reason why a server cannot listen.
///
/// ```
/// use seda_http::{BindError, Http, HttpConfig};
///
/// # fn main() -> Result<(), BindError> {
/// let mut config = HttpConfig::default();
/// config.listen.set_port(0);
/// let first = Http::bind(config.clone())?;
/// config.listen = first.local_addr().into();
/// assert!(matches!(Http::bind(config), Err(BindError::InUse { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Another process, or another server of this one, listens on the address.
    #[error(
        "`listen` = {address} is in use: end the other server, or choose another port \
         (0 takes a free one)"
    )]
    InUse {
        /// The address.
        address: SocketAddr,
    },
    /// The operating system refuses the address.
    #[error(
        "cannot listen on `listen` = {address}: {source}; choose an address of this machine, and \
         a port that this user may have"
    )]
    Address {
        /// The address.
        address: SocketAddr,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The operating system refuses the Unix socket.
    #[error(
        "cannot listen on `listen` = unix:{}: {source}; choose a file of at most 107 bytes (103 on \
         macOS) in a folder that this user may write, or end the server that has it", path.display()
    )]
    Unix {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The parent of this process has passed no socket, or none that a server can have.
    #[error("cannot listen on `listen` = {place}: {fault}")]
    Inherited {
        /// The place.
        place: String,
        /// The reason, with the remedy.
        fault: String,
    },
    /// A socket of the program is no listening stream socket.
    #[error("cannot listen on socket {index} of the program: {source}; give a listening one")]
    Socket {
        /// Its index.
        index: usize,
        /// The reason.
        source: io::Error,
    },
    /// The certificates of a listener cannot be used.
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The operating system refuses the listener of the admin side.
    #[error(
        "cannot listen on `admin.at` = {place}: {source}; choose a free port or another file, end \
         the server that has it, or set `admin.at` to off"
    )]
    Admin {
        /// The address, or the file.
        place: String,
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The reason why a server does not serve.
///
/// ```
/// use seda_core::{Context, Graph};
/// use seda_http::{Http, HttpConfig, HttpRequest, ServeError};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut config = HttpConfig::default();
/// # config.listen.set_port(0);
/// let mut graph = Graph::new("hello");
/// let stage = graph.stage::<HttpRequest>("hello", 1_024);
/// graph.attach_each(stage, |_wire| |_call: HttpRequest, _cx: &mut Context| {})?;
/// // The call of `entry` is missing.
/// let error = Http::bind(config)?.serve(graph.start()?).unwrap_err();
/// assert!(matches!(error, ServeError::NoEntry));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ServeError {
    /// No stage is the entry.
    #[error("no stage takes the requests: name one with `entry`, or several with `routes`")]
    NoEntry,
    /// The running graph is not the one with the entry, or another server has its workers.
    #[error(
        "the running graph has no workers for the reactors: give `serve` the graph that \
         `entry` or `routes` was called with, once"
    )]
    NoWorkers,
    /// The operating system refuses a poll, a thread or a descriptor.
    #[error("reactor {reactor} does not start: {source}; lower `reactors`, or raise the limits")]
    Reactor {
        /// The index of the reactor.
        reactor: usize,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The operating system refuses the thread or the poll of the admin side.
    #[error(
        "the listener of `admin.at` does not start: {source}; raise the limits, or set `admin.at` \
         to off"
    )]
    Admin {
        /// The error of the operating system.
        source: io::Error,
    },
    /// The settings have an access log, and the program gives no writer for it.
    #[error(
        "`access_log.format` is set and the program gives no writer: call `Http::access_log` \
         before `serve`, or remove the key"
    )]
    NoLogWriter,
    /// The operating system refuses the thread of the access log.
    #[error(
        "the thread of the access log does not start: {source}; raise the limits, or remove \
         `access_log.format`"
    )]
    AccessLog {
        /// The error of the operating system.
        source: io::Error,
    },
}

/// The reason why a stage cannot be the entry of a server.
///
/// ```
/// use seda_core::Graph;
/// use seda_http::{EntryError, Http, HttpConfig, HttpRequest};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let mut config = HttpConfig::default();
/// # config.listen.set_port(0);
/// let mut graph = Graph::new("pages");
/// let pages = graph.stage::<HttpRequest>("pages", 1_024);
/// let mut http = Http::bind(config)?;
/// http.entry(&mut graph, pages)?;
/// assert!(matches!(http.entry(&mut graph, pages), Err(EntryError::Twice { .. })));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The server has an entry or a table of routes already.
    #[error("requests enter at `{stage}` already: a server has one entry, or one table of routes")]
    Twice {
        /// The stage that is the entry, or the first of the table.
        stage: String,
    },
    /// The stage is not of this graph.
    #[error(transparent)]
    Graph(#[from] GraphError),
}
