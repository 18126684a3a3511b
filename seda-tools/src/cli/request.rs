//! Flags that `load`, `sweep` and `step` share: the requests, the SLOs, and the generator.

use super::error::CliError;
use super::input::DurationRange;
use super::{input, output};
use crate::h1::{RequestShape, Url};
use crate::load::mix::Mix;
use crate::load::retry::Retry;
use crate::load::trace::Trace;
use crate::load::workload::Workload;
use clap::Args;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// The time in which the server must accept a first connection before the load begins.
const FIRST_CONNECTION: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Args)]
pub(super) struct RequestFlags {
    /// The server, like http://127.0.0.1:8080/work?micros=1000
    pub(super) url: Url,
    /// Paths by weight instead of the URL's: "/work?micros=1000=9,/=1"; headers of one entry stand
    /// before it: "{priority: u=0} /=1"
    #[arg(long, value_name = "PATH=WEIGHT,...", conflicts_with = "trace")]
    pub(super) mix: Option<Mix>,
    /// The paths of a recorded trace, and its arrivals unless a rate is given: an access log
    /// (Common or Combined Log Format, or TSV), or arrivals with their work
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// The method
    #[arg(long, default_value = "GET")]
    pub(super) method: String,
    /// A further header, like "Accept: text/html"; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// The body of each request
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub(super) body: Option<String>,
    /// A file with the body of each request
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<PathBuf>,
    /// Open a connection for each request
    #[arg(long)]
    pub(super) no_keep_alive: bool,
    /// The right statuses, instead of 200 to 399
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = input::status)]
    pub(super) expect: Vec<u16>,
    /// Later answers are late; the report has goodput under each further SLO, too
    #[arg(long, value_name = "200ms[,1s]", value_delimiter = ',', default_value = "200ms",
        value_parser = input::duration)]
    pub(super) slo: Vec<Duration>,
    /// The most retries of a request that was refused, timed out or lost
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// The longest pause before the first retry, and the limit up to which it doubles; each pause
    /// is drawn between zero and the longest
    #[arg(long, value_name = "50ms..1s", default_value = "50ms..1s", value_parser = input::range)]
    pub(super) backoff: DurationRange,
    /// Wait at least as long as Retry-After asks before a retry
    #[arg(long)]
    pub(super) honour_retry_after: bool,
    /// The most connections at once; they are opened when they are needed
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(super) connections: usize,
    /// Generator threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threads: usize,
    /// The seed of arrivals and mix: the same seed gives the same load
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Watch the server's process from outside (CPU, threads, memory)
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Print no progress line
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl RequestFlags {
    /// Returns the first address of the server that accepts a connection. If none does, warns on
    /// standard error and returns the first.
    pub(super) fn address(&self) -> Result<SocketAddr, CliError> {
        let mut failed = None;
        for address in self.url.resolve()? {
            match TcpStream::connect_timeout(&address, FIRST_CONNECTION) {
                Ok(_) => return Ok(address),
                Err(error) => failed = failed.or(Some((address, error))),
            }
        }
        let Some((address, error)) = failed else {
            return Err(CliError::NoAddress(self.url.clone()));
        };
        eprintln!("warning: {address} accepts no connection ({error}); the load begins anyway");
        Ok(address)
    }

    /// Returns the trace; `None` if the flag is not set.
    pub(super) fn trace(&self) -> Result<Option<Trace>, CliError> {
        Ok(self.trace.as_deref().map(Trace::open).transpose()?)
    }

    /// Returns the requests: those of the trace, of the mix, or of the URL.
    pub(super) fn workload(&self, trace: Option<&Trace>) -> Result<Workload, CliError> {
        let mut shape = RequestShape::new(self.url.authority());
        for header in &self.headers {
            shape.header(header)?;
        }
        shape.keep_alive = !self.no_keep_alive;
        shape.body = match (&self.body, &self.body_file) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(file)) => output::read("--body-file", file)?,
            (None, None) => Vec::new(),
        };
        Ok(match (trace, &self.mix) {
            (Some(trace), _) => Workload::trace(&shape, trace)?,
            (None, Some(mix)) => Workload::mix(&shape, mix.clone())?,
            (None, None) => Workload::single(&shape, &self.method, self.url.target())?,
        })
    }

    /// Returns the SLOs, tightest first, each once.
    pub(super) fn slos(&self) -> Vec<Duration> {
        let mut slos = self.slo.clone();
        slos.sort_unstable();
        slos.dedup();
        slos
    }

    pub(super) fn retry(&self) -> Retry {
        Retry {
            most: self.retries,
            least_backoff: self.backoff.least,
            most_backoff: self.backoff.most,
            honour_retry_after: self.honour_retry_after,
        }
    }
}
