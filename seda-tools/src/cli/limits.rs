//! Flags of the limits that `load`, `sweep` and `step` share: SLOs, retries, and the generator's
//! own.

use super::input;
use super::input::DurationRange;
use crate::load::retry::Retry;
#[cfg(feature = "tls")]
use crate::load::tls::Trust;
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// The limits of answers, clients and the generator.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitFlags {
    /// Later answers are late; the report has goodput under each further SLO, too
    #[arg(long, value_name = "200ms[,1s]", value_delimiter = ',', default_value = "200ms",
        value_parser = input::duration, allow_hyphen_values = true)]
    slo: Vec<Duration>,
    /// The most retries of a request that was refused, timed out or lost
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true)]
    retries: u32,
    /// The longest pause before the first retry, and the limit up to which it doubles; each pause
    /// is drawn between zero and the longest
    #[arg(long, value_name = "50ms..1s", default_value = "50ms..1s", value_parser = input::range)]
    backoff: DurationRange,
    /// Wait at least as long as Retry-After asks before a retry, up to the limit of --backoff
    #[arg(long)]
    honour_retry_after: bool,
    /// The most connections at once; they are opened when they are needed
    #[arg(long, value_name = "N", default_value_t = 10_000,
        value_parser = input::count, allow_negative_numbers = true)]
    pub(super) connections: usize,
    /// Generator threads
    #[arg(long, value_name = "N", default_value_t = 1,
        value_parser = input::count, allow_negative_numbers = true)]
    pub(super) threads: usize,
    /// Connect to this address instead of the one of the URL's host
    #[arg(long, value_name = "IP:PORT")]
    pub(super) connect_to: Option<SocketAddr>,
    /// Connect to this Unix socket instead of the URL's host
    #[arg(long, value_name = "PATH", conflicts_with = "connect_to")]
    pub(super) unix_socket: Option<PathBuf>,
    /// Trust the certificates of this file (PEM) instead of those of the system
    #[cfg(feature = "tls")]
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    /// Trust any certificate
    #[cfg(feature = "tls")]
    #[arg(long, short = 'k', conflicts_with = "cacert")]
    insecure: bool,
    /// The seed of arrivals and mix: the same seed gives the same load
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

/// The deadline of `sweep` and `step`; that of `load` is longer.
#[derive(Clone, Debug, Args)]
pub(super) struct DeadlineFlag {
    /// Time after which a client abandons an attempt and closes its connection
    #[arg(long, value_name = "1s", value_parser = input::duration, default_value = "1s",
        help_heading = "Limits", allow_hyphen_values = true)]
    pub(super) deadline: Duration,
}

impl LimitFlags {
    /// Returns the SLOs, tightest first, each once.
    pub(super) fn slos(&self) -> Vec<Duration> {
        let mut slos = self.slo.clone();
        slos.sort_unstable();
        slos.dedup();
        slos
    }

    /// Returns what the certificate of the server is checked against.
    #[cfg(feature = "tls")]
    pub(super) fn trust(&self) -> Trust {
        match &self.cacert {
            _ if self.insecure => Trust::Anything,
            Some(file) => Trust::File(file.clone()),
            None => Trust::System,
        }
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
