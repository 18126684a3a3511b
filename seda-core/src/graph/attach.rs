//! Gives stages their handlers.

use crate::config::GraphError;
use crate::graph::builder::Graph;
use crate::graph::wire::Wire;
use crate::platform::sync::Arc;
use crate::pool::Pool;
use crate::stage::Stage;
use crate::worker::context::Context;
use crate::worker::{FactoryError, Handler, Runner, each};

impl Graph {
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
        self.attach_with(None, stage, |wiring| {
            let factory = wire(wiring);
            move |_replica| factory()
        })
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
        self.attach_with(Some(pool), stage, |wiring| {
            let factory = wire(wiring);
            move |_replica| factory()
        })
    }

    /// Gives a replicated stage its handlers, and pools of their own; the factory is told for
    /// which replica, from 0, it makes one. A replica's handler that is made anew, after a panic,
    /// has the same number. An ordinary stage is replica 0.
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

    /// Gives a replicated stage its handlers in a pool that it shares with other stages, as
    /// [`Graph::attach_replicas`].
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

    /// Wires a stage once and gives each of its replicas a maker of runners; without a pool, the
    /// stage has one of its own.
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
        let members: Vec<Stage<E>> = self.members(stage).collect();
        let senders = stage.index..stage.index + members.len();
        let mut wiring = Wire { graph: self, senders, foreign: false };
        let factory = Arc::new(wire(&mut wiring));
        if wiring.foreign {
            return Err(GraphError::Foreign { token: "stage" });
        }
        for (replica, member) in members.into_iter().enumerate() {
            let (core, factory) = (self.typed(member)?, Arc::clone(&factory));
            let number = self.numbering(stage, replica);
            let declared = self.declared(member)?;
            declared.pool = pool.map(|pool| pool.index);
            if pool.is_some() {
                declared.config.cap = declared.config.cap.or(declared.servers);
            }
            declared.make = Some(Box::new(move |share, worker| {
                let (factory, replica) = (Arc::clone(&factory), number());
                let factory = Arc::new(move || factory(replica));
                Box::new(Runner::new(Arc::clone(&core), Arc::clone(share), factory, worker))
            }));
        }
        Ok(())
    }
}
