//! The part of a server's builder that does not depend on the protocol.

use super::config::ServerConfig;
use super::error::{BindError, EntryError, ServeError};
use super::listener::ListenerConfig;
use super::reactor_group::ReactorGroup;
use crate::reactor::{Codec, Mailbox, Service};
use seda_core::{Graph, Pool, Running, Source, Stage};
use std::net::SocketAddr;
use std::sync::Arc;

/// The name of the reactors' pool in reports and thread names.
const POOL: &str = "reactor";

/// A server that listens and does not serve yet.
#[derive(Debug)]
pub(crate) struct ServerBuilder {
    listener: ListenerConfig,
    reactors: usize,
    pool: Option<Pool>,
    /// The name of the entry stage, once there is one.
    entry: Option<String>,
}

impl ServerBuilder {
    /// Takes the address. The caller has checked `config`.
    pub(crate) fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        let listener = ListenerConfig::bind(config)?;
        Ok(Self { listener, reactors: config.reactors, pool: None, entry: None })
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.listener.local_addr
    }

    pub(crate) fn pool(&mut self, graph: &mut Graph) -> Pool {
        *self.pool.get_or_insert_with(|| graph.hosted_pool(POOL, self.reactors))
    }

    /// Returns one source for each reactor, so that reactors share no ledger.
    pub(crate) fn entry<E: Send + 'static>(
        &mut self,
        graph: &mut Graph,
        stage: Stage<E>,
    ) -> Result<Vec<Source<E>>, EntryError> {
        if let Some(stage) = &self.entry {
            return Err(EntryError::Twice { stage: stage.clone() });
        }
        self.pool(graph);
        let sources = (0..self.reactors).map(|_| graph.source(stage));
        let sources = sources.collect::<Result<Vec<_>, _>>()?;
        self.entry = sources.first().map(|source| source.stage().to_owned());
        Ok(sources)
    }

    /// Starts a reactor for each of `sources`; `equip` gives it its protocol and its service.
    pub(crate) fn serve<R, P, S, T>(
        self,
        sources: Vec<T>,
        running: Running,
        equip: impl FnMut(usize, T, &Running, &Arc<Mailbox<R>>) -> (P, S),
    ) -> Result<ReactorGroup<R>, ServeError>
    where
        R: Send + 'static,
        P: Codec<Response = R>,
        S: Service<P> + Send + 'static,
    {
        if sources.is_empty() {
            return Err(ServeError::NoEntry);
        }
        let pool = self.pool.ok_or(ServeError::NoEntry)?;
        ReactorGroup::start(self.listener, pool, sources, running, equip)
    }
}
