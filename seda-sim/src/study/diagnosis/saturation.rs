//! The rate at which a graph is full.

use super::path::slowed;
use crate::model::error::SimError;
use crate::run::watch;
use crate::spec::capacity::Capacity;
use crate::spec::{ArrivalsSpec, ClientSpec, Fault, Spec};
use seda_core::{Balance, Mode, Report, SloConfig, WorkerRange};
use std::time::Duration;

/// The fewest clients; with many more than workers, the scarcest stage never runs dry.
const CLIENTS: usize = 300;
/// Clients for each worker.
const PER_WORKER: usize = 4;
/// Events of a stage in the window: their mean demand is known within 1.5 %, if it is exponential.
const REQUESTS: f64 = 5_000.0;
/// The visits of a rare stage; for fewer the window is not longer.
const RAREST: f64 = 0.2;
/// Attempts that a bound may refuse, as a multiple of what the workers can do.
const ATTEMPTS: f64 = 3.0;
/// Looks in the window; the first one begins the count of a stage's events.
const LOOKS: u32 = 20;
/// From this number of queued events on, a stage has a pile: a chance queue is shorter.
const PILE: u64 = 30;
/// The thinking time of a client where nothing is refused.
const THINK: Duration = Duration::from_millis(1);

/// Returns the requests per second that a graph answers when it is full, found by simulation.
///
/// A closed loop of many clients fills the scarcest resource, and no work is lost on the way: by
/// the asymptotic bound of such a loop, its throughput is that of the scarcest resource (Denning &
/// Buzen 1978). Controllers are off, pools have their largest size, queues have room for all, and
/// faults last for ever. Declared rates and budgets stay; what they refuse comes again.
pub(super) fn saturation(spec: &Spec) -> Result<f64, SimError> {
    let full = full(spec);
    let mut looks = Vec::new();
    let report = watch(&full, full.seed, full.window / LOOKS, |seconds, report| {
        looks.push(Seen::of(seconds, report));
    })?;
    let served =
        looks.first().zip(looks.last()).and_then(|(first, last)| last.served(first, &full));
    Ok(served.unwrap_or(report.goodput_per_second))
}

/// The stages at one moment.
struct Seen {
    seconds: f64,
    /// By queue: the handled and the queued events.
    stages: Vec<(String, u64, u64)>,
}

impl Seen {
    fn of(seconds: f64, report: &Report) -> Self {
        let stages = report.stages.iter();
        let stages = stages.map(|stage| (stage.name.clone(), stage.handled, stage.queued));
        Self { seconds, stages: stages.collect() }
    }

    /// Returns the requests per second, since the look `then`, that a queue on a branch can serve,
    /// if clients pile up there. While they still come together, the requests that pass it by are
    /// more than in the long run. `None` if all requests go through the queue with the pile.
    fn served(&self, then: &Seen, spec: &Spec) -> Option<f64> {
        let (name, handled, queued) = self.stages.iter().max_by_key(|(_, _, queued)| *queued)?;
        let visits = own_visits(name, spec)?;
        let (_, before, _) = then.stages.iter().find(|(before, ..)| before == name)?;
        let seconds = self.seconds - then.seconds;
        let is_piled = *queued >= PILE && visits < 1.0;
        is_piled.then(|| (handled - before) as f64 / seconds / visits)
    }
}

/// Returns the mean visits of a request to a queue with workers of its own; `None` where its
/// siblings choose them, or its pool is shared.
fn own_visits(queue: &str, spec: &Spec) -> Option<f64> {
    let visits = Capacity::of(spec).visits;
    let mut stages = spec.stages.iter().zip(&visits);
    let (stage, visits) = stages.find(|(stage, _)| {
        stage.pool.is_none() && stage.queue_names().iter().any(|name| name == queue)
    })?;
    match stage.replicas {
        None => Some(*visits),
        Some(count) if stage.balance == Some(Balance::RoundRobin) => Some(visits / count as f64),
        Some(_) => None,
    }
}

/// Returns the graph under such a load.
fn full(spec: &Spec) -> Spec {
    let mut full = spec.clone();
    // The graph: nothing is lost.
    full.graph.control.set_mode(Mode::Off);
    full.graph.slo = SloConfig::default();
    full.classes.iter_mut().for_each(|class| (class.rate, class.deadline) = (None, None));
    for fault in &mut full.faults {
        if let Fault::Slow { from, to, .. } = fault {
            (*from, *to) = (Duration::ZERO, None);
        }
    }
    full.stages.iter_mut().filter_map(|stage| stage.workers.as_mut()).for_each(largest);
    full.pools.iter_mut().for_each(|pool| largest(&mut pool.workers));
    for config in full.graph.stages.values_mut().filter(|config| config.outstanding.is_some()) {
        config.outstanding = config.pending.or(config.outstanding);
    }
    // The clients.
    let own = full.stages.iter().map(|stage| {
        let is_own = usize::from(stage.pool.is_none());
        stage.workers.map_or(is_own, |workers| workers.max) * stage.replicas.unwrap_or(1)
    });
    let workers =
        own.sum::<usize>() + full.pools.iter().map(|pool| pool.workers.max).sum::<usize>();
    let clients = CLIENTS.max(PER_WORKER * workers);
    let capacity = Capacity::of(&slowed(&full)).per_second;
    let is_bounded = spec.graph.budget.is_some()
        || spec.graph.stages.values().any(|config| config.rate.is_some());
    let think = if is_bounded {
        Duration::from_secs_f64(clients as f64 / (ATTEMPTS * capacity))
    } else {
        THINK
    };
    full.arrivals = ArrivalsSpec::default();
    full.client = ClientSpec { clients: clients as u32, think, ..ClientSpec::default() };
    for stage in &mut full.stages {
        stage.capacity = (clients + 1) * stage.replicas.unwrap_or(1);
    }
    // The time: all clients have come to the scarcest resource before the window.
    full.warm_up = think + Duration::from_secs_f64(clients as f64 / capacity) + THINK * 500;
    let visits = Capacity::of(&full).visits.into_iter().fold(1.0, f64::min);
    let requests = REQUESTS * variance(&full) / visits.max(RAREST);
    full.window = Duration::from_secs_f64(requests / capacity);
    full.cool_down = Duration::ZERO;
    full.slo = None;
    full
}

fn largest(workers: &mut WorkerRange) {
    *workers = WorkerRange::exactly(workers.max);
}

/// Returns the largest squared coefficient of variation of a demand, and 1 at least.
fn variance(spec: &Spec) -> f64 {
    let demands =
        spec.stages.iter().flat_map(|stage| [Some(&stage.demand), stage.outside.as_ref()]);
    let moments = demands.flatten().map(|demand| demand.moments());
    let all = moments.map(|moments| moments.mean_square / (moments.mean * moments.mean) - 1.0);
    all.fold(1.0, f64::max)
}
