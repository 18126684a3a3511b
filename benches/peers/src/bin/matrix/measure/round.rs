//! One round of an overload cell: every load on both configurations of seda and the other servers
//! in turn, with the costs that B needs.

use crate::judge::bound::{Costs, refused_cost, served_cost};
use crate::judge::reference::{AdmissionRule, Job, best_wait, jobs, oracle};
use crate::measure::load_point::{LoadPoint, outcome_of};
use crate::measure::runner::{RunOutcome, RunSpec, Runner, poisson, seed};
use crate::measure::servers::Subject;
use crate::settings::overload_spec::OverloadSpec;
use crate::settings::request_spec::{Requests, recorded_rate};
use seda_tools::arrivals::{Arrivals, Process, Profile};
use seda_tools::plan::Pace;
use seda_tools::trace::Trace;
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
    /// Counted from 0. Seeds the arrivals.
    pub(crate) number: u32,
}

/// B at one load, and what else an ideal server does on the same arrivals, all per second.
struct Bounds {
    bound: f64,
    /// Of recorded arrivals: goodput with the best limit on waits.
    waiting: Option<f64>,
    /// Of equal requests: goodput of the hindsight oracle.
    oracle: Option<f64>,
}

impl Round<'_> {
    /// Measures one point for each load.
    pub(crate) fn measure(
        &self,
        runner: &mut Runner,
        loads: &[f64],
    ) -> Result<Vec<LoadPoint>, Box<dyn Error>> {
        let capacity = self.capacity(runner)?;
        // s below the capacity, then the cost of a refusal in a flood.
        let below = self.at_rate(runner, Subject::SloSet, BELOW, capacity * BELOW)?;
        let served = served_cost(&below.usage).ok_or("nothing was served below the capacity")?;
        let flood = runner.settings.flood.max(capacity * FLOOD);
        let flood_requests = self.spec.flood_requests(self.requests);
        let flooding = Round { requests: &flood_requests, ..*self };
        let flooded = flooding.at_rate(runner, Subject::SloSet, flood / capacity, flood)?;
        let refusal = refused_cost(&flooded.usage, &below.usage);
        let refused = runner.least_refusal(&self.spec.name, &flood_requests, flood, self.number)?;
        // C is the best goodput of any server at any load of the round.
        let mut best = below.goodput;
        let mut outcomes = Vec::new();
        for load in loads {
            let found = self.turns(runner, *load, capacity)?;
            best = found.iter().fold(best, |best, (_, outcome)| best.max(outcome.goodput));
            outcomes.push((*load, found));
        }
        // B of every load, now that C is known.
        let planned = capacity;
        let capacity = self.spec.stated_capacity().unwrap_or(best);
        let costs = Costs { capacity, served, refused };
        let mut points = Vec::new();
        for (load, found) in outcomes {
            let ours = outcome_of(&found, Subject::SloSet).ok_or("seda did not run")?;
            let Bounds { bound, waiting, oracle } =
                self.bounds(runner, &costs, ours, planned * load)?;
            points.push(LoadPoint { outcomes: found, costs, refusal, bound, waiting, oracle });
        }
        Ok(points)
    }

    /// Runs every server at one load, one after the other.
    fn turns(
        &self,
        runner: &mut Runner,
        load: f64,
        capacity: f64,
    ) -> Result<Vec<(Subject, RunOutcome)>, Box<dyn Error>> {
        let mut subjects = vec![Subject::SloSet];
        subjects.extend(self.spec.nothing_set.map(|_| Subject::NothingSet));
        let rivals = self.spec.rivals(&runner.settings);
        let peers = self.spec.peers(&runner.settings);
        subjects.extend(rivals.into_iter().chain(peers).map(Subject::Rival));
        // Another one begins in each round, so that the machine's drift favours none.
        let first = self.number as usize % subjects.len();
        subjects.rotate_left(first);
        let mut found = Vec::new();
        for subject in subjects {
            found.push((subject, self.at(runner, subject, load, capacity)?));
        }
        Ok(found)
    }

    /// Returns the capacity that rates are multiples of, per second: stated, or estimated.
    fn capacity(&self, runner: &mut Runner) -> Result<f64, Box<dyn Error>> {
        match self.spec.stated_capacity() {
            Some(stated) => Ok(stated),
            None => {
                let slo = self.spec.slo(&runner.settings);
                runner.probe(&self.spec.name, self.requests, slo, self.number)
            }
        }
    }

    /// Runs at a multiple of the capacity: Poisson arrivals, or the trace's own times sped up.
    fn at(
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
        let outcomes = &outcome.load.outcomes;
        outcome.goodput = outcomes.good as f64 / outcome.load.duration_seconds;
        outcome.throughput = (outcomes.good + outcomes.late) as f64 / outcome.load.duration_seconds;
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

    /// Returns the goodput per second of the hindsight oracle on this round's arrivals; `None`
    /// where demands vary.
    fn oracle(
        &self,
        runner: &Runner,
        costs: &Costs,
        rate: f64,
    ) -> Result<Option<f64>, Box<dyn Error>> {
        if !self.spec.is_deterministic() {
            return Ok(None);
        }
        let warm_up = runner.settings.warm_up;
        let measured = self.spec.duration(&runner.settings);
        // The generator draws the warm-up and the measured part as one profile.
        let profile = Profile::constant(rate, warm_up + measured)?;
        let arrivals = Arrivals::drawn(Process::Poisson, &profile, seed(self.number));
        let servers = self.spec.workers.map_or(1, |workers| workers.count);
        let service = f64::from(servers) / costs.capacity;
        let slo = self.spec.slo(&runner.settings).as_secs_f64();
        let arrivals = arrivals.map(|at| at as f64 / 1e9);
        let good = oracle(arrivals, servers as usize, service, slo, warm_up.as_secs_f64());
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

    /// Returns B of a run at `rate` planned requests per second.
    fn bounds(
        &self,
        runner: &Runner,
        costs: &Costs,
        ours: &RunOutcome,
        rate: f64,
    ) -> Result<Bounds, Box<dyn Error>> {
        let offered = ours.load.offered_per_second;
        let formula = match self.spec.workers {
            Some(_) => costs.bound_by_workers(offered),
            None => costs.bound(offered),
        };
        let Requests::Trace(trace) = self.requests else {
            let oracle = self.oracle(runner, costs, rate)?;
            let bound = oracle.map_or(formula, |oracle| formula.min(oracle));
            return Ok(Bounds { bound, waiting: None, oracle });
        };
        let warm_up = runner.settings.warm_up.as_secs_f64();
        let (best, waiting) = self.of_trace(trace, ours, warm_up);
        Ok(Bounds { bound: formula.min(best), waiting: Some(waiting), oracle: None })
    }

    /// Returns the goodput per second of an ideal server on recorded arrivals: that of B, and that
    /// of the best limit on waits.
    fn of_trace(&self, trace: &Trace, ours: &RunOutcome, warm_up: f64) -> (f64, f64) {
        let RunOutcome { load, usage, .. } = ours;
        // The cost of every request beside its own demand.
        let overhead = usage.front.map_or(0.0, |front| front / usage.served.max(1.0));
        // The warm-up is cut from the start of a trace.
        let speed = trace.duration().as_secs_f64() / (load.duration_seconds + warm_up);
        let jobs: Vec<Job> = jobs(trace, speed, overhead).collect();
        let slo = load.slo_seconds.first().copied().unwrap_or(f64::MAX);
        let waiting = best_wait(&jobs, slo, warm_up) as f64 / load.duration_seconds;
        if self.spec.demand_unknown {
            return (waiting, waiting);
        }
        let good = AdmissionRule::Clairvoyant.good(&jobs, slo, warm_up);
        (good as f64 / load.duration_seconds, waiting)
    }
}
