//! Building a graph, in two phases: stages are declared first and wired afterwards, so that an
//! edge can name any stage (cycles are just names) and all edges are known before any worker
//! exists.

mod check;
mod config;
mod core;
mod plan;
mod wire;

pub use config::{ClassConfig, GraphConfig, PoolConfig};
pub(crate) use core::GraphCore;
pub use wire::Wire;

use crate::clock::{Clock, MonotonicClock};
use crate::context::Context;
use crate::control::PoolSizePolicy;
use crate::error::GraphError;
use crate::handler::{FactoryError, Handler, each};
use crate::loss::LossReason;
use crate::pool::{Pool, WorkerRange};
use crate::runner::{AnyRunner, Runner, StageShare};
use crate::running::{Manual, Running};
use crate::source::Source;
use crate::stage::{AnyStage, Stage, StageConfig, StageCore};
use crate::sync::Arc;
use std::fmt;
use std::marker::PhantomData;

pub(crate) type MakeRunner = Box<dyn Fn(&Arc<StageShare>) -> Box<dyn AnyRunner> + Send + Sync>;

/// An edge: from a stage, or from outside, into a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Edge {
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    /// Its number among the edges into `to`.
    pub(crate) number: usize,
    pub(crate) waits: bool,
}

struct DeclaredStage {
    core: Arc<dyn AnyStage>,
    capacity: usize,
    config: StageConfig,
    /// `None`: a pool of its own.
    pool: Option<usize>,
    make: Option<MakeRunner>,
}

struct DeclaredPool {
    name: String,
    range: WorkerRange,
    hosted: bool,
}

/// Makes the policy of one pool, by the pool's name.
type MakePolicy = Box<dyn Fn(&str) -> Box<dyn PoolSizePolicy> + Send>;

/// A graph of stages that is being built.
///
/// ```
/// use seda_core::Graph;
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("lengths");
/// let measure = graph.stage::<String>("measure", 64);
/// let print = graph.stage::<usize>("print", 64);
/// graph.attach_each(measure, |wire| {
///     let print = wire.sink(print);
///     move |line, cx| {
///         if let Err(refused) = cx.send(&print, line.len()) {
///             eprintln!("{refused}");
///         }
///     }
/// })?;
/// graph.attach_each(print, |_wire| |length, _cx| println!("{length}"))?;
/// let lines = graph.source(measure)?;
/// let running = graph.start()?;
/// lines.send("four".to_owned())?;
/// let drained = running.drain(Duration::from_secs(5));
/// assert_eq!(drained.report.events.handled, 2);
/// # Ok(())
/// # }
/// ```
#[must_use = "a graph does nothing until it is started"]
pub struct Graph {
    core: Arc<GraphCore>,
    config: GraphConfig,
    classes: Vec<ClassConfig>,
    stages: Vec<DeclaredStage>,
    pools: Vec<DeclaredPool>,
    edges: Vec<Edge>,
    make_policy: Option<MakePolicy>,
}

impl Graph {
    /// An empty graph.
    pub fn new(name: &str) -> Self {
        Self {
            core: GraphCore::new(name),
            config: GraphConfig::default(),
            classes: vec![ClassConfig { name: "default".to_owned(), weight: 1 }],
            stages: Vec::new(),
            pools: Vec::new(),
            edges: Vec::new(),
            make_policy: None,
        }
    }

