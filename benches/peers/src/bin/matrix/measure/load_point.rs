//! The figures of one load of an overload cell, round by round, and the row they come to.

use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, Row, no_worse, percent, range, ratio, time};
use crate::measure::runner::RunOutcome;
use crate::settings::Settings;
use crate::settings::overload_spec::OverloadSpec;
use seda_tools::sweep::Spread;
use seda_tools::units::rate;
use std::time::Duration;

/// An overloaded server that had a smaller share of its core lost time to other processes.
const CORE: f64 = 0.95;

/// One load in one round.
#[derive(Clone, Debug)]
pub(crate) struct LoadPoint {
    pub(crate) ours: RunOutcome,
    pub(crate) rival: RunOutcome,
    pub(crate) costs: Costs,
    /// B, per second.
    pub(crate) bound: f64,
    /// Of recorded arrivals: the goodput per second with the best limit on waits.
    pub(crate) waiting: Option<f64>,
    /// Of drawn arrivals: the goodput per second of a clairvoyant server.
    pub(crate) clairvoyant: Option<f64>,
}

/// The targets of a cell's points.
#[derive(Clone, Debug)]
pub(crate) struct Targets<'a> {
    pub(crate) spec: &'a OverloadSpec,
    pub(crate) slo: Duration,
    pub(crate) rival: String,
}

impl Targets<'_> {
    /// Returns the row of a load from its points, one for each round.
    pub(crate) fn row(&self, settings: &Settings, load: f64, points: &[LoadPoint]) -> Row {
        let share = each(points, |point| point.ours.goodput / point.bound);
        let mut checks = vec![
            Check::at_least("C", each(points, |point| point.costs.capacity), 0.0, rate).unjudged(),
            Check::at_most("s", each(points, |point| point.costs.served), 0.0, time).unjudged(),
            Check::at_least("bound B", each(points, |point| point.bound), 0.0, rate).unjudged(),
            Check::at_least("goodput / B", share, self.spec.goodput, ratio),
        ];
        let ratios = each(points, |point| point.ours.goodput / point.rival.goodput);
        let p99 = some(points, |point| point.ours.load.response_seconds.p99);
        let refusal = some(points, |point| point.ours.load.refusal_seconds.p99);
        let refusal_p99 = settings.refusal_p99.as_secs_f64();
        let cost = each(points, |point| point.costs.refused);
        let others = [
            self.beside_rival(ratios, settings),
            Check::at_most("p99 of the answered", p99, self.slo.as_secs_f64(), time),
            Check::at_most_if_any("refusal p99", refusal, refusal_p99, time),
            Check::at_most("c", cost, settings.refusal_cpu.as_secs_f64(), time),
        ];
        for check in others {
            checks.push(if self.spec.goodput_only { check.unjudged() } else { check });
        }
        let name = format!("{} at {load}x", self.spec.name);
        Row { kind: "overload", name, checks, notes: self.notes(points) }
    }

    /// The ratios to a rival without any goodput are infinite, so they are no figure.
    fn beside_rival(&self, ratios: Option<Spread>, settings: &Settings) -> Check {
        let what = "goodput / best rival";
        match ratios {
            Some(ratios) => {
                let figure = format!("{}, {}", range(&ratios, ratio), self.rival);
                let met = no_worse(Some(ratios), settings.no_worse_by);
                let check = Check::plain(what, figure, "no worse", met);
                Check { spread: Some(ratios), ..check }
            }
            None => Check::plain(what, format!("{} has none", self.rival), "no worse", true),
        }
    }

    fn notes(&self, points: &[LoadPoint]) -> Vec<String> {
        let mut notes = Vec::new();
        if let (Some(workers), Some(each)) = (self.spec.workers, self.spec.each) {
            let each = humantime::format_duration(each);
            notes.push(format!("C is stated: {workers} workers / {each}"));
        }
        if let Some(waiting) = some(points, |point| point.waiting) {
            let waiting = range(&waiting, rate);
            notes
                .push(format!("a server that knows waits but not demands keeps {waiting} at best"));
        }
        if let Some(clairvoyant) = some(points, |point| point.clairvoyant) {
            let clairvoyant = range(&clairvoyant, rate);
            notes.push(format!("a clairvoyant server keeps {clairvoyant} of these arrivals"));
        }
        if let Some(least) = some(points, |point| point.costs.least) {
            notes.push(format!("c of a loop that only refuses is {}", range(&least, time)));
        }
        let late = points.iter().filter(|point| !point.ours.load.generator.kept_schedule).count();
        if late > 0 {
            notes.push(format!("schedule not kept in {late} of {} rounds", points.len()));
        }
        let core = each(points, |point| point.ours.usage.cpu / point.ours.load.duration_seconds);
        if let Some(core) = core
            && self.spec.fills_the_core()
            && core.low < CORE
        {
            notes.push(format!("had {} of its core", range(&core, percent)));
        }
        notes
    }
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
mod tests {
    use super::*;
    use crate::judge::bound::CpuUsage;
    use seda_tools::report::LoadReport;

