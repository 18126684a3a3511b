//! Whether a report is right about the bottleneck.

use super::said::Said;
use super::truth::Truth;

/// Up to this load nothing limits a graph.
const IDLE: f64 = 0.5;
/// From this load on, something limits a graph. Between the two, `none` and the name are right.
const BUSY: f64 = 0.7;

/// Whether a report is right about the bottleneck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// Stage and kind are right.
    Right,
    /// The stage is right, and the kind is not.
    WrongKind,
    /// Another stage is named.
    WrongStage,
    /// Several are named as equals, and one of them is right.
    Tied,
    /// Nothing is named, and something limits the graph.
    Missed,
    /// The report cannot tell.
    CannotTell,
    /// Something is named, and nothing limits the graph.
    FalseAlarm,
}

impl Verdict {
    /// All verdicts, in order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Right,
        Self::WrongKind,
        Self::WrongStage,
        Self::Tied,
        Self::Missed,
        Self::CannotTell,
        Self::FalseAlarm,
    ];

    /// Returns the name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::WrongKind => "wrong kind",
            Self::WrongStage => "wrong stage",
            Self::Tied => "tied",
            Self::Missed => "missed",
            Self::CannotTell => "cannot tell",
            Self::FalseAlarm => "false alarm",
        }
    }

    /// Returns whether the right stage is named, whatever the kind, or nothing where nothing limits
    /// the graph.
    pub fn is_right(self) -> bool {
        matches!(self, Self::Right | Self::WrongKind | Self::Tied)
    }

    /// Judges the answer at a load. With `is_cut`, an SLO costs as many
    /// requests as the resource, and may be named in its place.
    pub(super) fn of(said: &Said, truth: &Truth, load: f64, is_cut: bool) -> Self {
        if !said.is_found() {
            return match said.kind.as_str() {
                "none" if load < BUSY => Self::Right,
                "none" => Self::Missed,
                _ => Self::CannotTell,
            };
        }
        // An SLO may be too short at any load.
        let is_bound = is_cut && said.kind == "admission";
        if load < IDLE && !is_bound {
            return Self::FalseAlarm;
        }
        let is_cause =
            |kind: &str| truth.causes.iter().any(|cause| cause.as_str() == kind) || is_bound;
        // A budget is of no stage.
        let is_stage = |kind: &str, stage: Option<&String>| {
            stage.map_or(is_cause(kind), |stage| truth.is_right(stage))
        };
        if is_stage(&said.kind, said.stage.as_ref()) {
            return if is_cause(&said.kind) { Self::Right } else { Self::WrongKind };
        }
        if said.tied.iter().any(|(kind, stage)| is_stage(kind, stage.as_ref())) {
            return Self::Tied;
        }
        Self::WrongStage
    }
}
