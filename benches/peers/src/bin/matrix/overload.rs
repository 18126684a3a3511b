//! A kind of request at multiples of the capacity, against the bound B and a hand-tuned rival.

use super::asked::{Asked, Requests, demands, first, recorded_rate};
use super::bench::{Ask, Bench, Ran, poisson};
use super::bound::{Costs, clairvoyant, refused_cost, served_cost};
use super::servers::{Peer, Subject};
use super::verdict::{Check, Row, no_worse, range, ratio, time};
use peers::Contestant;
use seda_tools::figures::rate;
use seda_tools::plan::Pace;
use seda_tools::sweep::Spread;
use seda_tools::trace::Trace;
use serde::Deserialize;
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where s is measured, as a multiple of the capacity: next to nothing is refused there.
const BELOW: f64 = 0.8;
/// Where hand-tuned limits are tried.
const TUNED_AT: f64 = 2.0;
/// The flood that c is measured in is at least this multiple of the capacity.
const FLOOD: f64 = 4.0;

/// A cell of the file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Overload {
    pub(crate) name: String,
    /// Paths by weight; or `trace`.
    requests: Option<Asked>,
    /// A file with arrivals and their work, from the repository's root.
    trace: Option<PathBuf>,
    /// Of which so many are used.
    first: Option<usize>,
    loads: Vec<f64>,
    /// Instead of the usual one.
    #[serde(default, with = "humantime_serde")]
    slo: Option<Duration>,
    /// Instead of the usual time.
    #[serde(default, with = "humantime_serde")]
    measured: Option<Duration>,
    /// The capacity is what so many workers do that each wait so long.
    workers: Option<u32>,
    #[serde(default, with = "humantime_serde")]
    each: Option<Duration>,
    /// Rivals with their limits; the best at 2x is compared, with `--quick` the first.
    rivals: Vec<Peer>,
    /// What of the bound is wanted.
    goodput: f64,
    /// All else is shown and not judged.
    #[serde(default)]
    goodput_only: bool,
    /// Show what the generator does against a loop that only says hello.
    #[serde(default)]
    bare_loop: bool,
}

/// One load of one round.
struct Point {
    ours: Ran,
    rival: Ran,
    costs: Costs,
    bound: f64,
}