    const SETTINGS: &str = "rounds = 5
        slo = '200ms'
        deadline = '1s'
        warm_up = '800ms'
        measured = '2s'
        probe = '1s'
        probed = 'axum-bounded-queue-16'
        at_capacity = []
        flood = 20000
        refusal_p99 = '10ms'
        refusal_cpu = '6us'
        no_worse_by = 0.01";
    const SPEC: &str = "name = 'work-1ms'
        requests = '/work?micros=1000'
        loads = [5]
        rivals = ['axum-bounded-queue-16']
        goodput = 0.97";

    fn outcome(goodput: f64, p99: f64) -> RunOutcome {
        let mut load = LoadReport::default();
        load.duration_seconds = 1.0;
        load.response_seconds.p99 = Some(p99);
        load.refusal_seconds.p99 = Some(1e-3);
        load.generator.kept_schedule = true;
        let usage = CpuUsage { cpu: 1.0, ..CpuUsage::default() };
        RunOutcome { load, goodput, usage, series: None }
    }

    fn point(ours: f64, rival: f64) -> LoadPoint {
        let costs = Costs { capacity: 1_000.0, served: 1e-3, refused: 5e-6, least: None };
        let (ours, rival) = (outcome(ours, 0.1), outcome(rival, 0.01));
        LoadPoint { ours, rival, costs, bound: 980.0, waiting: None, clairvoyant: None }
    }

    fn row(points: &[LoadPoint]) -> Row {
        let settings: Settings = toml::from_str(SETTINGS).unwrap();
        let spec: OverloadSpec = toml::from_str(SPEC).unwrap();
        let slo = settings.slo;
        let targets = Targets { spec: &spec, slo, rival: "rival-16".to_owned() };
        targets.row(&settings, 5.0, points)
    }

    fn missed(row: &Row) -> Vec<&str> {
        let missed = row.checks.iter().filter(|check| check.met == Some(false));
        missed.map(|check| check.what.as_str()).collect()
    }

    #[test]
    fn a_row_whose_medians_reach_every_target_is_met() {
        let row = row(&[point(900.0, 950.0), point(960.0, 950.0), point(970.0, 950.0)]);
        assert_eq!((row.verdict(), row.name.as_str()), ("met", "work-1ms at 5x"));
        assert_eq!(row.notes, [""; 0]);
    }

    #[test]
    fn each_figure_that_misses_its_target_is_a_missed_check() {
        assert_eq!(missed(&row(&[point(940.0, 900.0)])), ["goodput / B"]);
        assert_eq!(missed(&row(&[point(960.0, 980.0)])), ["goodput / best rival"]);
        let mut slow = point(960.0, 950.0);
        slow.ours.load.response_seconds.p99 = Some(0.201);
        slow.ours.load.refusal_seconds.p99 = Some(0.011);
        slow.costs.refused = 7e-6;
        assert_eq!(missed(&row(&[slow])), ["p99 of the answered", "refusal p99", "c"]);
    }

    #[test]
    fn beside_a_rival_without_goodput_seda_is_no_worse() {
        let row = row(&[point(960.0, 0.0)]);
        assert_eq!(row.verdict(), "met");
        assert!(row.checks.iter().any(|check| check.figure == "rival-16 has none"));
    }

    #[test]
    fn a_note_tells_when_the_machine_was_busy_with_other_work() {
        let mut starved = point(960.0, 950.0);
        starved.ours.usage.cpu = 0.5;
        starved.ours.load.generator.kept_schedule = false;
        let notes = row(&[starved]).notes;
        assert_eq!(notes, ["schedule not kept in 1 of 1 rounds", "had 50.00 % of its core"]);
    }
}
