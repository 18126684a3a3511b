//! Declaring replicated stages, and what a token of one stands for: all of its replicas.

use crate::config::{
    Balance, DEFAULT_PENDING, GraphError, MAX_REPLICAS, Membership, Replicas, SettingFault,
    StageConfig, part,
};
use crate::graph::builder::Graph;
use crate::graph::declared_stage::DeclaredStage;
use crate::platform::sync::{Arc, AtomicUsize, Ordering};
use crate::stage::ports::Replica;
use crate::stage::replicas::ReplicaSet;
use crate::stage::{Stage, StageCore};
use std::marker::PhantomData;
use std::ops::Range;

/// A replicated stage: its members are stages next to each other. A central queue is one stage.
pub(super) struct Replicated {
    pub(super) name: String,
    pub(super) replicas: Replicas,
    capacity: usize,
    first: usize,
    members: usize,
}

impl Replicated {
    /// Returns the indices of the stages that it consists of.
    pub(super) fn members(&self) -> Range<usize> {
        self.first..self.first + self.members
    }

    /// True if its replicas share one queue.
    fn is_central(&self) -> bool {
        self.replicas.balance == Balance::Central
    }

    /// Checks its number and capacity; `stages` are all of the graph.
    fn check(&self, stages: &[DeclaredStage]) -> Result<(), GraphError> {
        let count = self.replicas.count;
        if !(1..=MAX_REPLICAS).contains(&count) {
            let key = format!("stages.{}.replicas", self.name);
            return Err(SettingFault::new(key, count, format!("1 to {MAX_REPLICAS}")).into());
        }
        if self.is_central() {
            return Ok(());
        }
        if self.capacity < count {
            let key = format!("stages.{}.capacity", self.name);
            let allowed = format!("{count} or more events, one for the queue of each replica");
            return Err(SettingFault::new(key, self.capacity, allowed).into());
        }
        if stages.iter().any(|stage| **stage.core.name() == *self.name) {
            return Err(GraphError::StageNameTwice { stage: self.name.clone() });
        }
        Ok(())
    }
}

impl Graph {
    /// Declares a stage of which there are several: `replicas` says how many, and which of them
    /// gets an event. `capacity` is that of all together. Sinks, sources and the settings of the
    /// token are for all of them.
    ///
    /// With [`Balance::Central`] it is one stage with as many workers as replicas. Otherwise each
    /// replica is a stage called `name-1`, `name-2` and so on, in reports and settings too, with an
    /// even share of the capacity and one worker, unless its settings say otherwise. In a shared
    /// pool at most as many workers run it at once as there are replicas, one for each.
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
        // A count that cannot be is told when the graph is to start.
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

    /// What a token was declared as, if it has a stage for each replica.
    pub(super) fn replicated<E>(&self, stage: Stage<E>) -> Option<&Replicated> {
        self.declared_as(stage).filter(|known| !known.is_central())
    }

    /// The stages that a token stands for: itself, or all replicas.
    pub(super) fn members<E>(&self, stage: Stage<E>) -> impl Iterator<Item = Stage<E>> + use<E> {
        let members = self.replicated(stage).map_or(1, |known| known.members);
        (stage.index..stage.index + members).map(move |index| Stage { index, ..stage })
    }

    /// The ways from outside to the replicas, if there are several.
    pub(super) fn ways<E: Send + 'static>(
        &mut self,
        stage: Stage<E>,
    ) -> Result<Option<Box<ReplicaSet<Replica<E>>>>, GraphError> {
        let Some(known) = self.replicated(stage) else { return Ok(None) };
        let (name, balance) = (known.name.clone(), known.replicas.balance);
        let members: Result<Vec<_>, _> =
            self.members(stage).map(|member| self.way(member)).collect();
        // Of two sources each has draws of its own.
        let seed = self.sources;
        self.sources += 1;
        Ok(ReplicaSet::new(&name, balance, members?, seed).map(Box::new))
    }

    /// Gives the number of the replica for each handler of one member that is to be made.
    pub(super) fn numbering<E>(
        &self,
        stage: Stage<E>,
        member: usize,
    ) -> impl Fn() -> usize + Send + Sync + use<E> {
        let central = self.declared_as(stage).filter(|known| known.is_central());
        let count = central.map_or(1, |known| known.replicas.count.max(1));
        let made = AtomicUsize::new(0);
        // With a central queue the workers are the replicas, and who replaces one has its number.
        move || member + made.fetch_add(1, Ordering::Relaxed) % count
    }

    /// Sets what `config` says of the stages that a token stands for.
    pub(super) fn configure_members<E>(&mut self, stage: Stage<E>, config: &StageConfig) {
        let members: Vec<Stage<E>> = self.members(stage).collect();
        for (member, index) in members.iter().map(|member| member.index).enumerate() {
            if let Some(declared) = self.stages.get_mut(index) {
                let part = config.part(members.len(), member);
                declared.config = part.or(std::mem::take(&mut declared.config));
            }
        }
    }

    /// Of a stage that is one of several replicas: which.
    pub(crate) fn membership(&self, index: usize) -> Option<Membership> {
        let mut several = self.replicated.iter().filter(|known| !known.is_central());
        let known = several.find(|known| known.members().contains(&index))?;
        Some(Membership {
            name: known.name.clone(),
            number: index - known.first,
            members: known.members,
        })
    }

    pub(super) fn check_replicas(&self) -> Result<(), GraphError> {
        self.replicated.iter().try_for_each(|replicated| replicated.check(&self.stages))
    }

    fn declared_as<E>(&self, stage: Stage<E>) -> Option<&Replicated> {
        let own = stage.graph == self.core.id;
        self.replicated.iter().find(|known| own && known.first == stage.index)
    }
}
