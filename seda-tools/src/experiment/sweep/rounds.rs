//! The rounds of a sweep.

use super::capacity::{self, NoCapacity};
use super::points::points;
use super::report::{LambdaMax, Round, Run, Spread, StagePoint, SweepReport};
use crate::generator::Series;
use crate::load::arrivals::{Process, Profile, ProfileError};
use crate::load::plan::Pace;
use crate::report::LoadReport;
use std::time::Duration;
use thiserror::Error;

/// A sweep: which loads, for how long, how often.
#[derive(Clone, Debug)]
pub struct SweepPlan {
    /// What to call it where several are laid side by side.
    pub name: String,
    /// Where the load goes; for the report.
    pub url: String,
    /// What was typed; for the report.
    pub command: String,
    /// Loads, as multiples of the capacity, ascending.
    pub multiples: Vec<f64>,
    /// Rounds.
    pub repeat: u32,
    /// How arrivals are spread.
    pub process: Process,
    /// The measured part of each load.
    pub duration: Duration,
    /// Before it: the server has to fill its queues first.
    pub warm_up: Duration,
    /// Behind it: so that the last requests are answered under the same load.
    pub cool_down: Duration,
    /// Tightest first; one at least.
    pub slos: Vec<Duration>,
    /// When a client gives up.
    pub deadline: Duration,
    /// A capacity that is known: no probe.
    pub capacity: Option<f64>,
    /// What lies between loads.
    pub rest: Rest,
}

/// What lies between two loads, so that the next does not meet what is left of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rest {
    /// A pause, whatever the server is like.
    pub least: Duration,
    /// How long a server gets to settle: to serve a single client within the SLO again. Past it
    /// the next load begins all the same. Zero: it is not tried.
    pub most: Duration,
}

impl Default for Rest {
    /// Half a second, and 20 s to settle: some servers work through abandoned requests for five
    /// seconds and more.
    fn default() -> Self {
        Self { least: Duration::from_millis(500), most: Duration::from_secs(20) }
    }
}

/// Runs one load against a server.
pub trait Rig {
    /// Why a load could not be run.
    type Error: std::error::Error;

    /// Runs a load; `words` say which, for a progress line.
    ///
    /// # Errors
    /// It could not be run. A server that does not answer is no error.
    fn run(&mut self, words: &str, load: &Load) -> Result<Measured, Self::Error>;

    /// Lets time pass.
    fn rest(&mut self, time: Duration);
}

/// One load of a sweep.
#[derive(Clone, Debug)]
pub struct Load {
    /// When requests start.
    pub pace: Pace,
    /// A part before the measured one.
    pub warm_up: Duration,
    /// A part behind it.
    pub cool_down: Duration,
    /// Which repetition: loads of another round are drawn anew.
    pub round: u32,
}

/// What a load came to.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Measured {
    /// What the generator saw.
    pub load: LoadReport,
    /// Where the server is seda's: its stages.
    pub stages: Vec<StagePoint>,
    /// The time series, where one was asked for.
    pub series: Option<Series>,
    /// From the run's begin until its last request had ended.
    pub elapsed: Duration,
    /// Why the server's process could not be watched to the end: most likely it is gone.
    pub unwatched: Option<String>,
}

impl Measured {
    /// What the generator saw, of a server that has no stages to show.
    pub fn of(load: LoadReport) -> Self {
        Self { load, ..Self::default() }
    }
}

