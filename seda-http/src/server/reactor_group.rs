//! The reactors of a server with their graph, started together and drained together.

use super::counts::{ServerCounts, ServerUsage};
use super::error::ServeError;
use super::listen_place::ListenPlace;
use super::listener::{self, Listeners};
use super::notify;
use super::socket_file::SocketFile;
use super::watchdog;
use crate::reactor::{
    Acceptor, BodyBudget, Codec, ConnectionCount, Counters, Deadline, Mailbox, Reactor,
    ReactorMessage, ReactorPark, ReactorParts, Service,
};
#[cfg(feature = "tls")]
use crate::tls::TlsError;
use crate::tls::{HandshakeCounts, Handshaker, TlsServer};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use seda_core::{Clock, CoreClaim, Drained, Pool, Running, Worker};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// A drain keeps one tenth of its limit for the graph, because answering the requests that are open
/// at the limit takes a moment.
const GRAPH_SHARE: u32 = 10;

/// The lame-duck time takes half of a drain's limit at most, so that begun requests have the rest.
const LAME_DUCK_SHARE: u32 = 2;

/// Time that a server waits for its reactors after their workers have ended. A reactor then only
/// writes as much as its sockets take.
const JOIN_LIMIT: Duration = Duration::from_secs(1);

/// Running reactors that respond with `R`, and their graph.
pub(crate) struct ReactorGroup<R> {
    /// The places where it listens.
    places: Vec<ListenPlace>,
    clock: Arc<dyn Clock>,
    connection_count: Arc<ConnectionCount>,
    counters: Arc<Counters>,
    /// The memory of bodies of each reactor.
    bodies: Vec<Arc<BodyBudget>>,
    mailboxes: Vec<Arc<Mailbox<R>>>,
    /// The encryption of each listener that has one.
    tls: Vec<TlsServer>,
    // Dropped in this order: the graph ends the reactors' workers, then their threads are joined.
    running: Running,
    threads: ReactorThreads,
    _files: Vec<SocketFile>,
}

/// The threads of the reactors.
struct ReactorThreads {
    handles: Vec<JoinHandle<()>>,
    /// Disconnected once all of them have ended.
    ended: Receiver<()>,
}

