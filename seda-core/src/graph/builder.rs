//! The builder of a graph.
//!
//! It works in two phases: stages are declared first and wired afterwards. So an edge can name any
//! stage (cycles need nothing special), and all edges are known before the first worker exists.

use crate::config::{
    ClassConfig, Declaration, GraphConfig, GraphError, PoolDeclaration, SloConfig, StageConfig,
    StageDeclaration, WorkerRange,
};
use crate::control::{AdmissionLaw, BatchSizePolicy, PoolSizePolicy};
use crate::event::{LossReason, shard_of};
use crate::graph::declared_stage::DeclaredStage;
use crate::graph::policy_factories::PolicyFactories;
use crate::graph::replicated::Replicated;
use crate::monitor::Edge;
use crate::platform::sync::Arc;
use crate::platform::{Clock, MonotonicClock};
use crate::pool::Pool;
use crate::runtime::{Manual, Running};
use crate::stage::ports::{Replica, Source};
use crate::stage::{GraphShared, Stage, StageCore};
use bytesize::ByteSize;
use std::fmt;
use std::hash::Hash;
use std::marker::PhantomData;

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
    pub(super) core: Arc<GraphShared>,
    /// The settings of a file; they take precedence over settings in code.
    pub(super) config: GraphConfig,
    pub(super) budget: Option<usize>,
    pub(super) budget_bytes: Option<ByteSize>,
    pub(super) slo: SloConfig,
    pub(super) classes: Vec<ClassConfig>,
    pub(super) stages: Vec<DeclaredStage>,
    pub(super) pools: Vec<PoolDeclaration>,
    pub(super) replicated: Vec<Replicated>,
    /// The number of sources of replicated stages, which seeds their balancers.
    pub(super) sources: u64,
    pub(super) edges: Vec<Edge>,
    /// The stages of each declared route.
    pub(super) routes: Vec<Box<[usize]>>,
    pub(super) policies: PolicyFactories,
}

impl Graph {
    /// Returns an empty graph.
    pub fn new(name: &str) -> Self {
        Self {
            core: GraphShared::new(name),
            config: GraphConfig::default(),
            budget: None,
            budget_bytes: None,
            slo: SloConfig::default(),
            classes: vec![ClassConfig { name: "default".to_owned(), weight: 1 }],
            stages: Vec::new(),
            pools: Vec::new(),
            replicated: Vec::new(),
            sources: 0,
            edges: Vec::new(),
            routes: Vec::new(),
            policies: PolicyFactories::default(),
        }
    }