/// Why a sweep came to nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError<E: std::error::Error> {
    /// A load could not be run.
    #[error(transparent)]
    Rig(E),
    /// There is no capacity to take multiples of.
    #[error(transparent)]
    NoCapacity(#[from] NoCapacity),
    /// A multiple of the capacity is no rate.
    #[error(transparent)]
    Rate(#[from] ProfileError),
    /// It was ended before its time, and there is nothing to show.
    #[error("ended before the first round was through: there is nothing to show")]
    Interrupted,
}

/// How long a single client tries whether the server has settled.
const TRIAL: Duration = Duration::from_millis(250);

/// Carries a sweep out. If it is interrupted, what is whole is reported: full rounds only.
///
/// # Errors
/// A load could not be run, or the server gave no good answer at all.
pub fn sweep<R: Rig>(plan: &SweepPlan, rig: &mut R) -> Result<SweepReport, SweepError<R::Error>> {
    let mut rounds = Vec::new();
    for number in 0..plan.repeat.max(1) {
        match round(plan, rig, number)? {
            Some(round) => rounds.push(round),
            None => break,
        }
    }
    if rounds.is_empty() { Err(SweepError::Interrupted) } else { Ok(pool(plan, rounds)) }
}

/// What rounds have in common that were run one by one, each by a sweep of its own: so rounds of
/// several servers can take turns.
pub fn pool(plan: &SweepPlan, rounds: Vec<Round>) -> SweepReport {
    let capacity = rounds.iter().map(|round| round.capacity_per_second);
    let mut report = SweepReport {
        name: plan.name.clone(),
        url: plan.url.clone(),
        command: plan.command.clone(),
        slo_seconds: plan.slos.iter().map(Duration::as_secs_f64).collect(),
        deadline_seconds: plan.deadline.as_secs_f64(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        capacity_per_second: Spread::of(capacity).unwrap_or_default(),
        lambda_max: lambda_max(&rounds, plan),
        points: points(&rounds, plan),
        rounds,
    };
    report.shorten();
    report
}

/// One round; `None` if it was interrupted.
fn round<R: Rig>(
    plan: &SweepPlan,
    rig: &mut R,
    number: u32,
) -> Result<Option<Round>, SweepError<R::Error>> {
    let words = format!("round {} of {}, ", number + 1, plan.repeat);
    let mut best = 0.0_f64;
    let probed = match plan.capacity {
        Some(known) => known,
        None => {
            let Some(probed) = capacity::probe(plan, rig, &words, number)? else {
                return Ok(None);
            };
            best = probed.best;
            probed.knee
        }
    };
    let mut runs = Vec::new();
    for multiple in &plan.multiples {
        let load = plan.open(probed * multiple, plan.duration, number)?;
        let label = format!("{words}{multiple}x = {:.0}/s: ", probed * multiple);
        let measured = rig.run(&label, &load).map_err(SweepError::Rig)?;
        if measured.load.interrupted {
            return Ok(None);
        }
        best = best.max(measured.load.goodput_per_second);
        let settled_after = settle(rig, plan.rest, &words, number)?;
        let Measured { load, stages, unwatched, .. } = measured;
        runs.push(Run { multiple: *multiple, load, settled_after, unwatched, stages });
    }
    Ok(Some(Round { probed_per_second: probed, capacity_per_second: best, runs }))
}

/// Waits until a single client is served within the SLO; how many seconds that took.
pub(crate) fn settle<R: Rig>(
    rig: &mut R,
    rest: Rest,
    words: &str,
    round: u32,
) -> Result<f64, SweepError<R::Error>> {
    let pace = Pace::Closed { clients: 1, think: Duration::from_millis(5), duration: TRIAL };
    let load = Load { pace, warm_up: Duration::ZERO, cool_down: Duration::ZERO, round };
    let mut waited = Duration::ZERO;
    while waited < rest.most {
        let tried = rig.run(&format!("{words}settling: "), &load).map_err(SweepError::Rig)?;
        let outcomes = tried.load.outcomes;
        if tried.load.interrupted || outcomes.good == outcomes.scheduled {
            break;
        }
        waited += tried.elapsed.max(TRIAL);
    }
    rig.rest(rest.least);
    Ok(waited.as_secs_f64())
}

impl SweepPlan {
    pub(super) fn open(
        &self,
        rate: f64,
        duration: Duration,
        round: u32,
    ) -> Result<Load, ProfileError> {
        let profile = Profile::constant(rate, duration)?;
        let pace = Pace::Open { process: self.process, profile };
        Ok(Load { pace, warm_up: self.warm_up, cool_down: self.cool_down, round })
    }
}

/// The most load that kept the SLO in each round.
fn lambda_max(rounds: &[Round], plan: &SweepPlan) -> Option<LambdaMax> {
    let slo = plan.slos.first()?.as_secs_f64();
    let kept = |run: &&Run| {
        let load = &run.load;
        load.response_seconds.p99.is_some_and(|p99| p99 <= slo)
            && load.outcomes.good as f64 >= 0.99 * load.outcomes.scheduled as f64
    };
    let most = |round: &Round| {
        let kept = round.runs.iter().filter(kept);
        kept.map(|run| run.load.offered_per_second).max_by(f64::total_cmp)
    };
    let per_second = Spread::of(rounds.iter().filter_map(most))?;
    let definition = format!(
        "the highest of the offered loads at which 99 % of what was scheduled was answered right \
         within {}",
        crate::report::units::seconds(slo)
    );
    Some(LambdaMax { per_second, definition })
}

impl SweepReport {
    /// Leaves out of the runs what nobody reads by the hundred.
    fn shorten(&mut self) {
        for run in self.rounds.iter_mut().flat_map(|round| &mut round.runs) {
            run.load.windows.clear();
            run.load.series.clear();
        }
    }
}

#[cfg(test)]
#[path = "rounds_tests.rs"]
mod tests;
