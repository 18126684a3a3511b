//! Declares replicated stages, and resolves their tokens to stages.

use crate::config::{
    Balance, DEFAULT_PENDING, GraphError, MAX_REPLICAS, Membership, Replicas, StageConfig, part,
};
use crate::graph::builder::Graph;
use crate::graph::replicated::Replicated;
use crate::platform::sync::{Arc, AtomicUsize, Ordering};
use crate::stage::ports::Replica;
use crate::stage::replicas::ReplicaSet;
use crate::stage::{Stage, StageCore};
use std::marker::PhantomData;

impl Graph {
    /// Declares a stage with replicas; `replicas` gives their number and the rule that distributes
    /// events among them. `capacity` is that of all replicas together. Sinks, sources and settings
    /// of the token apply to all of them.
    ///
    /// With [`Balance::Central`] it is one stage with as many workers as replicas. Otherwise each
    /// replica is a stage called `name-1`, `name-2` and so on, in reports and settings too, with an
    /// equal share of the capacity and one worker, unless its settings differ. In a shared pool, at
    /// most one worker at a time serves each replica.
    ///
    /// ```
    /// use seda_core::{Balance, Graph, Replicas};
    /// use std::time::Duration;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut graph = Graph::new("pages");
    /// let replicas = Replicas { count: 4, balance: Balance::RoundRobin };
    /// let render = graph.replicated_stage::<u32>("render", 256, replicas);
    /// graph.attach_each(render, |_wire| |_page, _cx| {})?;
    /// let pages = graph.source(render)?;
    /// let running = graph.start()?;
    /// for page in 0..8 {
    ///     pages.send(page)?;
    /// }
    /// let report = running.drain(Duration::from_secs(5)).report;
    /// assert!(report.stages.iter().all(|replica| replica.handled == 2));
    /// # Ok(())
    /// # }
    /// ```
    pub fn replicated_stage<E: Send + 'static>(
        &mut self,
        name: &str,
        capacity: usize,
        replicas: Replicas,
    ) -> Stage<E> {
        let (first, count) = (self.stages.len(), replicas.count);
        let central = replicas.balance == Balance::Central;
        // An impossible count is reported when the graph starts.
        let members = if central { 1 } else { count.clamp(1, MAX_REPLICAS) };
        let declared = Replicated { name: name.to_owned(), replicas, capacity, first, members };
        self.replicated.push(declared);
        if central {
            let core = StageCore::new(name, first, capacity, Arc::clone(&self.core));
            return self.declare_stage(core, capacity, Some(count));
        }
        let token = Stage { graph: self.core.id, index: first, event: PhantomData };
        for (member, index) in (first..first + members).enumerate() {
            let (name, share) = (format!("{name}-{}", member + 1), part(capacity, members, member));
            let core = StageCore::<E>::new(&name, index, share, Arc::clone(&self.core)).replica();
            self.declare_stage(core, share, Some(1));
        }
        let pending = StageConfig { pending: Some(DEFAULT_PENDING), ..StageConfig::default() };
        self.configure_members(token, &pending);
        token
    }

    /// Returns the replicated stage of a token, if each replica has a queue of its own.
    pub(super) fn replicated<E>(&self, stage: Stage<E>) -> Option<&Replicated> {
        self.declared_as(stage).filter(|replicated| !replicated.is_central())
    }

    /// Returns the stages that a token stands for: itself, or all replicas.
    pub(super) fn members<E>(&self, stage: Stage<E>) -> impl Iterator<Item = Stage<E>> + use<E> {
        let members = self.replicated(stage).map_or(1, |replicated| replicated.members);
        (stage.index..stage.index + members).map(move |index| Stage { index, ..stage })
    }

    /// Returns the edges from outside to all replicas, if there are several.
    pub(super) fn replica_entries<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<Option<Box<ReplicaSet<Replica<E>>>>, GraphError> {
        let Some(replicated) = self.replicated(stage) else { return Ok(None) };
        let (name, balance) = (replicated.name.clone(), replicated.replicas.balance);
        let members: Result<Vec<_>, _> =
            self.members(stage).map(|member| self.entry(member)).collect();
        // Each source draws its own random numbers.
        let seed = self.sources;
        self.sources += 1;
        Ok(ReplicaSet::new(&name, balance, members?, seed).map(Box::new))
    }

    /// Returns the counter that numbers the handlers of one replica.
    pub(super) fn numbering<E>(
        &self,
        stage: Stage<E>,
        member: usize,
    ) -> impl Fn() -> usize + Send + Sync + use<E> {
        let central = self.declared_as(stage).filter(|replicated| replicated.is_central());
        let count = central.map_or(1, |replicated| replicated.replicas.count.max(1));
        let made = AtomicUsize::new(0);
        // With a central queue each worker is a replica; a replacement worker takes over its
        // number.
        move || member + made.fetch_add(1, Ordering::Relaxed) % count
    }

    /// Sets the settings of the stages that a token stands for.
    pub(super) fn configure_members<E>(&mut self, stage: Stage<E>, config: &StageConfig) {
        let members: Vec<Stage<E>> = self.members(stage).collect();
        for (member, index) in members.iter().map(|member| member.index).enumerate() {
            if let Some(declared) = self.stages.get_mut(index) {
                let part = config.part(members.len(), member);
                declared.config = part.or(std::mem::take(&mut declared.config));
            }
        }
    }

    /// Returns the place of a stage among the replicas of a replicated one.
    pub(super) fn membership(&self, index: usize) -> Option<Membership> {
        let mut several = self.replicated.iter().filter(|replicated| !replicated.is_central());
        let replicated = several.find(|replicated| replicated.members().contains(&index))?;
        Some(Membership {
            name: replicated.name.clone(),
            number: index - replicated.first,
            members: replicated.members,
        })
    }

    pub(super) fn check_replicas(&self) -> Result<(), GraphError> {
        self.replicated.iter().try_for_each(|replicated| replicated.check(&self.stages))
    }

    fn declared_as<E>(&self, stage: Stage<E>) -> Option<&Replicated> {
        let own = stage.graph == self.core.id;
        self.replicated.iter().find(|replicated| own && replicated.first == stage.index)
    }
}
