//! A graph that can run: stages with their pools, and what hires, watches and sizes workers.
//!
//! Data flows one way: workers write books, the [`Monitor`] collects them on the tick, policies
//! read what it saw and the engine sets what they decide. Nothing here is on an event's way.

use crate::config::{ClassConfig, Declaration, PerClass, Settings};
use crate::control::Episodes;
use crate::control::admission::{AdmissionLaw, Feasibility, Limiter};
use crate::control::batch_size::Batching;
use crate::control::hotspot::Hotspot;
use crate::control::pool_size::{PoolSizePolicy, Sizing};
use crate::monitor::Monitor;
use crate::monitor::metrics::Export;
use crate::monitor::report::Report;
use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Time, catch_panic};
use crate::pool::{PoolCore, StageSlots};
use crate::stage::{AnyStage, Controller, Decision, GraphShared};
use crate::worker::context::Context;
use crate::worker::{AnyRunner, Worker};
use std::fmt;
use std::time::Duration;

/// A stage, ready to run.
pub(crate) struct StagePlan {
    pub(crate) core: Arc<dyn AnyStage>,
    pub(crate) share: Arc<StageSlots>,
    pub(crate) pool: usize,
    pub(crate) make: Option<MakeRunner>,
}

/// A pool, ready to run.
pub(crate) struct PoolPlan {
    pub(crate) core: Arc<PoolCore>,
    /// Which stages it runs.
    pub(crate) stages: Vec<usize>,
    /// The program's own; `None`: the default one.
    pub(crate) policy: Option<Box<dyn PoolSizePolicy>>,
}

/// A pool with its policy taken out, to be shared.
pub(crate) struct RunningPool {
    pub(crate) core: Arc<PoolCore>,
    pub(crate) stages: Vec<usize>,
}

/// Makes a stage's law of admission for one class, by the stage's name.
pub(crate) type MakeLaw = Box<dyn Fn(&str) -> Box<dyn AdmissionLaw> + Send + Sync>;

/// The policies of stages; those of pools come with their plans.
pub(crate) struct StagePolicies {
    /// By stage.
    pub(crate) batchings: Vec<Batching>,
    /// The program's own; `None`: as `control.law` says.
    pub(crate) law: Option<MakeLaw>,
}

pub(crate) struct Engine {
    pub(crate) core: Arc<GraphShared>,
    pub(crate) stages: Vec<StagePlan>,
    pub(crate) pools: Vec<RunningPool>,
    pub(crate) edges: Vec<Edge>,
    pub(crate) declared: Declaration,
    /// The settings in force, replaced as a whole.
    settings: Mutex<Arc<Settings>>,
    monitor: Mutex<Monitor>,
    /// Held while policies decide, by the tick alone.
    pub(crate) policies: Mutex<Vec<Sizing>>,
    /// What sizes the places outside, by stage; as many as there are once there was a tick.
    pub(crate) places: Mutex<Vec<Sizing>>,
    /// By stage; used by the tick alone.
    pub(crate) batchings: Mutex<Vec<Batching>>,
    /// The program's own law of admission.
    pub(crate) law: Option<MakeLaw>,
    /// By stage; as many as there are once something was promised. Used by the tick alone.
    pub(crate) limiters: Mutex<Vec<Limiter>>,
    /// By declared route and class, whether its stages together can keep the promise. Used by the
    /// tick alone.
    pub(crate) route_feasibility: Mutex<Vec<PerClass<Feasibility>>>,
    /// By stage; used by the tick alone.
    pub(crate) standing: Mutex<Vec<Episodes>>,
    /// By pool; used by the tick alone.
    pub(crate) hotspots: Mutex<Vec<Hotspot>>,
}

impl Engine {
    pub(crate) fn new(
        core: Arc<GraphShared>,
        stages: Vec<StagePlan>,
        policies: StagePolicies,
        pools: Vec<PoolPlan>,
        edges: Vec<Edge>,
        declared: Declaration,
        settings: Settings,
    ) -> Arc<Self> {
        let monitor = Monitor::new(stages.len(), core.now());
        let StagePolicies { batchings, law } = policies;
        let (pools, policies) = pools
            .into_iter()
            .map(|PoolPlan { core, stages, policy }| {
                (RunningPool { core, stages }, Sizing::new(policy, &settings.control))
            })
            .unzip();
        let engine = Arc::new(Self {
            core,
            stages,
            pools,
            edges,
            declared,
            settings: Mutex::new(Arc::new(settings)),
            monitor: Mutex::new(monitor),
            policies: Mutex::new(policies),
            places: Mutex::default(),
            batchings: Mutex::new(batchings),
            law,
            limiters: Mutex::default(),
            route_feasibility: Mutex::default(),
            standing: Mutex::default(),
            hotspots: Mutex::default(),
        });
        engine.set_first_limits();
        engine
    }

    pub(crate) fn now(&self) -> Time {
        self.core.now()
    }