impl Overload {
    /// What is wrong with it, if anything.
    pub(crate) fn fault(&self) -> Option<&'static str> {
        match (&self.requests, &self.trace) {
            (None, None) => Some("says neither `requests` nor `trace`; say one"),
            (Some(_), Some(_)) => Some("says `requests` and `trace`; say one"),
            _ if self.workers.is_some() != self.each.is_some() => {
                Some("says one of `workers` and `each`; say both or none")
            }
            _ if self.loads.iter().any(|load| *load <= 1.0) || self.loads.is_empty() => {
                Some("needs `loads` above 1")
            }
            _ if self.rivals.is_empty() => Some("has no `rivals`; name one"),
            _ => None,
        }
    }

    /// Its rows, one for each load.
    pub(crate) fn measure(&self, bench: &mut Bench) -> Result<Vec<Row>, Box<dyn Error>> {
        let Some(requests) = self.read()? else { return Ok(vec![self.not_run()]) };
        let loads = self.chosen_loads(bench);
        let rival = Subject::Rival(self.tuned(bench, &requests)?);
        let mut points: Vec<Vec<Point>> = loads.iter().map(|_| Vec::new()).collect();
        for round in 0..bench.settings.rounds {
            let found = self.round(bench, &requests, rival, &loads, round)?;
            points.iter_mut().zip(found).for_each(|(points, point)| points.push(point));
        }
        let mut rows = Vec::new();
        for (load, points) in loads.iter().zip(&points) {
            let mut row = self.row(bench, *load, rival, points);
            if self.bare_loop {
                row.notes.push(self.bare(bench, points)?);
            }
            rows.push(row);
        }
        Ok(rows)
    }

    fn round(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        rival: Subject,
        loads: &[f64],
        round: u32,
    ) -> Result<Vec<Point>, Box<dyn Error>> {
        let base = self.base(bench, requests, round)?;
        let below = self.run(bench, requests, Subject::Judged, BELOW, base * BELOW, round)?;
        let flood = bench.settings.flood.max(base * FLOOD);
        let flooded = self.run(bench, requests, Subject::Judged, flood / base, flood, round)?;
        let served = served_cost(&below.spent).ok_or("nothing was served below the capacity")?;
        let refused = refused_cost(&flooded.spent, &below.spent).unwrap_or(0.0);
        let mut best = below.load.goodput_per_second;
        let mut pairs = Vec::new();
        for load in bench.settings.at_capacity.iter().chain(loads).copied().collect::<Vec<_>>() {
            // Whoever is first has another part of what the machine drifts by.
            let order =
                if round % 2 == 0 { [Subject::Judged, rival] } else { [rival, Subject::Judged] };
            let mut ran = Vec::new();
            for subject in order {
                let one = self.at(bench, requests, subject, load, base, round)?;
                best = best.max(one.load.goodput_per_second);
                ran.push((subject, one));
            }
            ran.sort_by_key(|(subject, _)| *subject != Subject::Judged);
            pairs.push(ran);
        }
        let costs = Costs { capacity: self.stated().unwrap_or(best), served, refused };
        let extra = bench.settings.at_capacity.len();
        let point = |pair: Vec<(Subject, Ran)>| {
            let mut pair = pair.into_iter();
            let (ours, rival) = (pair.next()?.1, pair.next()?.1);
            let bound = self.bound(requests, &costs, &ours);
            Some(Point { ours, rival, costs, bound })
        };
        Ok(pairs.into_iter().skip(extra).filter_map(point).collect())
    }

    fn bound(&self, requests: &Requests, costs: &Costs, ours: &Ran) -> f64 {
        let offered = ours.load.offered_per_second;
        let bound = match self.workers {
            Some(_) => costs.bound_by_workers(offered),
            None => costs.bound(offered),
        };
        let Requests::Trace(trace) = requests else { return bound };
        // The whole of what a server does beside the demand itself.
        let beside = ours.spent.front.map_or(0.0, |front| front / ours.spent.served.max(1.0));
        let speed = offered / recorded_rate(trace);
        let slo = ours.load.slo_seconds.first().copied().unwrap_or(f64::MAX);
        let good = clairvoyant(demands(trace, speed, beside), slo) as f64;
        bound.min(good * speed / trace.duration().as_secs_f64())
    }

    /// At a multiple of the capacity, at the trace's own times if there is one.
    fn at(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        subject: Subject,
        load: f64,
        base: f64,
        round: u32,
    ) -> Result<Ran, Box<dyn Error>> {
        let Requests::Trace(trace) = requests else {
            return self.run(bench, requests, subject, load, base * load, round);
        };
        let speed = base * load / recorded_rate(trace);
        let pace = Pace::Recorded { times: trace.times(), speed };
        let mut ask = self.ask(bench, requests, pace, load, round);
        ask.warm_up = Duration::ZERO;
        bench.run(subject, &ask)
    }

    fn run(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        subject: Subject,
        load: f64,
        per_second: f64,
        round: u32,
    ) -> Result<Ran, Box<dyn Error>> {
        let duration = self.duration(bench);
        let ask = self.ask(bench, requests, poisson(per_second, duration)?, load, round);
        bench.run(subject, &ask)
    }

    fn ask<'a>(
        &'a self,
        bench: &Bench,
        requests: &'a Requests,
        pace: Pace,
        load: f64,
        round: u32,
    ) -> Ask<'a> {
        Ask {
            cell: &self.name,
            words: format!("round {}, {load:.2}x", round + 1),
            requests,
            pace,
            warm_up: bench.settings.warm_up,
            slo: self.slo(bench),
            retries: 0,
            bin: None,
            round,
        }
    }

    fn row(&self, bench: &Bench, load: f64, rival: Subject, points: &[Point]) -> Row {
        let each = |figure: &dyn Fn(&Point) -> f64| Spread::of(points.iter().map(figure));
        let some =
            |figure: &dyn Fn(&Point) -> Option<f64>| Spread::of(points.iter().filter_map(figure));
        let goodput = |ran: &Ran| ran.load.goodput_per_second;
        let beside = each(&|point| goodput(&point.ours) / goodput(&point.rival));
        let reach = &bench.settings;
        let share = each(&|point| goodput(&point.ours) / point.bound);
        let mut checks = vec![
            Check::at_least("C", each(&|point| point.costs.capacity), 0.0, rate).unjudged(),
            Check::at_least("bound B", each(&|point| point.bound), 0.0, rate).unjudged(),
            Check::at_least("goodput / B", share, self.goodput, ratio),
        ];
        let figure = beside.map_or("none".to_owned(), |beside| range(&beside, ratio));
        let met = no_worse(beside, reach.no_worse_by);
        let others = [
            Check::plain("goodput / best rival", format!("{figure}, {rival}"), "no worse", met),
            Check::at_most(
                "p99 of the answered",
                some(&|point| point.ours.load.response_seconds.p99),
                self.slo(bench).as_secs_f64(),
                time,
            ),
            Check::at_most(
                "refusal p99",
                some(&|point| point.ours.load.refusal_seconds.p99),
                reach.refusal_p99.as_secs_f64(),
                time,
            ),
            Check::at_most(
                "CPU of a refusal, c",
                each(&|point| point.costs.refused),
                reach.refusal_cpu.as_secs_f64(),
                time,
            ),
        ];
        let judged = |check: Check| if self.goodput_only { check.unjudged() } else { check };
        checks.extend(others.map(judged));
        let name = format!("{} at {load}x", self.name);
        Row { kind: "overload", name, checks, notes: self.notes(points) }
    }

    fn notes(&self, points: &[Point]) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some(served) = Spread::of(points.iter().map(|point| point.costs.served)) {
            notes.push(format!("s {}", range(&served, time)));
        }
        if let (Some(workers), Some(each)) = (self.workers, self.each) {
            let each = humantime::format_duration(each);
            notes.push(format!("C is stated: {workers} workers / {each}"));
        }
        let kept = |ran: &Ran| ran.load.generator.kept_schedule;
        let late = points.iter().filter(|point| !kept(&point.ours)).count();
        if late > 0 {
            notes.push(format!("schedule not kept in {late} of {} rounds", points.len()));
        }
        notes
    }

    /// What the generator does at this rate against a server that only says hello.
    fn bare(&self, bench: &mut Bench, points: &[Point]) -> Result<String, Box<dyn Error>> {
        let offered = points.iter().map(|point| point.ours.load.offered_per_second);
        let offered = Spread::of(offered).ok_or("no round was measured")?.median;
        let hello = Requests::Mix("/".parse()?);
        let hyper = Subject::Rival(Contestant::HyperInline);
        let ran = self.run(bench, &hello, hyper, 1.0, offered, 0)?.load;
        let lag = ran.generator.lag_seconds.p99.map_or("-".to_owned(), time);
        Ok(format!(
            "the generator against a bare loop: {} of {} answered, 1 % began {lag} late or more, \
             {:.0} % of its core",
            rate(ran.throughput_per_second),
            rate(ran.offered_per_second),
            ran.generator.cpu_share * 100.0
        ))
    }

    /// The best of the rivals at 2x.
    fn tuned(&self, bench: &mut Bench, requests: &Requests) -> Result<Contestant, Box<dyn Error>> {
        let known = self.rivals.first().ok_or("no rival is named")?.0;
        if bench.quick || self.rivals.len() == 1 {
            return Ok(known);
        }
        let base = self.base(bench, requests, 0)?;
        let mut best = (known, 0.0);
        for Peer(rival) in &self.rivals {
            let rate = base * TUNED_AT;
            let ran = self.run(bench, requests, Subject::Rival(*rival), TUNED_AT, rate, 0)?;
            if ran.load.goodput_per_second > best.1 {
                best = (*rival, ran.load.goodput_per_second);
            }
        }
        Ok(best.0)
    }

    fn base(
        &self,
        bench: &mut Bench,
        requests: &Requests,
        round: u32,
    ) -> Result<f64, Box<dyn Error>> {
        match self.stated() {
            Some(stated) => Ok(stated),
            None => bench.probe(&self.name, requests, self.slo(bench), round),
        }
    }

    fn stated(&self) -> Option<f64> {
        Some(f64::from(self.workers?) / self.each?.as_secs_f64())
    }

    fn chosen_loads(&self, bench: &Bench) -> Vec<f64> {
        let loads = self.loads.iter().copied();
        loads.filter(|load| !bench.quick || bench.settings.quick_loads.contains(load)).collect()
    }

    fn slo(&self, bench: &Bench) -> Duration {
        self.slo.unwrap_or(bench.settings.slo)
    }

    fn duration(&self, bench: &Bench) -> Duration {
        let usual = bench.settings.measured;
        self.measured.filter(|_| !bench.quick).unwrap_or(usual)
    }

    /// What is asked for; `None` if its file is not here.
    fn read(&self) -> Result<Option<Requests>, Box<dyn Error>> {
        if let Some(Asked(mix)) = &self.requests {
            return Ok(Some(Requests::Mix(mix.clone())));
        }
        let file = peers::root().join(self.trace.as_deref().unwrap_or(&PathBuf::new()));
        if !file.is_file() {
            eprintln!("{}: {} is not there", self.name, file.display());
            return Ok(None);
        }
        Ok(Some(Requests::Trace(Arc::new(first(Trace::open(&file)?, self.first)))))
    }

    fn not_run(&self) -> Row {
        let file = self.trace.as_deref().unwrap_or(&PathBuf::new()).display().to_string();
        let notes = vec![format!("not run: {file} is not there")];
        Row { kind: "overload", name: self.name.clone(), checks: Vec::new(), notes }
    }
}
