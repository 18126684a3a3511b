//! One round of an overload cell: everybody's turn at every load, and what things cost meanwhile.

use crate::cases::overload::Overload;
use crate::judge::bound::{Costs, Spent, refused_cost, served_cost};
use crate::judge::reference::{Job, Taking, best_wait};
use crate::measure::load_point::Point;
use crate::measure::runner::{Ask, Bench, Ran, poisson, seed};
use crate::measure::servers::Subject;
use crate::settings::request_spec::{Requests, demands, recorded_rate};
use peers::Contestant;
use seda_tools::arrivals::{Arrivals, Process, Profile};
use seda_tools::plan::Pace;
use std::error::Error;

/// Where s is measured, as a multiple of the capacity: next to nothing is refused there.
const BELOW: f64 = 0.8;
/// The flood that c is measured in is at least this multiple of the capacity.
const FLOOD: f64 = 4.0;

/// Runs the rounds of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rounds<'a> {
    pub(crate) cell: &'a Overload,
    pub(crate) requests: &'a Requests,
    /// The best hand-tuned one.
    pub(crate) rival: Subject,
}

impl Rounds<'_> {
    /// A point for each load.
    pub(crate) fn round(
        &self,
        bench: &mut Bench,
        loads: &[f64],
        round: u32,
    ) -> Result<Vec<Point>, Box<dyn Error>> {
        let base = self.base(bench, round)?;
        let below = self.at_rate(bench, Subject::Judged, BELOW, base * BELOW, round)?;
        let flood = bench.settings.flood.max(base * FLOOD);
        let flooding = self.cell.flooding(self.requests);
        let all_refused = Rounds { requests: &flooding, ..*self };
        let flooded = all_refused.at_rate(bench, Subject::Judged, flood / base, flood, round)?;
        let least = match self.cell.bare_loop {
            true => all_refused.least(bench, flood / base, flood, round)?,
            false => None,
        };
        let served = served_cost(&below.spent).ok_or("nothing was served below the capacity")?;
        let refused = refused_cost(&flooded.spent, &below.spent).unwrap_or(0.0);
        let mut best = below.goodput;
        for load in self.at_capacity(bench) {
            let (ours, rival) = self.pair(bench, load, base, round)?;
            best = best.max(ours.goodput).max(rival.goodput);
        }
        let mut pairs = Vec::new();
        for load in loads {
            let (ours, rival) = self.pair(bench, *load, base, round)?;
            best = best.max(ours.goodput).max(rival.goodput);
            pairs.push((ours, rival, self.known(bench, base * load, round)?));
        }
        let warm_up = bench.settings.warm_up.as_secs_f64();
        let costs = Costs { capacity: self.cell.stated().unwrap_or(best), served, refused, least };
        let point = |(ours, rival, known): (Ran, Ran, Option<f64>)| {
            let (bound, waiting) = self.bounds(&costs, &ours, warm_up);
            Point { ours, rival, costs, bound, waiting, known }
        };
        Ok(pairs.into_iter().map(point).collect())
    }

    /// What a refusal costs a loop that does nothing else.
    fn least(
        &self,
        bench: &mut Bench,
        load: f64,
        per_second: f64,
        round: u32,
    ) -> Result<Option<f64>, Box<dyn Error>> {
        let bare = Subject::Rival(Contestant::RefusingLoop);
        let spent = self.at_rate(bench, bare, load, per_second, round)?.spent;
        Ok(refused_cost(&spent, &Spent { served: 1.0, front: Some(0.0), ..Spent::default() }))
    }

    /// About the capacity: what rates are multiples of.
    pub(crate) fn base(&self, bench: &mut Bench, round: u32) -> Result<f64, Box<dyn Error>> {
        match self.cell.stated() {
            Some(stated) => Ok(stated),
            None => bench.probe(&self.cell.name, self.requests, self.cell.slo(bench), round),
        }
    }

    /// Both at one load, one after the other.
    fn pair(
        &self,
        bench: &mut Bench,
        load: f64,
        base: f64,
        round: u32,
    ) -> Result<(Ran, Ran), Box<dyn Error>> {
        // Whoever is first has another part of what the machine drifts by.
        if round.is_multiple_of(2) {
            let ours = self.at(bench, Subject::Judged, load, base, round)?;
            Ok((ours, self.at(bench, self.rival, load, base, round)?))
        } else {
            let rival = self.at(bench, self.rival, load, base, round)?;
            Ok((self.at(bench, Subject::Judged, load, base, round)?, rival))
        }
    }

    /// At a multiple of the capacity, at the trace's own times if there is one.
    pub(crate) fn at(
        &self,
        bench: &mut Bench,
        subject: Subject,
        load: f64,
        base: f64,
        round: u32,
    ) -> Result<Ran, Box<dyn Error>> {
        let Requests::Trace(trace) = self.requests else {
            return self.at_rate(bench, subject, load, base * load, round);
        };
        let speed = base * load / recorded_rate(trace);
        let pace = Pace::Recorded { times: trace.times(), speed };
        let mut ran = bench.run(subject, &self.ask(bench, pace, load, round))?;
        // A trace ends as it ends: what it asked for last is answered behind its end.
        ran.goodput = ran.load.outcomes.good as f64 / ran.load.duration_seconds;
        Ok(ran)
    }

    /// With Poisson arrivals.
    pub(crate) fn at_rate(
        &self,
        bench: &mut Bench,
        subject: Subject,
        load: f64,
        per_second: f64,
        round: u32,
    ) -> Result<Ran, Box<dyn Error>> {
        let pace = poisson(per_second, self.cell.duration(bench))?;
        let ask = self.ask(bench, pace, load, round);
        bench.run(subject, &ask)
    }

    /// What who knows the demand of each would make of the arrivals that a rate has in this round.
    fn known(
        &self,
        bench: &Bench,
        per_second: f64,
        round: u32,
    ) -> Result<Option<f64>, Box<dyn Error>> {
        let Some(demand) = self.cell.demand else { return Ok(None) };
        let (warm_up, measured) = (bench.settings.warm_up, self.cell.duration(bench));
        let profile = Profile::constant(per_second, warm_up + measured)?;
        let arrivals = Arrivals::drawn(Process::Poisson, &profile, seed(round));
        let jobs: Vec<Job> = arrivals.map(|at| (at as f64 / 1e9, demand.as_secs_f64())).collect();
        let slo = self.cell.slo(bench).as_secs_f64();
        let good = Taking::Clairvoyant.good(&jobs, slo, warm_up.as_secs_f64());
        Ok(Some(good as f64 / measured.as_secs_f64()))
    }

    fn ask(&self, bench: &Bench, pace: Pace, load: f64, round: u32) -> Ask<'_> {
        Ask {
            cell: &self.cell.name,
            words: format!("round {}, {load:.2}x", round + 1),
            requests: self.requests,
            pace,
            warm_up: bench.settings.warm_up,
            slo: self.cell.slo(bench),
            retries: 0,
            bin: None,
            round,
        }
    }

    /// Loads that only help to find C. Recorded arrivals overload at any mean load, in bursts.
    fn at_capacity(&self, bench: &Bench) -> Vec<f64> {
        match self.requests {
            Requests::Mix(_) => bench.settings.at_capacity.clone(),
            Requests::Trace(_) => Vec::new(),
        }
    }

    /// B of a run, and for recorded arrivals what the best bound on waits would get.
    fn bounds(&self, costs: &Costs, ours: &Ran, warm_up: f64) -> (f64, Option<f64>) {
        let load = &ours.load;
        let offered = load.offered_per_second;
        let bound = match self.cell.workers {
            Some(_) => costs.bound_by_workers(offered),
            None => costs.bound(offered),
        };
        let Requests::Trace(trace) = self.requests else { return (bound, None) };
        // What every request costs beside its own demand.
        let beside = ours.spent.front.map_or(0.0, |front| front / ours.spent.served.max(1.0));
        // What comes within the warm-up is cut off a trace.
        let whole = load.duration_seconds + warm_up;
        let speed = trace.duration().as_secs_f64() / whole;
        let jobs: Vec<Job> = demands(trace, speed, beside).collect();
        let slo = load.slo_seconds.first().copied().unwrap_or(f64::MAX);
        let rate = |good: u64| good as f64 / load.duration_seconds;
        let waiting = rate(best_wait(&jobs, slo, warm_up));
        let best = match self.cell.demand_unknown {
            true => waiting,
            false => rate(Taking::Clairvoyant.good(&jobs, slo, warm_up)),
        };
        (bound.min(best), Some(waiting))
    }
}