    /// Declares a stage that takes events of type `E` and queues at most `capacity` of them.
    pub fn stage<E: Send + 'static>(&mut self, name: &str, capacity: usize) -> Stage<E> {
        let core = StageCore::<E>::new(name, self.stages.len(), capacity, Arc::clone(&self.core));
        self.declare_stage(core, capacity, None)
    }

    /// Stores a stage; `servers` is the number of its workers if it is replicated.
    pub(super) fn declare_stage<E: Send + 'static>(
        &mut self,
        core: StageCore<E>,
        capacity: usize,
        servers: Option<usize>,
    ) -> Stage<E> {
        let stage = Stage { graph: self.core.id, index: core.index, event: PhantomData };
        self.stages.push(DeclaredStage {
            core: Arc::new(core),
            capacity,
            config: StageConfig::default(),
            servers,
            pool: None,
            make: None,
        });
        stage
    }

    /// Declares a pool that stages can share.
    pub fn pool(&mut self, name: &str, workers: WorkerRange) -> Pool {
        self.declare_pool(name, workers, false)
    }

    /// Declares a pool of exactly `workers` workers that run on threads of the user, for example a
    /// reactor between its polls. [`Running::hosted_workers`] returns them. Its stages must not
    /// block.
    pub fn hosted_pool(&mut self, name: &str, workers: usize) -> Pool {
        self.declare_pool(name, WorkerRange::exactly(workers), true)
    }

    fn declare_pool(&mut self, name: &str, range: WorkerRange, hosted: bool) -> Pool {
        self.pools.push(PoolDeclaration { name: name.to_owned(), range, hosted });
        Pool { graph: self.core.id, index: self.pools.len() - 1 }
    }

    /// Declares the classes of events, most important first, each with its share of a queue's
    /// takes. Default: one class.
    pub fn classes(&mut self, classes: &[(&str, u32)]) {
        let declared =
            classes.iter().map(|&(name, weight)| ClassConfig { name: name.to_owned(), weight });
        self.classes = declared.collect();
    }

    /// Sets the maximum number of events in the whole graph. Default: half of the sum of all
    /// capacities, and at least the largest of them.
    pub fn budget(&mut self, events: usize) {
        self.budget = Some(events);
    }

    /// Sets the number of cores that the controllers assume, for graphs with simulated service.
    /// Default: the cores of this process.
    pub fn cores(&mut self, cores: usize) {
        self.core.set_cores(cores);
    }

    /// Sets the maximum number of bytes in the whole graph, counted at stages that
    /// [weigh](Graph::weigh) their events. Default: 256 MiB.
    pub fn budget_bytes(&mut self, bytes: u64) {
        self.budget_bytes = Some(ByteSize::b(bytes));
    }

    /// Configures a stage. The settings of a replicated stage apply to all replicas together:
    /// capacities and the limit of pending events are divided among them.
    ///
    /// # Errors
    /// [`GraphError::Foreign`] for a stage of another graph.
    pub fn configure<E>(&mut self, stage: Stage<E>, config: StageConfig) -> Result<(), GraphError> {
        self.declared(stage)?;
        self.configure_members(stage, &config);
        Ok(())
    }

    /// Applies the settings of a file; call it after stages, pools and classes are declared. They
    /// take precedence over code ([`Graph::configure`], [`Graph::budget`] and the declarations),
    /// and replace those of an earlier call.
    ///
    /// # Errors
    /// [`GraphError::Settings`] for a stage, a pool or a class that the graph does not have.
    pub fn apply(&mut self, config: GraphConfig) -> Result<(), GraphError> {
        self.declaration().check_names(&config)?;
        self.config = config;
        Ok(())
    }

    /// Sets the SLO; an SLO in a file takes precedence. Admission then limits requests so that the
    /// SLO can be met.
    pub fn slo(&mut self, slo: SloConfig) {
        self.slo = slo;
    }

    /// Makes `stage` a keyed stage: events of one key are handled one at a time, in the order of
    /// their sends, with any number of workers.
    ///
    /// Keys are spread over [`SHARDS`](crate::event::SHARDS) shards. A shard belongs to one worker
    /// at a time, and moves to another only when none of its events is in hand, deferred or held. A
    /// key that is too busy for one worker therefore delays its whole shard:
    /// [`busiest_shard_share`](crate::monitor::report::StageReport::busiest_shard_share) shows it.
    ///
    /// A deferred event keeps its shard until it completes, but the other events of its batch go
    /// on: set the stage's `batch` to 1 where completions must be in order too. There is no order
    /// between classes.
    ///
    /// `key` is called once per send, on the sender's thread; it should be cheap and not panic.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use seda_core::Graph;
    /// struct Transfer { account: u64, cents: i64 }
    /// let mut graph = Graph::new("bank");
    /// let book = graph.stage::<Transfer>("book", 1_024);
    /// graph.keyed(book, |transfer| transfer.account)?;
    /// graph.attach_each(book, |_wire| |transfer, _cx| println!("{}", transfer.cents))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`GraphError::ExtractorSetTwice`]; [`GraphError::KeyedReplicas`] if each replica has a queue
    /// of its own; [`GraphError::Foreign`].
    pub fn keyed<E: Send + 'static, K: Hash>(
        &mut self,
        stage: Stage<E>,
        key: impl Fn(&E) -> K + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        let core = self.typed(stage)?;
        if let Some(replicated) = self.replicated(stage) {
            return Err(GraphError::KeyedReplicas { stage: replicated.name.clone() });
        }
        if core.set_keyed(Box::new(move |event| shard_of(key(event)))) {
            Ok(())
        } else {
            Err(GraphError::ExtractorSetTwice { stage: core.name.to_string(), question: "key" })
        }
    }

    /// Makes `stage` weigh its events, in bytes: they count in the graph's
    /// [byte budget](Graph::budget_bytes) from their send until their end at this stage.
    ///
    /// An event that does not fit is refused for [`Budget`](crate::event::RefusalReason::Budget),
    /// and one that can never fit for [`TooLarge`](crate::event::RefusalReason::TooLarge). Weights
    /// are rounded up by less than 0.1 %. `bytes` is called once per send, on the sender's thread;
    /// it should be cheap and not panic.
    ///
    /// # Errors
    /// [`GraphError::ExtractorSetTwice`], or [`GraphError::Foreign`].
    pub fn weigh<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
        bytes: impl Fn(&E) -> usize + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        let bytes = Arc::new(bytes);
        for member in self.members(stage).collect::<Vec<_>>() {
            let (core, bytes) = (self.typed(member)?, Arc::clone(&bytes));
            if !core.set_weighing(Box::new(move |event| bytes(event))) {
                let stage = core.name.to_string();
                return Err(GraphError::ExtractorSetTwice { stage, question: "weight" });
            }
        }
        Ok(())
    }

    /// Sets the function that receives each accepted event that the stage sheds. Without it the
    /// event is dropped; a responder inside then notifies its owner.
    ///
    /// # Errors
    /// [`GraphError::OnLostTwice`], or [`GraphError::Foreign`].
    pub fn on_lost<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
        on_lost: impl Fn(E, LossReason) + Send + Sync + 'static,
    ) -> Result<(), GraphError> {
        self.declared(stage)?;
        let on_lost = Arc::new(on_lost);
        for member in self.members(stage) {
            let (core, on_lost) = (self.typed(member)?, Arc::clone(&on_lost));
            if !core.set_on_lost(Box::new(move |event, reason| on_lost(event, reason))) {
                return Err(GraphError::OnLostTwice { stage: core.name.to_string() });
            }
        }
        Ok(())
    }

    /// Replaces the pool-size policy. `make` is called once for each pool, with its name. The
    /// policy keeps its own settings: only the default one follows `control`.
    pub fn pool_size_policy<P: PoolSizePolicy + 'static>(
        &mut self,
        make: impl Fn(&str) -> P + Send + 'static,
    ) {
        self.policies.pool_size = Some(Box::new(move |pool| Box::new(make(pool))));
    }

    /// Replaces the batch-size policy. `make` is called once for each stage, with its name.
    pub fn batch_size_policy<P: BatchSizePolicy + 'static>(
        &mut self,
        make: impl Fn(&str) -> P + Send + 'static,
    ) {
        self.policies.batch_size = Some(Box::new(move |stage| Box::new(make(stage))));
    }

    /// Replaces the law of admission and overrides `control.law`. `make` is called for each class
    /// of each stage, with the name of the stage, once there is an SLO.
    pub fn admission_law<L: AdmissionLaw + 'static>(
        &mut self,
        make: impl Fn(&str) -> L + Send + Sync + 'static,
    ) {
        self.policies.law = Some(Box::new(move |stage| Box::new(make(stage))));
    }

    /// Returns an entry to `stage` from outside. Each source has a request ledger of its own, so
    /// give each busy thread its own source.
    ///
    /// # Errors
    /// [`GraphError::Foreign`] for a stage of another graph.
    pub fn source<E: Send + 'static>(&mut self, stage: Stage<E>) -> Result<Source<E>, GraphError> {
        let entry = self.entry(stage)?;
        let replicas = self.replica_entries(stage)?;
        Ok(Source::new(entry, replicas))
    }

    /// Declares the edge from outside to one stage.
    pub(super) fn entry<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<Replica<E>, GraphError> {
        let core = self.typed(stage)?;
        let edge = self.edge(None, stage.index, false);
        Ok(Replica { stage: core, edge })
    }

    /// Checks the graph, and starts its workers and its controller.
    ///
    /// # Errors
    /// The first fault of the graph, by name, or [`GraphError::Thread`].
    pub fn start(self) -> Result<Running, GraphError> {
        let (plane, warnings) = self.build(Arc::new(MonotonicClock::new()))?;
        Running::start(plane, warnings)
    }

    /// Checks the graph, and returns it to be stepped by hand on `clock`, without threads.
    ///
    /// # Errors
    /// The first fault of the graph, by name.
    pub fn start_manual(self, clock: Arc<dyn Clock>) -> Result<Manual, GraphError> {
        self.core.set_stepped();
        let (plane, warnings) = self.build(clock)?;
        Ok(Manual::start(plane, warnings))
    }

    /// Returns the settings that code declared.
    pub(super) fn declaration(&self) -> Declaration {
        let stages = self.stages.iter().enumerate().map(|(index, stage)| StageDeclaration {
            name: Arc::clone(stage.core.name()),
            capacity: stage.capacity,
            config: stage.config.clone(),
            pool: stage.pool,
            servers: stage.servers,
            keyed: stage.core.is_keyed(),
            group: self.membership(index),
        });
        Declaration {
            budget: self.budget,
            budget_bytes: self.budget_bytes,
            slo: self.slo.clone(),
            classes: self.classes.clone(),
            stages: stages.collect(),
            pools: self.pools.clone(),
        }
    }

    /// Returns the number of the edge from `from` among the edges into `to`; declares the edge if
    /// it is new.
    pub(super) fn edge(&mut self, from: Option<usize>, to: usize, waits: bool) -> usize {
        let declared = self.edges.iter_mut().find(|edge| (edge.from, edge.to) == (from, to));
        if let Some(edge) = declared {
            edge.waits |= waits;
            return edge.number;
        }
        let number = self.stages.get(to).map_or(0, |stage| stage.core.add_edge());
        self.edges.push(Edge { from, to, number, waits });
        number
    }

    /// Returns the declared stage of a token.
    pub(super) fn declared<E>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<&mut DeclaredStage, GraphError> {
        let foreign = GraphError::Foreign { token: "stage" };
        if stage.graph != self.core.id {
            return Err(foreign);
        }
        self.stages.get_mut(stage.index).ok_or(foreign)
    }

    /// Returns the core of a stage of this graph.
    pub(crate) fn typed<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<Arc<StageCore<E>>, GraphError> {
        let core = Arc::clone(&self.declared(stage)?.core);
        core.into_any().downcast().map_err(|_| GraphError::Foreign { token: "stage" })
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
