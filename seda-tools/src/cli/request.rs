//! Flags that all commands share: what is asked for, by what it is judged, what with.

use super::Failed;
use super::input;
use crate::h1::{RequestShape, Url};
use crate::load::mix::Mix;
use crate::load::retry::Retry;
use crate::load::trace::Trace;
use crate::load::workload::Workload;
use clap::Args;
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

/// How long the server gets to take a first connection before the load begins.
const FIRST_CONNECTION: Duration = Duration::from_secs(1);

#[derive(Clone, Debug, Args)]
pub(super) struct RequestFlags {
    /// The server, like http://127.0.0.1:8080/work?micros=1000
    pub(super) url: Url,
    /// Paths by weight instead of the URL's: "/work?micros=1000=9,/=1"; an entry's own headers stand
    /// before it: "{priority: u=0} /=1"
    #[arg(long, value_name = "PATH=WEIGHT,...", conflicts_with = "trace")]
    pub(super) mix: Option<Mix>,
    /// Paths, and unless a rate is given arrivals too, of a recorded trace: an access log (Common
    /// or Combined Log Format, or TSV), or arrivals with their work
    #[arg(long, value_name = "FILE")]
    pub(super) trace: Option<PathBuf>,
    /// The method
    #[arg(long, default_value = "GET")]
    pub(super) method: String,
    /// A further header, like "Accept: text/html"; may be given several times
    #[arg(long = "header", short = 'H', value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// A body
    #[arg(long, value_name = "TEXT", conflicts_with = "body_file")]
    pub(super) body: Option<String>,
    /// A file with the body
    #[arg(long, value_name = "FILE")]
    pub(super) body_file: Option<PathBuf>,
    /// A connection for each request
    #[arg(long)]
    pub(super) no_keep_alive: bool,
    /// The statuses that are right, instead of 200 to 399
    #[arg(long, value_name = "STATUS,...", value_delimiter = ',', value_parser = input::status)]
    pub(super) expect: Vec<u16>,
    /// Answers later than this are late; further ones are reported beside the first
    #[arg(long, value_name = "200ms[,1s]", value_delimiter = ',', default_value = "200ms",
        value_parser = input::duration)]
    pub(super) slo: Vec<Duration>,
    /// The most retries of a request that was refused, timed out or lost
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) retries: u32,
    /// The pause before the first retry, and what it doubles up to; drawn from zero to that
    #[arg(long, value_name = "50ms..1s", default_value = "50ms..1s", value_parser = input::range)]
    pub(super) backoff: (Duration, Duration),
    /// Wait as long as Retry-After says before a retry
    #[arg(long)]
    pub(super) honour_retry_after: bool,
    /// The most connections at once; they are opened as they are needed
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(super) connections: usize,
    /// Generator threads
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) threads: usize,
    /// What arrivals and mix are drawn with: the same seed, the same load
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
    /// Watch the server's process from outside (CPU, threads, memory)
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// Write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// No progress line
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl RequestFlags {
    /// The server's address, looked up; says so on standard error if nobody listens there yet.
    pub(super) fn address(&self) -> Result<SocketAddr, Failed> {
        let addresses = self.url.resolve()?;
        let mut last = None;
        for address in &addresses {
            match TcpStream::connect_timeout(address, FIRST_CONNECTION) {
                Ok(_) => return Ok(*address),
                Err(error) => last = Some((*address, error)),
            }
        }
        let Some((address, error)) = last else {
            return Err(Failed::new(format_args!("{} has no address", self.url)));
        };
        eprintln!("warning: nobody takes connections on {address} ({error}); trying all the same");
        Ok(addresses.first().copied().unwrap_or(address))
    }

    /// The trace, if one is named.
    pub(super) fn trace(&self) -> Result<Option<Trace>, Failed> {
        Ok(self.trace.as_deref().map(Trace::open).transpose()?)
    }

    /// What is asked for.
    pub(super) fn workload(&self, trace: Option<&Trace>) -> Result<Workload, Failed> {
        let mut shape = RequestShape::new(self.url.authority());
        for header in &self.headers {
            shape.header(header)?;
        }
        shape.keep_alive = !self.no_keep_alive;
        shape.body = match (&self.body, &self.body_file) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(file)) => input::read("--body-file", file)?,
            (None, None) => Vec::new(),
        };
        Ok(match (trace, &self.mix) {
            (Some(trace), _) => Workload::trace(&shape, trace)?,
            (None, Some(mix)) => Workload::mix(&shape, mix.clone())?,
            (None, None) => Workload::single(&shape, &self.method, self.url.target())?,
        })
    }

    /// The SLOs, tightest first, each once.
    pub(super) fn slos(&self) -> Vec<Duration> {
        let mut slos = self.slo.clone();
        slos.sort_unstable();
        slos.dedup();
        slos
    }

    pub(super) fn retry(&self) -> Retry {
        Retry {
            most: self.retries,
            least_backoff: self.backoff.0,
            most_backoff: self.backoff.1,
            honour_retry_after: self.honour_retry_after,
        }
    }
}
