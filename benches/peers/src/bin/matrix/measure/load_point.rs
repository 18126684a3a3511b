//! What a load of an overload cell came to in each round, and how it is judged.

use crate::cases::cells::Settings;
use crate::cases::overload::Overload;
use crate::judge::bound::Costs;
use crate::judge::verdict::{Check, Row, no_worse, percent, range, ratio, time};
use crate::measure::runner::Ran;
use seda_tools::figures::rate;
use seda_tools::sweep::Spread;
use std::time::Duration;

/// A server that is overloaded and has less of its core than this has lost it to others.
const CORE: f64 = 0.95;

/// One load of one round.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) ours: Ran,
    pub(crate) rival: Ran,
    pub(crate) costs: Costs,
    /// B, per second.
    pub(crate) bound: f64,
    /// Of recorded arrivals: what a server would get, per second, with the best bound on waits.
    pub(crate) waiting: Option<f64>,
    /// Of drawn arrivals: what who knows the demand of each would get, per second.
    pub(crate) known: Option<f64>,
}

/// What the points of a cell are held against.
#[derive(Clone, Debug)]
pub(crate) struct Judging<'a> {
    pub(crate) cell: &'a Overload,
    pub(crate) slo: Duration,
    pub(crate) rival: String,
}

impl Judging<'_> {
    /// The row of a load.
    pub(crate) fn row(&self, reach: &Settings, load: f64, points: &[Point]) -> Row {
        let each = |figure: &dyn Fn(&Point) -> f64| Spread::of(points.iter().map(figure));
        let some =
            |figure: &dyn Fn(&Point) -> Option<f64>| Spread::of(points.iter().filter_map(figure));
        let share = each(&|point| point.ours.goodput / point.bound);
        let mut checks = vec![
            Check::at_least("C", each(&|point| point.costs.capacity), 0.0, rate).unjudged(),
            Check::at_most("s", each(&|point| point.costs.served), 0.0, time).unjudged(),
            Check::at_least("bound B", each(&|point| point.bound), 0.0, rate).unjudged(),
            Check::at_least("goodput / B", share, self.cell.goodput, ratio),
        ];
        let p99 = some(&|point| point.ours.load.response_seconds.p99);
        let refusal = some(&|point| point.ours.load.refusal_seconds.p99);
        let cost = each(&|point| point.costs.refused);
        let others = [
            self.beside(each(&|point| point.ours.goodput / point.rival.goodput), reach),
            Check::at_most("p99 of the answered", p99, self.slo.as_secs_f64(), time),
            Check::at_most_if_any("refusal p99", refusal, reach.refusal_p99.as_secs_f64(), time),
            Check::at_most("c", cost, reach.refusal_cpu.as_secs_f64(), time),
        ];
        let judged = |check: Check| if self.cell.goodput_only { check.unjudged() } else { check };
        checks.extend(others.map(judged));
        let name = format!("{} at {load}x", self.cell.name);
        Row { kind: "overload", name, checks, notes: self.notes(points) }
    }

    /// The ratios to a rival without any goodput are infinite, and no figure.
    fn beside(&self, ratios: Option<Spread>, reach: &Settings) -> Check {
        let what = "goodput / best rival";
        match ratios {
            Some(ratios) => {
                let figure = format!("{}, {}", range(&ratios, ratio), self.rival);
                let met = no_worse(Some(ratios), reach.no_worse_by);
                let check = Check::plain(what, figure, "no worse", met);
                Check { spread: Some(ratios), ..check }
            }
            None => Check::plain(what, format!("{} has none", self.rival), "no worse", true),
        }
    }

    fn notes(&self, points: &[Point]) -> Vec<String> {
        let mut notes = Vec::new();
        if let (Some(workers), Some(each)) = (self.cell.workers, self.cell.each) {
            let each = humantime::format_duration(each);
            notes.push(format!("C is stated: {workers} workers / {each}"));
        }
        if let Some(waiting) = Spread::of(points.iter().filter_map(|point| point.waiting)) {
            let waiting = range(&waiting, rate);
            notes.push(format!("knowing what waits and not what comes, {waiting} at best"));
        }
        if let Some(known) = Spread::of(points.iter().filter_map(|point| point.known)) {
            let known = range(&known, rate);
            notes.push(format!("who knows everything keeps {known} of these arrivals at best"));
        }
        if let Some(least) = Spread::of(points.iter().filter_map(|point| point.costs.least)) {
            notes.push(format!("c of a loop that does nothing else {}", range(&least, time)));
        }
        let late = points.iter().filter(|point| !point.ours.load.generator.kept_schedule).count();
        if late > 0 {
            notes.push(format!("schedule not kept in {late} of {} rounds", points.len()));
        }
        let core = |point: &Point| point.ours.spent.cpu / point.ours.load.duration_seconds;
        let core = Spread::of(points.iter().map(core));
        let core = core.filter(|core| self.cell.fills_the_core() && core.low < CORE);
        notes.extend(core.map(|core| format!("had {} of its core", range(&core, percent))));
        notes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cells::Cells;
    use crate::judge::bound::Spent;
    use seda_tools::report::LoadReport;
    use std::path::Path;

    fn ran(goodput: f64, p99: f64) -> Ran {
        let mut load = LoadReport::default();
        load.duration_seconds = 1.0;
        load.response_seconds.p99 = Some(p99);
        load.refusal_seconds.p99 = Some(1e-3);
        load.generator.kept_schedule = true;
        let spent = Spent { cpu: 1.0, ..Spent::default() };
        Ran { load, goodput, spent, series: None }
    }

    fn point(ours: f64, rival: f64) -> Point {
        let costs = Costs { capacity: 1_000.0, served: 1e-3, refused: 5e-6, least: None };
        let (ours, rival) = (ran(ours, 0.1), ran(rival, 0.01));
        Point { ours, rival, costs, bound: 980.0, waiting: None, known: None }
    }

    fn judged(points: &[Point]) -> Row {
        let file = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/matrix.toml"));
        let cells = Cells::read(file).unwrap();
        let settings = cells.settings(false, None);
        let cell = cells.overloads().iter().find(|cell| cell.name == "work-1ms").unwrap();
        let slo = Duration::from_millis(200);
        Judging { cell, slo, rival: "rival-16".to_owned() }.row(&settings, 5.0, points)
    }

    fn missed(row: &Row) -> Vec<&str> {
        let missed = row.checks.iter().filter(|check| check.met == Some(false));
        missed.map(|check| check.what.as_str()).collect()
    }

    #[test]
    fn a_row_whose_medians_reach_everything_is_met() {
        let row = judged(&[point(900.0, 950.0), point(960.0, 950.0), point(970.0, 950.0)]);
        assert_eq!((row.verdict(), row.name.as_str()), ("met", "work-1ms at 5x"));
        assert_eq!(row.notes, [""; 0]);
    }

    #[test]
    fn each_figure_that_is_not_reached_is_a_check_that_is_missed() {
        assert_eq!(missed(&judged(&[point(940.0, 900.0)])), ["goodput / B"]);
        assert_eq!(missed(&judged(&[point(960.0, 980.0)])), ["goodput / best rival"]);
        let mut slow = point(960.0, 950.0);
        slow.ours.load.response_seconds.p99 = Some(0.201);
        slow.ours.load.refusal_seconds.p99 = Some(0.011);
        slow.costs.refused = 7e-6;
        assert_eq!(missed(&judged(&[slow])), ["p99 of the answered", "refusal p99", "c"]);
    }

    #[test]
    fn a_rival_without_goodput_is_no_worse_than_anybody() {
        let row = judged(&[point(960.0, 0.0)]);
        assert_eq!(row.verdict(), "met");
        assert!(row.checks.iter().any(|check| check.figure == "rival-16 has none"));
    }

    #[test]
    fn what_the_machine_took_away_is_said() {
        let mut starved = point(960.0, 950.0);
        starved.ours.spent.cpu = 0.5;
        starved.ours.load.generator.kept_schedule = false;
        let notes = judged(&[starved]).notes;
        assert_eq!(notes, ["schedule not kept in 1 of 1 rounds", "had 50.00 % of its core"]);
    }
}