    /// Declares a stage that takes events of type `E` and queues up to `capacity` of them.
    pub fn stage<E: Send + 'static>(&mut self, name: &str, capacity: usize) -> Stage<E> {
        let index = self.stages.len();
        let core = StageCore::<E>::new(name, index, capacity, Arc::clone(&self.core));
        self.stages.push(DeclaredStage {
            core: Arc::new(core),
            capacity,
            config: StageConfig::default(),
            pool: None,
            make: None,
        });
        Stage { graph: self.core.id, index, event: PhantomData }
    }

    /// Declares a pool that stages can share.
    pub fn pool(&mut self, name: &str, workers: WorkerRange) -> Pool {
        self.declare_pool(name, workers, false)
    }

    /// Declares a pool of exactly `workers` workers that somebody else drives: a reactor between
    /// its polls. They are handed out by [`Running::hosted_workers`]. Its stages must not block.
    pub fn hosted_pool(&mut self, name: &str, workers: usize) -> Pool {
        self.declare_pool(name, WorkerRange::exactly(workers), true)
    }

    fn declare_pool(&mut self, name: &str, range: WorkerRange, hosted: bool) -> Pool {
        self.pools.push(DeclaredPool { name: name.to_owned(), range, hosted });
        Pool { graph: self.core.id, index: self.pools.len() - 1 }
    }

    /// Declares the classes of events, most important first, with their shares of a queue's
    /// takes. Without it there is one class.
    pub fn classes(&mut self, classes: &[(&str, u32)]) {
        let declared =
            classes.iter().map(|&(name, weight)| ClassConfig { name: name.to_owned(), weight });
        self.classes = declared.collect();
    }

    /// Sets how many events the whole graph may hold. Without it: half of what its queues hold
    /// together, and as much as the largest of them.
    pub fn budget(&mut self, events: usize) {
        self.config.budget = Some(events);
    }

    /// Sets what `config` says of a stage.
    ///
    /// # Errors
    /// [`GraphError::Foreign`] for a stage of another graph.
    pub fn configure<E>(&mut self, stage: Stage<E>, config: StageConfig) -> Result<(), GraphError> {
        let declared = self.declared(stage)?;
        declared.config = config.or(std::mem::take(&mut declared.config));
        Ok(())
    }

    /// Sets everything that `config` says; to be called after stages and pools are declared.
    ///
    /// # Errors
    /// [`GraphError::Unknown`] for a stage or pool that the graph does not have.
    pub fn apply(&mut self, config: GraphConfig) -> Result<(), GraphError> {
        for (name, settings) in &config.stages {
            let Some(stage) = self.stages.iter_mut().find(|stage| **stage.core.name() == **name)
            else {
                return Err(self.unknown(format!("stages.{name}"), "stage"));
            };
            stage.config = settings.clone().or(std::mem::take(&mut stage.config));
        }
        for (name, settings) in &config.pools {
            let Some(pool) = self.pools.iter_mut().find(|pool| pool.name == *name) else {
                return Err(self.unknown(format!("pools.{name}"), "pool"));
            };
            pool.range = settings.workers;
        }
        let budget = config.budget.or(self.config.budget);
        self.config = GraphConfig { budget, ..config };
        Ok(())
    }

    /// Replaces the pool-size policy; called once for each pool, with its name.
    pub fn pool_size_policy<P: PoolSizePolicy + 'static>(
        &mut self,
        make: impl Fn(&str) -> P + Send + 'static,
    ) {
        self.make_policy = Some(Box::new(move |pool| Box::new(make(pool))));
    }

    /// Gives a stage its handler and a pool of its own. `wire` runs once, declares the edges and
    /// returns the factory, which runs once per worker and may fail.
    ///
    /// # Errors
    /// If the stage has a handler already, or a token belongs to another graph.
    pub fn attach<E, H, F>(
        &mut self,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn() -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        self.attach_to(None, stage, wire)
    }

    /// Gives a stage a closure as its handler, and a pool of its own: the short form of
    /// [`Graph::attach`] for handlers that cannot fail to be made. Every worker gets a clone.
    ///
    /// # Errors
    /// As [`Graph::attach`].
    pub fn attach_each<E, F>(
        &mut self,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        F: FnMut(E, &mut Context) + Clone + Send + Sync + 'static,
    {
        self.attach(stage, |wiring| {
            let handle = wire(wiring);
            move || Ok(each(handle.clone()))
        })
    }

    /// Gives a stage a closure as its handler, in a pool that it shares with other stages.
    ///
    /// # Errors
    /// As [`Graph::attach_in`].
    pub fn attach_each_in<E, F>(
        &mut self,
        pool: &Pool,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        F: FnMut(E, &mut Context) + Clone + Send + Sync + 'static,
    {
        self.attach_in(pool, stage, |wiring| {
            let handle = wire(wiring);
            move || Ok(each(handle.clone()))
        })
    }

    /// Gives a stage its handler in a pool that it shares with other stages.
    ///
    /// # Errors
    /// If the stage has a handler already, or a token belongs to another graph.
    pub fn attach_in<E, H, F>(
        &mut self,
        pool: &Pool,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn() -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        if pool.graph != self.core.id {
            return Err(GraphError::Foreign { token: "pool" });
        }
        self.attach_to(Some(pool.index), stage, wire)
    }

    fn attach_to<E, H, F>(
        &mut self,
        pool: Option<usize>,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn() -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        let core = self.typed(stage)?;
        if self.declared(stage)?.make.is_some() {
            return Err(GraphError::AttachedTwice { stage: core.name.to_string() });
        }
        let mut wiring = Wire { graph: self, from: stage.index, foreign: false };
        let factory = Arc::new(wire(&mut wiring));
        if wiring.foreign {
            return Err(GraphError::Foreign { token: "stage" });
        }
        let declared = self.declared(stage)?;
        declared.pool = pool;
        declared.make = Some(Box::new(move |share| {
            Box::new(Runner::new(Arc::clone(&core), Arc::clone(share), Arc::clone(&factory)))
        }));
        Ok(())
    }

    /// Says who hears of a stage's accepted events that are given up. Without it they are
    /// dropped, which tells the owner of any responder inside.
    ///
    /// # Errors
    /// If it was said before, or the stage belongs to another graph.
    pub fn on_lost<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
        on_lost: impl Fn(E, LossReason) + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        let core = self.typed(stage)?;
        if core.set_on_lost(Box::new(on_lost)) {
            Ok(())
        } else {
            Err(GraphError::OnLostTwice { stage: core.name.to_string() })
        }
    }

    /// A way into `stage` from outside. Each source keeps a request ledger of its own, so give
    /// each busy thread one.
    ///
    /// # Errors
    /// If the stage belongs to another graph.
    pub fn source<E: Send + 'static>(&mut self, stage: Stage<E>) -> Result<Source<E>, GraphError> {
        let core = self.typed(stage)?;
        let number = self.edge(None, stage.index, false);
        Ok(Source::new(core, number))
    }

    /// Checks the graph and starts its workers and its controller.
    ///
    /// # Errors
    /// What is wrong with the graph, by name, or that the machine gives no thread.
    pub fn start(self) -> Result<Running, GraphError> {
        let (engine, warnings) = self.build(Arc::new(MonotonicClock::new()))?;
        Running::start(engine, warnings)
    }

    /// Checks the graph and gives it out to be stepped by hand, on `clock`, without threads.
    ///
    /// # Errors
    /// What is wrong with the graph, by name.
    pub fn start_manual(self, clock: Arc<dyn Clock>) -> Result<Manual, GraphError> {
        self.core.set_stepped();
        let (engine, warnings) = self.build(clock)?;
        Ok(Manual::start(engine, warnings))
    }

    /// The number, among the edges into `to`, of the edge from `from`; declared if it is new.
    fn edge(&mut self, from: Option<usize>, to: usize, waits: bool) -> usize {
        let known = self.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to));
        if let Some(edge) = known {
            edge.waits |= waits;
            return edge.number;
        }
        let number = self.stages.get(to).map_or(0, |stage| stage.core.add_edge());
        self.edges.push(Edge { from, to, number, waits });
        number
    }

    fn declared<E>(&mut self, stage: Stage<E>) -> Result<&mut DeclaredStage, GraphError> {
        let own = stage.graph == self.core.id;
        let declared = self.stages.get_mut(stage.index).filter(|_| own);
        declared.ok_or(GraphError::Foreign { token: "stage" })
    }

    pub(crate) fn typed<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<Arc<StageCore<E>>, GraphError> {
        let core = Arc::clone(&self.declared(stage)?.core);
        core.into_any().downcast().map_err(|_| GraphError::Foreign { token: "stage" })
    }

    fn unknown(&self, key: String, kind: &'static str) -> GraphError {
        let names: Vec<String> = match kind {
            "stage" => self.stages.iter().map(|stage| format!("`{}`", stage.core.name())).collect(),
            _ => self.pools.iter().map(|pool| format!("`{}`", pool.name)).collect(),
        };
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        GraphError::Unknown { key, kind, known }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Graph")
            .field("name", &self.core.name)
            .field("stages", &self.stages.len())
            .finish_non_exhaustive()
    }
}
