//! A cell `[[overload]]`: one kind of request at several multiples of the capacity.

use super::request_spec::{RequestSpec, Requests, first};
use super::{Peer, Settings};
use peers::Contestant;
use seda_tools::trace::{Trace, TraceError, WorkScale};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;

/// One `[[overload]]` of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OverloadSpec {
    pub(crate) name: String,
    /// Paths by weight; or `trace`.
    requests: Option<RequestSpec>,
    /// A file with arrivals and their work, relative to the repository's root.
    trace: Option<PathBuf>,
    /// Number of requests to use from the start of the trace; all if absent.
    first: Option<usize>,
    /// Work per token in a language model's trace, if not the default.
    micros_per_token: Option<Tokens>,
    /// True if B assumes that a server knows the waits and not the demands. If false, B assumes
    /// that it knows every demand, which no server can reach.
    #[serde(default)]
    pub(crate) demand_unknown: bool,
    loads: Vec<f64>,
    /// Overrides the SLO of `[run]`.
    #[serde(default, with = "humantime_serde")]
    slo: Option<Duration>,
    /// Overrides the measured time of `[run]`.
    #[serde(default, with = "humantime_serde")]
    measured: Option<Duration>,
    /// The workers, if they only wait: they state the capacity.
    pub(crate) workers: Option<Workers>,
    /// Hand-tuned rivals with their limits; with `--quick`, the first alone.
    pub(crate) rivals: Vec<Peer>,
    /// Further servers, shown without a verdict; none with `--quick`.
    #[serde(default)]
    pub(crate) peers: Vec<Peer>,
    /// The figure that is judged with nothing set; that configuration does not run if absent.
    pub(crate) nothing_set: Option<Judged>,
    /// Wanted share of the bound.
    pub(crate) goodput: f64,
    /// Requests that c is measured with, if the cell's own are so short that a flood of them is
    /// partly served.
    flooded: Option<RequestSpec>,
    /// True if all figures beside goodput are shown without a verdict.
    #[serde(default)]
    pub(crate) goodput_only: bool,
    /// True if a note shows the generator against a server that only says hello.
    #[serde(default)]
    pub(crate) generator: bool,
}

/// The answers that count as a share of B.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Judged {
    /// Those within the SLO.
    Goodput,
    /// Those that come before the client gives up.
    Throughput,
}

/// Workers that only wait.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workers {
    pub(crate) count: u32,
    /// Time that a request waits.
    #[serde(with = "humantime_serde")]
    pub(crate) each: Duration,
}

/// Microseconds of work for each token.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    input: f64,
    output: f64,
}

/// Keys of an `[[overload]]` that contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum SpecError {
    #[error("has neither `requests` nor `trace`; give one")]
    NoRequests,
    #[error("has both `requests` and `trace`; give one")]
    TwoRequests,
    #[error("needs `loads` above 1")]
    Loads,
    #[error("has no `rivals`; name at least one")]
    NoRivals,
}

impl OverloadSpec {
    /// Checks the keys against each other.
    pub(crate) fn check(&self) -> Result<(), SpecError> {
        match (&self.requests, &self.trace) {
            (None, None) => Err(SpecError::NoRequests),
            (Some(_), Some(_)) => Err(SpecError::TwoRequests),
            _ if self.loads.iter().any(|load| *load <= 1.0) || self.loads.is_empty() => {
                Err(SpecError::Loads)
            }
            _ if self.rivals.is_empty() => Err(SpecError::NoRivals),
            _ => Ok(()),
        }
    }

    /// Reads the requests; `None` if the trace's file does not exist.
    pub(crate) fn requests(&self) -> Result<Option<Requests>, TraceError> {
        if let Some(RequestSpec(mix)) = &self.requests {
            return Ok(Some(Requests::Mix(mix.clone())));
        }
        let file = peers::root().join(self.trace_file());
        if !file.is_file() {
            return Ok(None);
        }
        let scale = self.micros_per_token.map_or_else(WorkScale::default, |tokens| WorkScale {
            micros_per_input_token: tokens.input,
            micros_per_output_token: tokens.output,
        });
        let trace = first(Trace::open_scaled(&file, scale)?, self.first);
        Ok(Some(Requests::Trace(Arc::new(trace))))
    }

    /// Returns the trace's file as written; empty if the requests are a mix.
    pub(crate) fn trace_file(&self) -> &Path {
        self.trace.as_deref().unwrap_or(Path::new(""))
    }

    /// Returns the requests that c is measured with: `own`, unless the cell names others.
    pub(crate) fn flood_requests(&self, own: &Requests) -> Requests {
        self.flooded.as_ref().map_or_else(|| own.clone(), Requests::from)
    }

    /// True if an overload keeps the core busy all the time. Waiting workers and bursts do not.
    pub(crate) fn fills_the_core(&self) -> bool {
        self.workers.is_none() && self.trace.is_none()
    }

    /// Returns the stated capacity in requests per second; `None` if it is to be measured.
    pub(crate) fn stated_capacity(&self) -> Option<f64> {
        let Workers { count, each } = self.workers?;
        Some(f64::from(count) / each.as_secs_f64())
    }

    /// Returns the hand-tuned rivals of a run.
    pub(crate) fn rivals(&self, settings: &Settings) -> Vec<Contestant> {
        let most = if settings.quick { 1 } else { usize::MAX };
        self.rivals.iter().take(most).map(|Peer(rival)| *rival).collect()
    }

    /// Returns the other servers of a run.
    pub(crate) fn peers(&self, settings: &Settings) -> Vec<Contestant> {
        let most = if settings.quick { 0 } else { usize::MAX };
        self.peers.iter().take(most).map(|Peer(peer)| *peer).collect()
    }

    /// True if every request needs the same work.
    pub(crate) fn is_deterministic(&self) -> bool {
        self.trace.is_none() && !self.goodput_only
    }

    pub(crate) fn slo(&self, settings: &Settings) -> Duration {
        self.slo.unwrap_or(settings.slo)
    }

    /// Returns the measured time. With `--quick` a longer time of the cell's own is halved.
    pub(crate) fn duration(&self, settings: &Settings) -> Duration {
        match self.measured {
            Some(own) if settings.quick => settings.measured.max(own / 2),
            Some(own) => own,
            None => settings.measured,
        }
    }

    /// Returns the loads of the run; with `--quick` only those that `[quick]` lists.
    pub(crate) fn loads(&self, settings: &Settings) -> Vec<f64> {
        let loads = self.loads.iter().copied();
        loads.filter(|load| !settings.quick || settings.quick_loads.contains(load)).collect()
    }
}
