//! The values of the file of cells that more than one case reads: plain data and its checks.
//!
//! This room imports no other. What only one kind of cell reads stands in that kind's file.

pub(crate) mod overload_spec;
pub(crate) mod request_spec;

use peers::Contestant;
use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// The table `[run]`: defaults of every cell.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    pub(crate) rounds: u32,
    #[serde(with = "humantime_serde")]
    pub(crate) slo: Duration,
    /// Time after which a client gives up; raised to twice the SLO if it is shorter.
    #[serde(with = "humantime_serde")]
    pub(crate) deadline: Duration,
    #[serde(with = "humantime_serde")]
    pub(crate) warm_up: Duration,
    #[serde(with = "humantime_serde")]
    pub(crate) measured: Duration,
    /// Length of the closed loop that estimates the capacity.
    #[serde(with = "humantime_serde")]
    pub(crate) probe: Duration,
    /// The server that the closed loop runs against.
    pub(crate) probed: Peer,
    /// Requests per second at which nearly all are refused, to measure c.
    pub(crate) flood: f64,
    pub(crate) targets: Targets,
    /// True if `--quick` was given.
    #[serde(skip)]
    pub(crate) quick: bool,
    /// `loads` of `[quick]`.
    #[serde(skip)]
    pub(crate) quick_loads: Vec<f64>,
    /// `runs` of `[quick]`.
    #[serde(skip)]
    pub(crate) quick_runs: u32,
}

/// The table `[run.targets]`: targets of more than one case.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Targets {
    #[serde(with = "humantime_serde")]
    pub(crate) refusal_p99: Duration,
    /// The most CPU time of a refusal, as a multiple of the bare loop's.
    pub(crate) refusal_cost: f64,
    /// The highest p99 of the answers, as a multiple of the lowest one among the hand-tuned rivals
    /// that keep `rival_keeps` of B in the same round.
    pub(crate) p99_ratio: f64,
    pub(crate) rival_keeps: f64,
    /// The largest share of admitted requests that is given up in a steady overload.
    pub(crate) given_up: f64,
    /// Least share of B that seda answers with nothing set where answers may take long.
    pub(crate) throughput: f64,
    /// Tolerated difference between two equal servers, as a share.
    pub(crate) no_worse_by: f64,
}

/// A hand-tuned rival, by its name in the file of cells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) Contestant);

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map(Self).map_err(de::Error::custom)
    }
}

/// Returns the settings of five rounds.
#[cfg(test)]
pub(crate) fn sample() -> Settings {
    let text = "rounds = 5
        slo = '200ms'
        deadline = '1s'
        warm_up = '800ms'
        measured = '2s'
        probe = '1s'
        probed = 'axum-bounded-queue-16'
        flood = 20000
        [targets]
        refusal_p99 = '10ms'
        refusal_cost = 1.15
        p99_ratio = 1.3
        rival_keeps = 0.97
        given_up = 0.001
        throughput = 0.97
        no_worse_by = 0.01";
    toml::from_str(text).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_for_an_unknown_peer_names_it() {
        #[derive(Debug, Deserialize)]
        struct Peers {
            peers: Vec<Peer>,
        }
        let known: Peers = toml::from_str("peers = ['axum-bounded-queue-16']").unwrap();
        assert_eq!(known.peers, [Peer(Contestant::AxumBoundedQueue(16))]);
        let error = toml::from_str::<Peers>("peers = ['iis']").unwrap_err().to_string();
        assert!(error.contains("no contestant is called \"iis\""), "{error}");
    }
}
