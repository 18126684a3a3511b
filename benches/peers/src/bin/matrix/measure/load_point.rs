//! The figures of one load of an overload cell, round by round, and the row they come to.

use crate::judge::bound::Costs;
use crate::judge::rivals::{RivalFigures, lowest_p99, p99_ratio};
use crate::judge::verdict::{
    Check, Row, multiple, no_worse, percent, range, ratio, spread_of_all, time,
};
use crate::measure::runner::RunOutcome;
use crate::measure::servers::Subject;
use crate::settings::Settings;
use crate::settings::overload_spec::{Judged, OverloadSpec, Workers};
use peers::Contestant;
use seda_tools::sweep::Spread;
use seda_tools::units::rate;
use std::time::Duration;

/// An overloaded server that had a smaller share of its core lost time to other processes.
const CORE: f64 = 0.95;

/// One load in one round.
#[derive(Clone, Debug)]
pub(crate) struct LoadPoint {
    /// Every server that ran, the SLO set among them.
    pub(crate) outcomes: Vec<(Subject, RunOutcome)>,
    pub(crate) costs: Costs,
    /// CPU seconds of a refusal with the SLO set; `None` if seda refused nothing in the flood.
    pub(crate) refusal: Option<f64>,
    /// B, per second.
    pub(crate) bound: f64,
    /// Of recorded arrivals: the goodput per second with the best limit on waits.
    pub(crate) waiting: Option<f64>,
    /// Of equal requests: the goodput per second of the hindsight oracle.
    pub(crate) oracle: Option<f64>,
}

/// Returns the outcome of a server; `None` if it did not run.
pub(crate) fn outcome_of(
    outcomes: &[(Subject, RunOutcome)],
    subject: Subject,
) -> Option<&RunOutcome> {
    outcomes.iter().find(|(other, _)| *other == subject).map(|(_, outcome)| outcome)
}

impl LoadPoint {
    pub(crate) fn outcome(&self, subject: Subject) -> Option<&RunOutcome> {
        outcome_of(&self.outcomes, subject)
    }

    /// True if the generator kept its schedule with at least one server.
    fn was_sent(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| outcome.load.generator.kept_schedule)
    }

    /// Returns a server's goodput as a share of B.
    fn share(&self, subject: Subject) -> Option<f64> {
        self.outcome(subject).map(|outcome| outcome.goodput / self.bound)
    }

    /// Returns the p99 of a configuration as a multiple of the rivals' lowest one.
    fn p99_ratio(&self, subject: Subject, rivals: &[Contestant], keeps: f64) -> Option<f64> {
        let ran = rivals.iter().filter_map(|rival| self.outcome(Subject::Rival(*rival)));
        let figures = ran.map(|rival| RivalFigures {
            goodput: rival.goodput,
            p99: rival.load.response_seconds.p99,
        });
        let lowest = lowest_p99(figures, self.bound, keeps);
        p99_ratio(self.outcome(subject)?.load.response_seconds.p99, lowest)
    }
}

/// Returns the rival with the most goodput over all loads and rounds of a cell: a hand-tuned limit
/// is one for all loads.
pub(crate) fn best_rival(rivals: &[Contestant], points: &[Vec<LoadPoint>]) -> Option<Contestant> {
    let share = |rival: Contestant| -> f64 {
        let all = points.iter().flatten();
        all.filter_map(|point| point.share(Subject::Rival(rival))).sum()
    };
    rivals.iter().copied().max_by(|a, b| share(*a).total_cmp(&share(*b)))
}

/// Judges a cell's points.
#[derive(Clone, Debug)]
pub(crate) struct PointJudge<'a> {
    pub(crate) spec: &'a OverloadSpec,
    pub(crate) settings: &'a Settings,
    pub(crate) slo: Duration,
    /// The best one for goodput.
    pub(crate) rival: Contestant,
}

