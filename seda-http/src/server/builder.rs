//! The part of a server's builder that does not depend on the protocol.

#[cfg(unix)]
use super::adopted::Adopted;
use super::config::ServerConfig;
use super::error::{BindError, EntryError, ServeError};
use super::listen_place::ListenPlace;
use super::listener::Listeners;
use super::reactor_group::ReactorGroup;
use crate::reactor::{Codec, Counters, Mailbox, Service};
use seda_core::{Graph, Pool, Running, Source, Stage};
use std::net::SocketAddr;
#[cfg(unix)]
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Name of the reactors' pool in reports and thread names.
const POOL: &str = "reactor";

/// A listening server and its entry into a graph, before it serves.
#[derive(Debug)]
pub(crate) struct ServerBuilder {
    listeners: Listeners,
    reactors: usize,
    pool: Option<Pool>,
    /// The name of the entry stage; `None` before `entry`.
    entry: Option<String>,
    counters: Arc<Counters>,
}

impl ServerBuilder {
    /// Binds and listens. The caller has checked `config`.
    pub(crate) fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        Self::new(config, Listeners::bind(config)?)
    }

    /// Listens to sockets of the program in place of those of `config`, which the caller has
    /// checked. They have the rules of its only listener.
    #[cfg(unix)]
    pub(crate) fn adopt(
        config: &ServerConfig,
        sockets: impl IntoIterator<Item = OwnedFd>,
    ) -> Result<Self, BindError> {
        let sockets = sockets.into_iter().map(Adopted::new);
        Self::new(config, Listeners::adopt(config, sockets)?)
    }

    fn new(config: &ServerConfig, listeners: Listeners) -> Result<Self, BindError> {
        listeners.check()?;
        let counters = Arc::default();
        Ok(Self { listeners, reactors: config.reactors, pool: None, entry: None, counters })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.listeners.local_addr()
    }

    pub(crate) fn local_addrs(&self) -> &[ListenPlace] {
        &self.listeners.places
    }

    /// Returns true if only this machine reaches the server, and no proxy is known to pass requests
    /// of others on.
    pub(crate) fn is_private(&self) -> bool {
        self.listeners.is_private()
    }

    pub(crate) fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Returns the pool of the reactors; the first call declares it.
    pub(crate) fn pool(&mut self, graph: &mut Graph) -> Pool {
        *self.pool.get_or_insert_with(|| graph.hosted_pool(POOL, self.reactors))
    }

    /// Makes `stage` the entry. Returns one source per reactor, so that they share no ledger.
    pub(crate) fn entry<E: Send + 'static>(
        &mut self,
        graph: &mut Graph,
        stage: Stage<E>,
    ) -> Result<Vec<Source<E>>, EntryError> {
        self.begin_entry(graph)?;
        let sources = (0..self.reactors).map(|_| graph.source(stage));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        self.end_entry(sources.first().map(|source| source.stage()));
        Ok(sources)
    }

    /// Checks that there is no entry yet, and declares the pool of the reactors.
    pub(crate) fn begin_entry(&mut self, graph: &mut Graph) -> Result<(), EntryError> {
        if let Some(stage) = &self.entry {
            return Err(EntryError::Twice { stage: stage.clone() });
        }
        self.pool(graph);
        Ok(())
    }

    /// Takes in the name of the stage where requests enter; of several, the first.
    pub(crate) fn end_entry(&mut self, stage: Option<&str>) {
        self.entry = stage.map(str::to_owned);
    }

    /// Starts one reactor for each of `sources`. `equip` returns its codec and its service.
    pub(crate) fn serve<R, C, S, T>(
        self,
        sources: Vec<T>,
        running: Running,
        equip: impl FnMut(usize, T, &Running, &Arc<Mailbox<R>>) -> (C, S),
    ) -> Result<ReactorGroup<R>, ServeError>
    where
        R: Send + 'static,
        C: Codec<Response = R>,
        S: Service<C> + Send + 'static,
    {
        if sources.is_empty() {
            return Err(ServeError::NoEntry);
        }
        let pool = self.pool.ok_or(ServeError::NoEntry)?;
        ReactorGroup::start(self.listeners, pool, sources, running, self.counters, equip)
    }
}