impl<R: Send + 'static> ReactorGroup<R> {
    /// Starts one reactor for each of `sources`. `equip` returns its codec and its service.
    pub(super) fn start<C, S, T>(
        listeners: Listeners,
        pool: Pool,
        sources: Vec<T>,
        running: Running,
        counters: Arc<Counters>,
        mut equip: impl FnMut(usize, T, &Running, &Arc<Mailbox<R>>) -> (C, S),
    ) -> Result<Self, ServeError>
    where
        C: Codec<Response = R>,
        S: Service<C> + Send + 'static,
    {
        let Listeners { bound, places, files, connections, bodies, .. } = listeners;
        let Listeners { settings, trusted_proxies, .. } = listeners;
        let tls: Vec<_> = bound.iter().filter_map(|it| it.rules.tls.clone()).collect();
        // The graph's hosted workers become the reactors.
        let workers = running.hosted_workers(pool);
        if workers.len() != sources.len() {
            return Err(ServeError::NoWorkers);
        }
        // All mailboxes exist before the first reactor, because the acceptor sends to each.
        let parts = make_parts(workers.len(), bodies, !tls.is_empty())?;
        let bodies = parts.iter().map(|parts| Arc::clone(parts.bodies())).collect();
        let mailboxes: Vec<_> = parts.iter().map(|parts| Arc::clone(parts.mailbox())).collect();
        let connection_count = Arc::new(ConnectionCount::new(trusted_proxies));
        let count = Arc::clone(&connection_count);
        let all = mailboxes.clone();
        let acceptor = Acceptor::new(bound, all, connections, count, Arc::clone(&counters));
        // The first reactor owns the acceptor.
        let mut acceptor = Some(acceptor);
        let (alive, ended) = unbounded();
        let threads = ReactorThreads { handles: Vec::new(), ended };
        let clock = running.clock();
        let mut group = Self {
            places,
            clock,
            connection_count,
            counters,
            bodies,
            mailboxes,
            tls,
            running,
            threads,
            _files: files,
        };
        for (index, ((parts, worker), source)) in
            parts.into_iter().zip(workers).zip(sources).enumerate()
        {
            let (codec, service) = equip(index, source, &group.running, parts.mailbox());
            let clock = Arc::clone(&group.clock);
            let settings = settings.clone();
            let counters = Arc::clone(&group.counters);
            let acceptor = acceptor.take();
            let reactor = Reactor::new(parts, acceptor, codec, service, settings, counters, clock);
            let handle = reactor.and_then(|reactor| {
                spawn(reactor, worker, group.running.core_claim(), alive.clone())
            });
            let handle = handle.map_err(|source| ServeError::Reactor { reactor: index, source })?;
            group.threads.handles.push(handle);
        }
        for place in &group.places {
            tracing::info!(%place, "serves");
        }
        notify::ready();
        if let Some(interval) = notify::watchdog() {
            watchdog::start(interval, &group.running.snapshots(), group.mailboxes.clone());
        }
        Ok(group)
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        listener::local_addr(&self.places)
    }

    pub(crate) fn local_addrs(&self) -> &[ListenPlace] {
        &self.places
    }

    pub(crate) fn graph(&self) -> &Running {
        &self.running
    }

    pub(crate) fn counts(&self) -> ServerCounts {
        self.usage().counts()
    }

    pub(crate) fn handshakes(&self) -> HandshakeCounts {
        self.counters.handshakes.get()
    }

    /// Returns the counts of the server, to be read while it runs.
    pub(crate) fn usage(&self) -> ServerUsage {
        let (counters, connections) = (&self.counters, &self.connection_count);
        let bodies = self.bodies.clone();
        let has_tls = !self.tls.is_empty();
        ServerUsage::new(Arc::clone(counters), bodies, Arc::clone(connections), has_tls)
    }

    /// Reads the files of all certificates again; after an error those of before stay.
    #[cfg(feature = "tls")]
    pub(crate) fn reload_tls(&self) -> Result<(), TlsError> {
        TlsServer::reload(&self.tls)
    }

    /// Serves on for `lame_duck` and closes each connection after its next answer, drains the
    /// connections, then the graph. All together take at most `limit`.
    pub(crate) fn drain(self, lame_duck: Duration, limit: Duration) -> Drained {
        let deadline = Deadline::after(Arc::clone(&self.clock), limit);
        notify::stopping();
        // 0. Clients move to other servers, as the probe and the ends of their connections tell.
        let lame_duck = lame_duck.min(limit / LAME_DUCK_SHARE);
        if !lame_duck.is_zero() {
            for mailbox in &self.mailboxes {
                mailbox.send(ReactorMessage::CloseAfterAnswers);
            }
            // The open listeners count as connections, so this waits for the whole time.
            self.connection_count.wait_until_zero(lame_duck);
        }
        // 1. The reactors close the listeners, and each connection after its begun requests.
        for mailbox in &self.mailboxes {
            mailbox.send(ReactorMessage::Drain);
        }
        // 2. Wait for the last connection.
        let for_connections = deadline.remaining().saturating_sub(limit / GRAPH_SHARE);
        if !self.connection_count.wait_until_zero(for_connections) {
            tracing::warn!("connections are still open at the limit of the drain");
        }
        // 3. The graph drains. Its end loses the requests that are still open.
        self.running.drain(deadline.remaining())
    }
}

impl Drop for ReactorThreads {
    /// Waits for the reactors to end. A reactor in a stage that does not return is left behind,
    /// because a thread in user code cannot be ended.
    fn drop(&mut self) {
        if self.ended.recv_timeout(JOIN_LIMIT) == Err(RecvTimeoutError::Timeout) {
            tracing::error!("a reactor does not end: a stage in its pool does not return");
            return;
        }
        for handle in self.handles.drain(..) {
            if handle.join().is_err() {
                tracing::error!("a reactor panicked");
            }
        }
    }
}

/// Returns the parts of each reactor: an equal share of `bodies` bytes, and a thread for handshakes
/// if connections are encrypted.
fn make_parts<R>(
    reactors: usize,
    bodies: usize,
    is_encrypted: bool,
) -> Result<Vec<ReactorParts<R>>, ServeError> {
    (0..reactors)
        .map(|reactor| {
            let parts = ReactorParts::new(bodies / reactors)?;
            let handshaker =
                is_encrypted.then(|| Handshaker::start(format!("handshakes-{reactor}")));
            Ok(parts.with_handshaker(handshaker.transpose()?))
        })
        .enumerate()
        .map(|(reactor, parts)| parts.map_err(|source| ServeError::Reactor { reactor, source }))
        .collect()
}

/// Starts the thread of one reactor. The thread ends with its worker and then drops `alive`.
fn spawn<C, S>(
    mut reactor: Reactor<C, S>,
    worker: Worker,
    core_claim: CoreClaim,
    alive: Sender<()>,
) -> io::Result<JoinHandle<()>>
where
    C: Codec,
    S: Service<C> + Send + 'static,
{
    Builder::new().name(worker.thread_name()).spawn(move || {
        let _alive = alive;
        worker.run(ReactorPark::new(&mut reactor, Some(core_claim)));
        reactor.shutdown();
    })
}
