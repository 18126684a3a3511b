//! One round of an overload cell: every load on seda and its rival in turn, with the costs that B
//! needs.

use crate::judge::bound::{Costs, CpuUsage, refused_cost, served_cost};
use crate::judge::reference::{AdmissionRule, Job, best_wait, jobs};
use crate::measure::load_point::LoadPoint;
use crate::measure::runner::{RunOutcome, RunSpec, Runner, poisson, seed};
use crate::measure::servers::Subject;
use crate::settings::overload_spec::OverloadSpec;
use crate::settings::request_spec::{Requests, recorded_rate};
use peers::Contestant;
use seda_tools::arrivals::{Arrivals, Process, Profile};
use seda_tools::plan::Pace;
use std::error::Error;

/// The load, as a multiple of the capacity, at which s is measured: hardly any refusals.
const BELOW: f64 = 0.8;
/// The least load, as a multiple of the capacity, at which c is measured.
const FLOOD: f64 = 4.0;

/// A round of a cell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round<'a> {
    pub(crate) spec: &'a OverloadSpec,
    pub(crate) requests: &'a Requests,
    /// The hand-tuned server to compare with.
    pub(crate) rival: Subject,
    /// Counted from 0. Seeds the arrivals.
    pub(crate) number: u32,
}

/// B at one load.
struct Bounds {
    /// Per second.
    bound: f64,
    /// Of recorded arrivals: goodput per second with the best limit on waits.
    waiting: Option<f64>,
}