    /// The settings in force.
    pub(crate) fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock())
    }

    /// Replaces the settings by what `replace` makes of them, while nobody collects or reports:
    /// a tick and a report see all of them or none. Changes come one after the other.
    pub(crate) fn replace_settings<T, E>(
        &self,
        replace: impl FnOnce(&Settings) -> Result<(Settings, T), E>,
    ) -> Result<T, E> {
        let _quiet = self.monitor.lock();
        let (settings, result) = replace(&self.settings())?;
        *self.settings.lock() = Arc::new(settings);
        Ok(result)
    }

    pub(crate) fn classes(&self) -> &[ClassConfig] {
        &self.declared.classes
    }

    /// The pool that runs a stage, and the stage's place in it.
    pub(crate) fn pool_of(&self, stage: usize) -> Option<(&RunningPool, usize)> {
        let pool = self.pools.get(self.stages.get(stage)?.pool)?;
        let place = pool.stages.iter().position(|member| *member == stage)?;
        Some((pool, place))
    }

    /// Makes one more worker for the pool at `index`, if it should have one.
    pub(crate) fn add_worker(&self, index: usize) -> Option<Worker> {
        let pool = self.pools.get(index)?;
        let book = pool.core.add_worker(pool.stages.len())?;
        let members = pool.stages.iter().filter_map(|stage| self.stages.get(*stage));
        let runners: Vec<Box<dyn AnyRunner>> = members
            .filter_map(|stage| Some((stage.make.as_ref()?)(&stage.share, book.number)))
            .collect();
        let core = Arc::clone(&self.core);
        let cx = Context::new(core, book, Arc::clone(&pool.core), self.edges.len());
        Some(Worker::new(Arc::clone(&pool.core), runners, cx))
    }

    /// One tick of the control plane: collect, watch, size, export. What others may replace, the
    /// policies and the recorder of metrics, runs when the monitor's lock is free again. Policies
    /// decide about ticks that have a length.
    pub(crate) fn tick(&self) {
        self.journal_evictions();
        let now = self.now();
        let mut monitor = self.monitor.lock();
        let settings = self.settings();
        monitor.collect(self, now);
        self.watch(now, settings.control.stuck_after);
        if !monitor.has_length() {
            let exported = Export::of(self, &monitor);
            drop(monitor);
            return self.export(exported);
        }
        let seen: Vec<_> =
            (0..self.pools.len()).map(|pool| monitor.observe_pool(self, pool)).collect();
        let sights = settings.admits().then(|| {
            let stages = settings.stages.iter().enumerate();
            stages
                .map(|(stage, set)| monitor.observe_stage(self, stage, &seen, set.pending))
                .collect()
        });
        let batches: Vec<_> =
            (0..self.stages.len()).map(|stage| monitor.observe_batches(self, stage)).collect();
        let places = monitor.observe_outstanding(self, &settings);
        let standing = monitor.observe_standing();
        let exported = Export::of(self, &monitor);
        monitor.close_tick(now);
        drop(monitor);
        self.journal_hotspots(&seen, &settings);
        self.journal_aqm(&standing, &settings);
        if !self.core.is_draining() {
            self.size_pools(&seen, &settings);
            self.size_outstanding(&places, &settings);
        }
        self.size_batches(&batches, &settings);
        self.set_limits(sights, &settings);
        self.export(exported);
    }

    fn export(&self, exported: Export) {
        if catch_panic(|| exported.record()).is_none() {
            tracing::error!("the recorder of metrics panicked");
        }
    }

    /// Collects what was written down so far; to be called before the workers are ended.
    pub(crate) fn collect(&self) {
        self.monitor.lock().collect(self, self.now());
    }

    /// Everything as it is now, with rates over the last second or so.
    pub(crate) fn report(&self) -> Report {
        self.journal_evictions();
        let mut monitor = self.monitor.lock();
        monitor.collect(self, self.now());
        Report::of_window(self, &monitor)
    }

    /// Everything as it is now, with rates over the graph's whole life.
    pub(crate) fn final_report(&self) -> Report {
        self.journal_evictions();
        let mut monitor = self.monitor.lock();
        monitor.collect(self, self.now());
        Report::of_life(self, &monitor)
    }

    /// Writes off workers that have been in one event for too long, so that they are replaced.
    fn watch(&self, now: Time, limit: Duration) {
        for pool in &self.pools {
            for book in pool.core.workers() {
                let Some((place, since)) = book.running() else {
                    continue;
                };
                if now.since(since) < limit || book.is_marked_stuck() {
                    continue;
                }
                pool.core.mark_stuck(&book);
                let stage = pool.stages.get(place).and_then(|stage| self.stages.get(*stage));
                let name = stage.map_or("?", |stage| stage.core.name());
                let (live, stuck) = (pool.core.live(), pool.core.stuck());
                tracing::error!(stage = %name, worker = book.number, "a handler does not return");
                self.core.journal.write(Decision {
                    at_seconds: now.as_secs_f64(),
                    controller: Controller::Watch,
                    stage: Some(name.to_owned()),
                    seen: format!(
                        "worker {} of `{name}` has been in one event for {:?}",
                        book.number,
                        now.since(since)
                    ),
                    action: "wrote it off as stuck and replaced it within the limit".to_owned(),
                    changed: format!("workers {} → {live}, stuck {stuck}", live + 1),
                    acted: true,
                });
            }
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("graph", &self.core.name).finish_non_exhaustive()
    }
}

pub(crate) type MakeRunner =
    Box<dyn Fn(&Arc<StageSlots>, usize) -> Box<dyn AnyRunner> + Send + Sync>;

/// An edge: from a stage, or from outside, into a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    /// Its number among the edges into `to`.
    pub(crate) number: usize,
    pub(crate) waits: bool,
}
