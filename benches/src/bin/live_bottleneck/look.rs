//! Runs a graph at a share of its full rate, and judges the reports near the end.

use crate::description::Description;
use crate::fault::Fault;
use crate::graph::{Settings, start};
use crate::kind::Kind;
use crate::load::Clients;
use crate::named::{Named, Predicted};
use crate::truth::Truth;
use std::time::Duration;

/// The length of a run: the longer window of a report, which may be longer by a second, and two
/// seconds in which the graph fills and a spinner starts.
const RUN: Duration = Duration::from_millis(13_000);
/// The time between two looks.
const BETWEEN: Duration = Duration::from_millis(300);
/// The samples from which the holder of a lock must be told.
const ENOUGH_SAMPLES: u64 = 25;

/// A load, as a share of the rate at which the graph is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Level(pub(crate) f64);

impl Level {
    pub(crate) const ALL: [Level; 3] = [Level(0.3), Level(0.9), Level(1.5)];

    /// True if the right answer is that nothing limits the graph.
    pub(crate) fn is_calm(self) -> bool {
        self.0 < 0.5
    }
}

/// One look at a report, against the truth.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) level: Level,
    pub(crate) named: Named,
    pub(crate) verdict: Verdict,
    /// `None` where no kind is to be told: at a calm load, or with a wrong stage.
    pub(crate) is_kind_right: Option<bool>,
    /// The predicted full rate against the measured one; `None` without a prediction.
    pub(crate) prediction: Option<Prediction>,
    /// Whether the lock's holder is right; `None` without enough samples of a std lock.
    pub(crate) is_holder_right: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Right,
    /// Two stages tie by the report, and one of them is right.
    Tied,
    WrongStage,
    WrongNone,
    CannotTell,
    /// A calm load, but something is named.
    WrongAlarm,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Prediction {
    /// Predicted over measured, minus one.
    pub(crate) error: f64,
    /// The interval's width over the prediction.
    pub(crate) width: f64,
    pub(crate) is_covered: bool,
}

/// A graph with its truth, and how it is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub(crate) kind: Kind,
    pub(crate) description: &'a Description,
    pub(crate) truth: &'a Truth,
    pub(crate) settings: Settings,
    pub(crate) seed: u64,
    pub(crate) looks: u32,
    /// True if the whole report of the last look is printed.
    pub(crate) is_verbose: bool,
}

impl Case<'_> {
    /// Runs the graph at `level` and looks at it.
    pub(crate) fn run(&self, level: Level) -> Result<Vec<Look>, Fault> {
        let live = start(self.description, self.settings)?;
        let mut clients = Clients::new(&live, self.description, self.seed ^ level.0.to_bits());
        let rate = self.truth.rate * level.0;
        clients.offer(rate, RUN.saturating_sub(BETWEEN * self.looks));
        let mut looks = Vec::new();
        for n in 0..self.looks {
            clients.offer(rate, BETWEEN);
            let report = live.running.report();
            looks.push(self.judge(level, Named::of(&report)));
            if self.is_verbose && n + 1 == self.looks {
                println!("{} at {}x of {:.0}/s\n{report}", self.kind.name, level.0, rate);
                println!("{:#?}", report.bottleneck);
            }
        }
        drop(live.running.shutdown());
        Ok(looks)
    }

    fn judge(&self, level: Level, named: Named) -> Look {
        let verdict = self.verdict(level, &named);
        let is_right = matches!(verdict, Verdict::Right | Verdict::Tied);
        let is_kind_right = (is_right && !level.is_calm())
            .then(|| self.kind.answers.contains(&named.kind.as_str()));
        let holder = named.holder.as_ref().filter(|holder| holder.samples >= ENOUGH_SAMPLES);
        let is_holder_right =
            self.kind.owner.zip(holder).map(|(owner, holder)| owner == holder.stage);
        let prediction = named.max_rate.map(|predicted| self.compare(predicted));
        Look { level, named, verdict, is_kind_right, prediction, is_holder_right }
    }

    fn verdict(&self, level: Level, named: &Named) -> Verdict {
        if level.is_calm() {
            return if named.is_found() { Verdict::WrongAlarm } else { Verdict::Right };
        }
        if !named.is_found() {
            let cannot_tell = named.kind == "cannot_tell";
            return if cannot_tell { Verdict::CannotTell } else { Verdict::WrongNone };
        }
        let is_true = |stage: &String| self.truth.stages.contains(stage);
        let is_bound = named.kind == "admission" && self.truth.is_bound();
        if named.stage.as_ref().map_or(is_bound, is_true) {
            Verdict::Right
        } else if named.tied.len() == 1 && named.tied.iter().any(is_true) {
            Verdict::Tied
        } else if is_bound {
            Verdict::Right
        } else {
            Verdict::WrongStage
        }
    }

    fn compare(&self, predicted: Predicted) -> Prediction {
        let true_rate = self.truth.rate;
        Prediction {
            error: predicted.rate / true_rate - 1.0,
            width: (predicted.high - predicted.low) / predicted.rate,
            is_covered: (predicted.low..=predicted.high).contains(&true_rate),
        }
    }
}
