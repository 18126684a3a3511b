//! The bottleneck: what limits the graph, why, and what would move it.

use crate::config::units::{Percent, Seconds};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;

/// What limits the graph, as [`Report::diagnose`](crate::Report::diagnose) finds it.
///
/// Rates are in requests of the graph per second: events from outside, accepted or refused. A load
/// is the share of a resource that the offered requests need, whether they are admitted or not. 1
/// is full, and more than 1 is an overload.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Bottleneck {
    /// What kind of thing limits the graph.
    pub kind: BottleneckKind,
    /// The stage to change; `None` if no stage is meant. With kind `none`, the fullest stage.
    pub stage: Option<String>,
    /// The resource that is full first, like `pool render`, `cap of render`, `rate of mail`,
    /// `budget`, `cores`, `places outside of ask`, `shard of apply`, `lock of write`.
    pub resource: String,
    /// The load of that resource.
    pub load: f64,
    /// The rate at which the resource is full; `None` if that is unknown.
    pub max_rate: Option<RateEstimate>,
    /// What was measured, most telling first.
    pub evidence: Vec<String>,
    /// The resource that is full next.
    pub next: Option<NextBottleneck>,
    /// What to do: one sentence. Empty if nothing needs to be done.
    pub action: String,
    /// What the action gives at the present load; `None` if it cannot be told.
    pub expected: Option<Expected>,
    /// Other resources whose load is the same within the error of the measurement.
    pub tied: Vec<NextBottleneck>,
    /// The rate at which the 99th percentile of the response reaches the shortest SLO, as predicted
    /// from the measured demands and variances; `None` without an SLO, and if no rate keeps it.
    pub slo_max_rate: Option<f64>,
    /// The rate at which the graph is full with one more core (kind `cores`) or one more worker
    /// (`cpu`, `blocked`, `pool_limit`); `None` for other kinds.
    pub one_more_max_rate: Option<f64>,
}

/// The kind of thing that limits a graph.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BottleneckKind {
    /// The workers of a stage's own pool, busy on cores.
    Cpu,
    /// The machine's cores.
    Cores,
    /// The processor quota of the control group.
    Quota,
    /// The threads of a hosted pool, which also serve sockets.
    Reactor,
    /// The workers of a stage's own pool, blocked in I/O or sleep.
    Blocked,
    /// A lock that one stage holds.
    Lock,
    /// A later stage, for whose room earlier stages wait.
    Downstream,
    /// The workers of a shared pool, or a stage's cap.
    PoolLimit,
    /// A hot key: one shard of a keyed stage.
    Key,
    /// The places outside of a stage that defers, or the remote side behind it.
    Outside,
    /// A declared rate, the budget, or an SLO that is too short.
    Admission,
    /// Handlers that do not return.
    Stuck,
    /// Nothing: no resource is near its limit.
    None,
    /// Too few events to tell.
    #[default]
    CannotTell,
}

/// A rate in requests of the graph per second, with the interval of two standard errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct RateEstimate {
    /// The most likely rate.
    pub per_second: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// A resource and its load.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NextBottleneck {
    /// Its kind.
    pub kind: BottleneckKind,
    /// The stage with the largest part of the demand.
    pub stage: Option<String>,
    /// The resource, as in [`Bottleneck::resource`].
    pub resource: String,
    /// Its load.
    pub load: f64,
}

/// What an action gives at the load that is offered now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct Expected {
    /// The rate at which the graph is full after the action.
    pub max_rate: RateEstimate,
    /// Requests that are served per second: what is offered, up to `max_rate`.
    pub throughput: RateEstimate,
    /// The 99th percentile of the response time, in seconds; `None` beyond saturation.
    pub p99_seconds: Option<f64>,
}

impl BottleneckKind {
    /// Returns the kind as reports name it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cores => "cores",
            Self::Quota => "quota",
            Self::Reactor => "reactor",
            Self::Blocked => "blocked",
            Self::Lock => "lock",
            Self::Downstream => "downstream",
            Self::PoolLimit => "pool_limit",
            Self::Key => "key",
            Self::Outside => "outside",
            Self::Admission => "admission",
            Self::Stuck => "stuck",
            Self::None => "none",
            Self::CannotTell => "cannot_tell",
        }
    }

    /// True if something limits the graph: neither `none` nor `cannot_tell`.
    pub const fn is_found(self) -> bool {
        !matches!(self, Self::None | Self::CannotTell)
    }
}

impl fmt::Display for BottleneckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Bottleneck {
    /// Returns whether the bottleneck is this stage, or ties with it.
    pub fn names(&self, stage: &str) -> bool {
        let tied = self.tied.iter().filter_map(|tied| tied.stage.as_deref());
        self.kind.is_found() && self.stage.as_deref().into_iter().chain(tied).any(|s| s == stage)
    }
}

/// Writes one to four lines: what is full, why, what is full next, what to do.
impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "bottleneck: ")?;
        match self.kind {
            BottleneckKind::None if self.resource.is_empty() => write!(f, "none")?,
            BottleneckKind::None => {
                write!(f, "none; the fullest is {} at {:.0}", self.resource, Percent(self.load))?;
            }
            BottleneckKind::CannotTell => write!(f, "cannot tell")?,
            kind if self.resource == kind.as_str() => {
                write!(f, "{kind} at {:.0}", Percent(self.load))?;
            }
            kind => write!(f, "{} ({kind}) at {:.0}", self.resource, Percent(self.load))?,
        }
        if let Some(max) = &self.max_rate {
            write!(f, ", full at {max}")?;
        }
        if let [first, ..] = &*self.tied {
            write!(f, "; tied with {}", first.resource)?;
        }
        writeln!(f)?;
        if !self.evidence.is_empty() {
            writeln!(f, "  because {}", self.evidence.join("; "))?;
        }
        if !self.kind.is_found() {
            return Ok(());
        }
        if let Some(next) = &self.next {
            writeln!(f, "  next {} ({}) at {:.0}", next.resource, next.kind, Percent(next.load))?;
        }
        if !self.action.is_empty() {
            write!(f, "  do: {}", self.action)?;
            if let Some(expected) = &self.expected {
                write!(f, " Then it is full at {}", expected.max_rate)?;
                if let Some(p99) = expected.p99_seconds {
                    write!(f, ", p99 {}", Seconds(p99))?;
                }
                write!(f, ".")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for RateEstimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} requests/s ({:.1} to {:.1})", self.per_second, self.low, self.high)
    }
}

/// Reads a bottleneck. The `null` of an older report, and the two fields that it had, are read as
/// unknown: the figures of that report are not enough to tell.
pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Bottleneck, D::Error> {
    Ok(Option::<Bottleneck>::deserialize(deserializer)?.unwrap_or_default())
}