impl PointJudge<'_> {
    /// Returns the row of a load from its points, one for each round.
    pub(crate) fn row(&self, load: f64, points: &[LoadPoint]) -> Row {
        let mut checks = vec![
            Check::at_least("C", each(points, |point| point.costs.capacity), 0.0, rate).unjudged(),
            Check::at_most("s", each(points, |point| point.costs.served), 0.0, time).unjudged(),
            Check::at_most("c", each(points, |point| point.costs.refused), 0.0, time).unjudged(),
            Check::at_least("bound B", each(points, |point| point.bound), 0.0, rate).unjudged(),
            self.nothing_set(points),
            self.slo_set(points),
        ];
        let others = [
            self.p99_beside_rivals(Subject::NothingSet, points),
            self.p99_beside_rivals(Subject::SloSet, points),
            self.given_up(Subject::NothingSet, points),
            self.given_up(Subject::SloSet, points),
        ];
        checks.extend(
            others
                .into_iter()
                .chain(self.with_the_slo(points))
                .map(|check| if self.spec.goodput_only { check.unjudged() } else { check }),
        );
        let name = format!("{} at {load}x", self.spec.name);
        let row = Row { kind: "overload", name, checks, notes: self.notes(points) };
        // A server that does not answer can make the generator late, and is judged. But a load that
        // no server received tells nothing.
        let unsent = points.iter().filter(|point| !point.was_sent()).count();
        match unsent * 2 > points.len() {
            true => row.unjudged("no verdict, because no server got this load in time".to_owned()),
            false => row,
        }
    }

    /// Returns the share of B with nothing set: of answers within the SLO, or of all answers.
    fn nothing_set(&self, points: &[LoadPoint]) -> Check {
        let what = "nothing set / B";
        let Some(judged) = self.spec.nothing_set else { return Check::absent(what) };
        let shares = some(points, |point| {
            let outcome = point.outcome(Subject::NothingSet)?;
            let answered = match judged {
                Judged::Goodput => outcome.goodput,
                Judged::Throughput => outcome.throughput,
            };
            Some(answered / point.bound)
        });
        let least = match judged {
            Judged::Goodput => self.spec.goodput,
            Judged::Throughput => self.settings.targets.throughput,
        };
        Check::at_least(what, shares, least, ratio)
    }

    fn slo_set(&self, points: &[LoadPoint]) -> Check {
        let shares = some(points, |point| point.share(Subject::SloSet));
        Check::at_least("SLO set / B", shares, self.spec.goodput, ratio)
    }

    /// The ratio to the lowest p99 of a round among the rivals that keep enough of B in it.
    fn p99_beside_rivals(&self, subject: Subject, points: &[LoadPoint]) -> Check {
        let what = format!("{}: p99 / rivals'", subject.configuration());
        if points.iter().all(|point| point.outcome(subject).is_none()) {
            return Check::absent(&what);
        }
        let rivals = self.spec.rivals(self.settings);
        let keeps = self.settings.targets.rival_keeps;
        let ratios = points.iter().filter_map(|point| point.p99_ratio(subject, &rivals, keeps));
        match spread_of_all(ratios) {
            Some(ratios) => {
                Check::at_most(&what, Some(ratios), self.settings.targets.p99_ratio, multiple)
            }
            None => Check { figure: "no rival keeps B".to_owned(), ..Check::absent(&what) },
        }
    }

    fn given_up(&self, subject: Subject, points: &[LoadPoint]) -> Check {
        let what = format!("{}: given up", subject.configuration());
        if points.iter().all(|point| point.outcome(subject).is_none()) {
            return Check::absent(&what);
        }
        let shares = some(points, |point| point.outcome(subject)?.given_up);
        Check::at_most(&what, shares, self.settings.targets.given_up, percent)
    }

    /// Returns the checks of the SLO set alone.
    fn with_the_slo(&self, points: &[LoadPoint]) -> [Check; 4] {
        let targets = &self.settings.targets;
        let slo_set = Subject::SloSet;
        let p99 = some(points, |point| point.outcome(slo_set)?.load.response_seconds.p99);
        let refusal = some(points, |point| point.outcome(slo_set)?.load.refusal_seconds.p99);
        let cost = some(points, |point| Some(point.refusal? / point.costs.refused));
        let refusal_p99 = targets.refusal_p99.as_secs_f64();
        [
            Check::at_most("SLO set: p99", p99, self.slo.as_secs_f64(), time),
            self.beside_rival(points),
            Check::at_most_if_any("refusal p99", refusal, refusal_p99, time),
            Check::at_most("refusal / bare loop", cost, targets.refusal_cost, multiple),
        ]
    }

    /// The ratios to a rival without any goodput are infinite, so they are no figure.
    fn beside_rival(&self, points: &[LoadPoint]) -> Check {
        let what = "SLO set / best rival";
        let rival = self.rival;
        let ratios = some(points, |point| {
            let ours = point.outcome(Subject::SloSet)?.goodput;
            Some(ours / point.outcome(Subject::Rival(rival))?.goodput)
        });
        match ratios {
            Some(ratios) => {
                let figure = format!("{}, {rival}", range(&ratios, ratio));
                let met = no_worse(Some(ratios), self.settings.targets.no_worse_by);
                let check = Check::plain(what, figure, "no worse", met);
                Check { spread: Some(ratios), ..check }
            }
            None => Check::plain(what, format!("{rival} has none"), "no worse", true),
        }
    }

    fn notes(&self, points: &[LoadPoint]) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(Workers { count, each }) = self.spec.workers {
            let each = humantime::format_duration(each);
            notes.push(format!("C is stated: {count} workers / {each}"));
        }
        if self.spec.nothing_set == Some(Judged::Throughput) {
            notes.push("nothing set: every answer before the client gives up counts".to_owned());
        }
        if let Some(waiting) = some(points, |point| point.waiting) {
            let waiting = range(&waiting, rate);
            notes
                .push(format!("a server that knows waits but not demands keeps {waiting} at best"));
        }
        if let Some(oracle) = some(points, |point| point.oracle) {
            let oracle = range(&oracle, rate);
            notes.push(format!("the hindsight oracle keeps {oracle} of these arrivals"));
        }
        let peers = self.spec.peers(self.settings);
        notes.extend(peers.into_iter().filter_map(|peer| peer_note(peer, points)));
        let late = late_rounds(points);
        if late > 0 {
            notes.push(format!("schedule not kept in {late} of {} rounds", points.len()));
        }
        let core = some(points, |point| {
            let ours = point.outcome(Subject::SloSet)?;
            Some(ours.usage.cpu / ours.load.duration_seconds)
        });
        if let Some(core) = core
            && self.spec.fills_the_core()
            && core.low < CORE
        {
            notes.push(format!("had {} of its core", range(&core, percent)));
        }
        notes
    }
}