impl Round<'_> {
    /// Measures one point for each load.
    pub(crate) fn measure(
        &self,
        runner: &mut Runner,
        loads: &[f64],
    ) -> Result<Vec<LoadPoint>, Box<dyn Error>> {
        let capacity = self.capacity(runner)?;
        // s below the capacity, then c in a flood.
        let below = self.at_rate(runner, Subject::Judged, BELOW, capacity * BELOW)?;
        let flood = runner.settings.flood.max(capacity * FLOOD);
        let flood_requests = self.spec.flood_requests(self.requests);
        let flooding = Round { requests: &flood_requests, ..*self };
        let flooded = flooding.at_rate(runner, Subject::Judged, flood / capacity, flood)?;
        let least = match self.spec.bare_loop {
            true => flooding.least_refusal_cost(runner, flood / capacity, flood)?,
            false => None,
        };
        let served = served_cost(&below.usage).ok_or("nothing was served below the capacity")?;
        let refused = refused_cost(&flooded.usage, &below.usage).unwrap_or(0.0);
        // C is the best goodput of any run of the round.
        let mut best = below.goodput;
        for load in self.loads_at_capacity(runner) {
            let (ours, rival) = self.pair(runner, load, capacity)?;
            best = best.max(ours.goodput).max(rival.goodput);
        }
        let mut pairs = Vec::new();
        for load in loads {
            let (ours, rival) = self.pair(runner, *load, capacity)?;
            best = best.max(ours.goodput).max(rival.goodput);
            pairs.push((ours, rival, self.clairvoyant(runner, capacity * load)?));
        }
        // B of every load, now that C is known.
        let capacity = self.spec.stated_capacity().unwrap_or(best);
        let costs = Costs { capacity, served, refused, least };
        let warm_up = runner.settings.warm_up.as_secs_f64();
        let mut points = Vec::new();
        for (ours, rival, clairvoyant) in pairs {
            let Bounds { bound, waiting } = self.bounds(&costs, &ours, warm_up);
            points.push(LoadPoint { ours, rival, costs, bound, waiting, clairvoyant });
        }
        Ok(points)
    }

    /// Measures the CPU time of a refusal in a loop that does nothing else.
    fn least_refusal_cost(
        &self,
        runner: &mut Runner,
        load: f64,
        per_second: f64,
    ) -> Result<Option<f64>, Box<dyn Error>> {
        let bare = Subject::Rival(Contestant::RefusingLoop);
        let usage = self.at_rate(runner, bare, load, per_second)?.usage;
        let nothing_served = CpuUsage { served: 1.0, front: Some(0.0), ..CpuUsage::default() };
        Ok(refused_cost(&usage, &nothing_served))
    }

    /// Returns the capacity that rates are multiples of, per second: stated, or estimated.
    pub(crate) fn capacity(&self, runner: &mut Runner) -> Result<f64, Box<dyn Error>> {
        match self.spec.stated_capacity() {
            Some(stated) => Ok(stated),
            None => {
                let slo = self.spec.slo(&runner.settings);
                runner.probe(&self.spec.name, self.requests, slo, self.number)
            }
        }
    }

    /// Runs seda and the rival at one load, one after the other.
    fn pair(
        &self,
        runner: &mut Runner,
        load: f64,
        capacity: f64,
    ) -> Result<(RunOutcome, RunOutcome), Box<dyn Error>> {
        // They swap places each round, so that the machine's drift favours neither.
        if self.number.is_multiple_of(2) {
            let ours = self.at(runner, Subject::Judged, load, capacity)?;
            Ok((ours, self.at(runner, self.rival, load, capacity)?))
        } else {
            let rival = self.at(runner, self.rival, load, capacity)?;
            Ok((self.at(runner, Subject::Judged, load, capacity)?, rival))
        }
    }

    /// Runs at a multiple of the capacity: Poisson arrivals, or the trace's own times sped up.
    pub(crate) fn at(
        &self,
        runner: &mut Runner,
        subject: Subject,
        load: f64,
        capacity: f64,
    ) -> Result<RunOutcome, Box<dyn Error>> {
        let Requests::Trace(trace) = self.requests else {
            return self.at_rate(runner, subject, load, capacity * load);
        };
        let speed = capacity * load / recorded_rate(trace);
        let pace = Pace::Recorded { times: trace.times(), speed };
        let mut outcome = runner.run(subject, &self.run_spec(runner, pace, load))?;
        // The last answers of a trace come after its end, and count all the same.
        outcome.goodput = outcome.load.outcomes.good as f64 / outcome.load.duration_seconds;
        Ok(outcome)
    }

    /// Runs with Poisson arrivals.
    pub(crate) fn at_rate(
        &self,
        runner: &mut Runner,
        subject: Subject,
        load: f64,
        per_second: f64,
    ) -> Result<RunOutcome, Box<dyn Error>> {
        let pace = poisson(per_second, self.spec.duration(&runner.settings))?;
        let spec = self.run_spec(runner, pace, load);
        runner.run(subject, &spec)
    }

    /// Returns the goodput per second of a clairvoyant server on this round's arrivals; `None` if
    /// the cell states no demand.
    fn clairvoyant(&self, runner: &Runner, rate: f64) -> Result<Option<f64>, Box<dyn Error>> {
        let Some(demand) = self.spec.demand else { return Ok(None) };
        let warm_up = runner.settings.warm_up;
        let measured = self.spec.duration(&runner.settings);
        let profile = Profile::constant(rate, warm_up + measured)?;
        let arrivals = Arrivals::drawn(Process::Poisson, &profile, seed(self.number));
        let demand = demand.as_secs_f64();
        let jobs: Vec<Job> = arrivals.map(|at| Job { at: at as f64 / 1e9, demand }).collect();
        let slo = self.spec.slo(&runner.settings).as_secs_f64();
        let good = AdmissionRule::Clairvoyant.good(&jobs, slo, warm_up.as_secs_f64());
        Ok(Some(good as f64 / measured.as_secs_f64()))
    }

    fn run_spec(&self, runner: &Runner, pace: Pace, load: f64) -> RunSpec<'_> {
        let label = format!("round {}, {load:.2}x", self.number + 1);
        RunSpec {
            slo: self.spec.slo(&runner.settings),
            round: self.number,
            ..RunSpec::new(&runner.settings, &self.spec.name, label, self.requests, pace)
        }
    }

    /// Returns the loads that serve only to find C. A trace has none: its bursts overload the
    /// server at any mean load.
    fn loads_at_capacity(&self, runner: &Runner) -> Vec<f64> {
        match self.requests {
            Requests::Mix(_) => runner.settings.at_capacity.clone(),
            Requests::Trace(_) => Vec::new(),
        }
    }

    /// Returns B of a run.
    fn bounds(&self, costs: &Costs, ours: &RunOutcome, warm_up: f64) -> Bounds {
        let load = &ours.load;
        let offered = load.offered_per_second;
        let bound = match self.spec.workers {
            Some(_) => costs.bound_by_workers(offered),
            None => costs.bound(offered),
        };
        let Requests::Trace(trace) = self.requests else {
            return Bounds { bound, waiting: None };
        };
        // The cost of every request beside its own demand.
        let usage = &ours.usage;
        let overhead = usage.front.map_or(0.0, |front| front / usage.served.max(1.0));
        // The warm-up is cut from the start of a trace.
        let speed = trace.duration().as_secs_f64() / (load.duration_seconds + warm_up);
        let jobs: Vec<Job> = jobs(trace, speed, overhead).collect();
        let slo = load.slo_seconds.first().copied().unwrap_or(f64::MAX);
        let waiting = best_wait(&jobs, slo, warm_up) as f64 / load.duration_seconds;
        let best = match self.spec.demand_unknown {
            true => waiting,
            false => {
                let good = AdmissionRule::Clairvoyant.good(&jobs, slo, warm_up);
                good as f64 / load.duration_seconds
            }
        };
        Bounds { bound: bound.min(best), waiting: Some(waiting) }
    }
}
