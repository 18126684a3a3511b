//! Attaches handlers to stages.

use crate::config::GraphError;
use crate::graph::builder::Graph;
use crate::graph::wire::Wire;
use crate::platform::sync::Arc;
use crate::pool::Pool;
use crate::stage::Stage;
use crate::worker::context::Context;
use crate::worker::{FactoryError, Handler, Runner, each};

impl Graph {
    /// Attaches a handler to a stage, which gets a pool of its own. `wire` runs once, declares the
    /// edges and returns the factory; the factory runs once per worker and may fail.
    ///
    /// # Errors
    /// [`GraphError::AttachedTwice`], or [`GraphError::Foreign`] for a token of another graph.
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
        self.attach_with(None, stage, |wiring| {
            let factory = wire(wiring);
            move |_replica| factory()
        })
    }

    /// Attaches a closure as the handler of a stage, which gets a pool of its own: the short form
    /// of [`Graph::attach`] for handlers that need no factory. Every worker gets a clone.
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

    /// Attaches a closure as the handler of a stage that shares a pool.
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

    /// Attaches a handler to a stage that shares a pool.
    ///
    /// # Errors
    /// [`GraphError::AttachedTwice`], or [`GraphError::Foreign`] for a token of another graph.
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
        self.attach_with(Some(pool), stage, |wiring| {
            let factory = wire(wiring);
            move |_replica| factory()
        })
    }

    /// Attaches handlers to a replicated stage, whose replicas get pools of their own. The factory
    /// receives the number of the replica, from 0. A handler that replaces one after a panic has
    /// the same number. An ordinary stage is replica 0.
    ///
    /// # Errors
    /// As [`Graph::attach`].
    pub fn attach_replicas<E, H, F>(
        &mut self,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn(usize) -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        self.attach_with(None, stage, wire)
    }

    /// Attaches handlers to a replicated stage in a shared pool, as [`Graph::attach_replicas`].
    ///
    /// # Errors
    /// As [`Graph::attach_in`].
    pub fn attach_replicas_in<E, H, F>(
        &mut self,
        pool: &Pool,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn(usize) -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        self.attach_with(Some(pool), stage, wire)
    }

    /// Wires a stage once, and stores the maker of runners for each of its replicas. Without `pool`
    /// the stage gets one of its own.
    fn attach_with<E, H, F>(
        &mut self,
        pool: Option<&Pool>,
        stage: Stage<E>,
        wire: impl FnOnce(&mut Wire<'_>) -> F,
    ) -> Result<(), GraphError>
    where
        E: Send + 'static,
        H: Handler<E> + 'static,
        F: Fn(usize) -> Result<H, FactoryError> + Send + Sync + 'static,
    {
        if pool.is_some_and(|pool| pool.graph != self.core.id) {
            return Err(GraphError::Foreign { token: "pool" });
        }
        let core = self.typed(stage)?;
        if self.declared(stage)?.make.is_some() {
            return Err(GraphError::AttachedTwice { stage: core.name.to_string() });
        }
        // Wire once: the edges leave all replicas.
        let members: Vec<Stage<E>> = self.members(stage).collect();
        let senders = stage.index..stage.index + members.len();
        let mut wiring = Wire { graph: self, senders, foreign: false };
        let factory = Arc::new(wire(&mut wiring));
        if wiring.foreign {
            return Err(GraphError::Foreign { token: "stage" });
        }
        // One maker of runners for each replica; all share the factory.
        for (replica, member) in members.into_iter().enumerate() {
            let (core, factory) = (self.typed(member)?, Arc::clone(&factory));
            let number = self.numbering(stage, replica);
            let declared = self.declared(member)?;
            declared.pool = pool.map(|pool| pool.index);
            if pool.is_some() {
                declared.config.cap = declared.config.cap.or(declared.servers);
            }
            declared.make = Some(Box::new(move |slots, worker| {
                let (factory, replica) = (Arc::clone(&factory), number());
                let factory = Arc::new(move || factory(replica));
                Box::new(Runner::new(Arc::clone(&core), Arc::clone(slots), factory, worker))
            }));
        }
        Ok(())
    }
}