/// Returns the figures of a server that is shown without a verdict; `None` if it did not run.
fn peer_note(peer: Contestant, points: &[LoadPoint]) -> Option<String> {
    let subject = Subject::Rival(peer);
    let share = range(&some(points, |point| point.share(subject))?, ratio);
    let p99 = some(points, |point| point.outcome(subject)?.load.response_seconds.p99);
    let p99 = p99.map_or("no answer".to_owned(), |p99| format!("p99 {}", range(&p99, time)));
    Some(format!("{peer} keeps {share} of B, {p99}"))
}

/// Counts the rounds in which the generator did not send seda's load as planned.
fn late_rounds(points: &[LoadPoint]) -> usize {
    let ours = points.iter().filter_map(|point| point.outcome(Subject::SloSet));
    ours.filter(|ours| !ours.load.generator.kept_schedule).count()
}

/// Returns the spread of a figure over the rounds.
fn each(points: &[LoadPoint], figure: impl Fn(&LoadPoint) -> f64) -> Option<Spread> {
    Spread::of(points.iter().map(figure))
}

/// Returns the spread of a figure over the rounds that have it.
fn some(points: &[LoadPoint], figure: impl Fn(&LoadPoint) -> Option<f64>) -> Option<Spread> {
    Spread::of(points.iter().filter_map(figure))
}

#[cfg(test)]
#[path = "load_point_tests.rs"]
mod tests;
