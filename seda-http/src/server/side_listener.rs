//! A listener beside the public one. Its reactor runs on a thread of its own and not in the graph,
//! so neither connections nor load of the public one keep it from serving.

use super::listener::listen;
use super::socket_file::SocketFile;
use crate::reactor::{
    Acceptor, Codec, ConnectionCount, Counters, Listener, Mailbox, PeerList, Reactor,
    ReactorMessage, ReactorParts, Service, Settings,
};
use seda_core::Clock;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};

/// Connections that wait to be accepted at a Unix socket. Operators are few.
const BACKLOG: i32 = 128;

/// The mode of a Unix socket: the user of the server alone. The operator may open it further.
const MODE: u32 = 0o600;

/// A listening socket, and the file of a Unix one.
#[derive(Debug)]
pub(crate) struct SideListener {
    listener: Listener,
    file: Option<SocketFile>,
    /// The peers' addresses tell clients apart.
    has_addresses: bool,
}

/// The bounds of a listener beside the public one.
pub(crate) struct SideBounds {
    /// The most connections at once.
    pub(crate) connections: usize,
    /// The most bytes of request bodies.
    pub(crate) bodies: usize,
    pub(crate) settings: Settings,
}

/// A running reactor that responds with `R`. It ends when it is dropped.
pub(crate) struct SideReactor<R> {
    mailbox: Arc<Mailbox<R>>,
    /// `None` once it is joined.
    thread: Option<JoinHandle<()>>,
    _file: Option<SocketFile>,
}

impl SideListener {
    /// Listens at `address`, and replaces its port 0 with the port that it got.
    pub(crate) fn bind_tcp(address: &mut SocketAddr) -> io::Result<Self> {
        let listener = listen(*address)?;
        *address = listener.local_addr()?;
        // All peers of loopback have its address, also those of a tunnel.
        let has_addresses = !address.ip().to_canonical().is_loopback();
        Ok(Self { listener: listener.into(), file: None, has_addresses })
    }

    /// Listens at a Unix socket; see [`SocketFile::listen`].
    pub(crate) fn bind_unix(path: &Path) -> io::Result<Self> {
        let (listener, file) = SocketFile::listen(path, MODE, BACKLOG)?;
        Ok(Self { listener, file: Some(file), has_addresses: false })
    }

    /// Starts the reactor. `equip` returns its codec and its service.
    pub(crate) fn serve<R, C, S>(
        self,
        name: &str,
        bounds: SideBounds,
        counters: Arc<Counters>,
        clock: Arc<dyn Clock>,
        equip: impl FnOnce(&Arc<Mailbox<R>>) -> (C, S),
    ) -> io::Result<SideReactor<R>>
    where
        R: Send + 'static,
        C: Codec<Response = R>,
        S: Service<C> + Send + 'static,
    {
        let Self { listener, file, has_addresses } = self;
        let SideBounds { connections, bodies, settings } = bounds;
        let parts = ReactorParts::new(bodies)?;
        let mailbox = Arc::clone(parts.mailbox());
        let all = vec![Arc::clone(&mailbox)];
        let shared_peers = if has_addresses { PeerList::default() } else { PeerList::all() };
        let count = Arc::new(ConnectionCount::new(shared_peers));
        let acceptor =
            Acceptor::new(vec![listener.into()], all, connections, count, Arc::clone(&counters));
        let (codec, service) = equip(&mailbox);
        let acceptor = Some(acceptor);
        let reactor = Reactor::new(parts, acceptor, codec, service, settings, counters, clock)?;
        let thread = Builder::new().name(name.to_owned()).spawn(move || reactor.run_alone())?;
        Ok(SideReactor { mailbox, thread: Some(thread), _file: file })
    }
}

impl<R> Drop for SideReactor<R> {
    /// Ends the reactor within its grace for open responses: no user code runs on its thread.
    fn drop(&mut self) {
        self.mailbox.send(ReactorMessage::Drain);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("a reactor beside the public ones panicked");
        }
    }
}
