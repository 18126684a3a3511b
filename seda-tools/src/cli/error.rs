//! The errors of the program.

use crate::experiment::condition::ConditionError;
use crate::experiment::plan::{FetchError, PlanError};
use crate::experiment::sweep::{AssertionError, SweepError};
use crate::generator::LoadError;
use crate::h1::{RequestError, Url, UrlError};
use crate::load::arrivals::ProfileError;
#[cfg(feature = "tls")]
use crate::load::tls::TlsClientError;
use crate::load::trace::TraceError;
use crate::page::PageError;
#[cfg(feature = "top")]
use crate::top::source::SourceError;
use crate::watch::WatchError;
use seda_sim::{SimError, SpecError};
use std::io;
use std::path::PathBuf;
#[cfg(feature = "top")]
use std::time::Duration;
use thiserror::Error;

/// Why a command has no result; exit code 2.
#[derive(Debug, Error)]
pub(super) enum CliError {
    #[error("{flag} {}: {source}; {remedy}", .file.display())]
    File { flag: &'static str, file: PathBuf, source: io::Error, remedy: &'static str },
    #[error("{} is not a sweep ({source}); write one with `seda sweep --json`", .file.display())]
    NotASweep { file: PathBuf, source: serde_json::Error },
    #[error(
        "--from-report {}: {source}; it has to be what a server's /_seda/report gave, as JSON",
        .file.display()
    )]
    NotAReport { file: PathBuf, source: serde_json::Error },
    #[error(
        "--report {report}: {source}; it has to be what a server's /_seda/report gave, as JSON, in \
         this version of seda"
    )]
    NotAPlan { report: String, source: serde_json::Error },
    #[error(transparent)]
    Plan(#[from] PlanError),
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error("--from-report {}: {source}", .file.display())]
    ReportSpec { file: PathBuf, source: SpecError },
    #[error("name a SPEC.toml, or a report with --from-report")]
    NoSpec,
    #[error("--only {number}: there is no such map; allowed: 1 to {count}")]
    NoMap { number: usize, count: usize },
    #[error("how much load? Give --rate 900, a --profile, --clients 64, or a --trace")]
    NoLoad,
    #[error(
        "recorded arrivals have a rate of their own: give --speed instead of --rate or --profile"
    )]
    RecordedRate,
    #[error("-n {number} needs a --rate: without one it is unknown when they start")]
    NoRate { number: u32 },
    #[error("--json - and --markdown - have one standard output: name a file for one of them")]
    TwoOnStdout,
    #[error("{flag} -: standard output has the text; name a file")]
    NotOnStdout { flag: &'static str },
    #[error("standard output cannot be written: {0}; name a place with room")]
    Stdout(#[source] io::Error),
    #[error("--body @-: standard input cannot be read: {0}; give the text or a file")]
    Stdin(#[source] io::Error),
    #[error(transparent)]
    Condition(#[from] ConditionError),
    #[error("{0} has no address; check the host's spelling, or give an IP address")]
    NoAddress(Url),
    #[error("{0}: https:// over --unix-socket is not spoken; write http://")]
    SecureUnix(Url),
    #[cfg(feature = "tls")]
    #[error(transparent)]
    Tls(#[from] TlsClientError),
    #[error("the handler for Ctrl-C cannot be installed: {0}")]
    Signals(#[source] io::Error),
    #[cfg(feature = "top")]
    #[error(
        "standard output is no terminal; --once prints one frame as plain text, for files and pipes"
    )]
    NoScreen,
    #[cfg(feature = "top")]
    #[error(
        "--tui: standard output is no terminal; without --tui a progress line is on standard error"
    )]
    NoScreenOfRun,
    #[cfg(feature = "top")]
    #[error("the terminal fails: {0}")]
    Screen(#[source] io::Error),
    #[cfg(feature = "top")]
    #[error(
        "--at {}: allowed: {first:.0}s to {last:.0}s, which the source has",
        humantime::format_duration(*.at)
    )]
    NotKept { at: Duration, first: f64, last: f64 },
    #[error("the report cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Profile(#[from] ProfileError),
    #[error(transparent)]
    Request(#[from] RequestError),
    #[error(transparent)]
    Sim(#[from] SimError),
    #[error(transparent)]
    SimSweep(#[from] SweepError<SimError>),
    #[cfg(feature = "top")]
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Spec(#[from] SpecError),
    #[error(transparent)]
    Sweep(#[from] SweepError<LoadError>),
    #[error(transparent)]
    Trace(#[from] TraceError),
    #[error(transparent)]
    Url(#[from] UrlError),
    #[error(transparent)]
    Watch(#[from] WatchError),
}
