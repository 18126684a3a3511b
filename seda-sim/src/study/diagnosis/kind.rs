//! The kinds of generated graphs.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// What a generated graph is about. Sizes, demands, distributions and visits are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Kind {
    /// Stages in a row.
    Line,
    /// Twelve stages in a row.
    LongLine,
    /// A tree: each stage sends to one or two further ones.
    Branch,
    /// The first stage sends to one of three to eight others.
    FanOut,
    /// Branches that meet again in one stage.
    Join,
    /// A part of the events goes back to an earlier stage.
    Cycle,
    /// Clients retry refused requests.
    Retries,
    /// The stage before the scarcest one is nearly as scarce.
    TwoFull,
    /// Two to four stages in one pool.
    SharedPool,
    /// A stage may use a part of the workers of its pool only.
    Cap,
    /// The scarcest stage has a queue of one to three places.
    NoRoom,
    /// The first stage takes batches and sends them on in bursts.
    BatchFront,
    /// The scarcest stage blocks most of its time.
    Blocking,
    /// The demand of a stage grows during the run, until the stage is the scarcest one.
    Growing,
    /// Computing stages with more workers than cores.
    Cores,
    /// One stage takes the cores from a small one.
    CoresVictim,
    /// A declared rate.
    Rate,
    /// A declared budget of the graph.
    Budget,
    /// An SLO shorter than three services.
    Promised,
    /// One of several replicas is slow.
    SlowReplica,
    /// Replicas that are all alike.
    Replicas,
    /// Many events of a keyed stage have the same key.
    HotKey,
    /// A stage defers its events, and few may be outside.
    Outside,
    /// A stage beside the path is busy, and fewer requests need it.
    Beside,
    /// Arrivals come in bursts.
    Bursts,
    /// Demands have a heavy tail.
    HeavyTail,
    /// Classes of different weights.
    Classes,
    /// A stage with a cache.
    Cached,
    /// Pools that the controller sizes.
    Sized,
    /// Arrivals and demands without variance: stages are busy and no queue stands.
    Even,
}

/// The error of a name that no kind of graph has.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{name}` is no kind of graph; allowed: {}", Kind::names())]
#[non_exhaustive]
pub struct KindError {
    /// The unknown name.
    pub name: String,
}

impl Kind {
    /// All kinds, in order of declaration.
    pub const ALL: [Self; 30] = [
        Self::Line,
        Self::LongLine,
        Self::Branch,
        Self::FanOut,
        Self::Join,
        Self::Cycle,
        Self::Retries,
        Self::TwoFull,
        Self::SharedPool,
        Self::Cap,
        Self::NoRoom,
        Self::BatchFront,
        Self::Blocking,
        Self::Growing,
        Self::Cores,
        Self::CoresVictim,
        Self::Rate,
        Self::Budget,
        Self::Promised,
        Self::SlowReplica,
        Self::Replicas,
        Self::HotKey,
        Self::Outside,
        Self::Beside,
        Self::Bursts,
        Self::HeavyTail,
        Self::Classes,
        Self::Cached,
        Self::Sized,
        Self::Even,
    ];

    /// Returns the name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Line => "line",
            Self::LongLine => "long_line",
            Self::Branch => "branch",
            Self::FanOut => "fan_out",
            Self::Join => "join",
            Self::Cycle => "cycle",
            Self::Retries => "retries",
            Self::TwoFull => "two_full",
            Self::SharedPool => "shared_pool",
            Self::Cap => "cap",
            Self::NoRoom => "no_room",
            Self::BatchFront => "batch_front",
            Self::Blocking => "blocking",
            Self::Growing => "growing",
            Self::Cores => "cores",
            Self::CoresVictim => "cores_victim",
            Self::Rate => "rate",
            Self::Budget => "budget",
            Self::Promised => "promised",
            Self::SlowReplica => "slow_replica",
            Self::Replicas => "replicas",
            Self::HotKey => "hot_key",
            Self::Outside => "outside",
            Self::Beside => "beside",
            Self::Bursts => "bursts",
            Self::HeavyTail => "heavy_tail",
            Self::Classes => "classes",
            Self::Cached => "cached",
            Self::Sized => "sized",
            Self::Even => "even",
        }
    }

    fn names() -> String {
        Self::ALL.map(Self::as_str).join(", ")
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Kind {
    type Err = KindError;

    /// Reads the name of a kind.
    fn from_str(text: &str) -> Result<Self, KindError> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        found.ok_or_else(|| KindError { name: text.to_owned() })
    }
}
