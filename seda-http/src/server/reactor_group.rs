//! The reactors of a server with their graph, whatever they speak: started together, drained
//! together.

use super::error::ServeError;
use super::listener::ListenerConfig;
use crate::reactor::{
    Acceptor, Codec, ConnectionCount, Deadline, Mailbox, Reactor, ReactorMessage, ReactorParts,
};
use crate::reactor::{ReactorPark, Service};
use crossbeam_channel::{Receiver, Sender, unbounded};
use seda_core::{Clock, Drained, Pool, Running, Worker};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What of a drain's limit is kept for the graph: at the limit those who still wait are told, and
/// that takes a moment.
const GRAPH_SHARE: u32 = 10;

/// How long a server waits for its reactors after their workers have ended: they only write what
/// their sockets take.
const JOIN_LIMIT: Duration = Duration::from_secs(1);

/// Reactors that run, answering with `R`.
pub(crate) struct ReactorGroup<R> {
    local_addr: SocketAddr,
    clock: Arc<dyn Clock>,
    connection_count: Arc<ConnectionCount>,
    mailboxes: Vec<Arc<Mailbox<R>>>,
    // In this order: the graph ends the reactors' workers, then their threads can be joined.
    running: Running,
    threads: ReactorThreads,
}

/// The reactors' threads.
struct ReactorThreads {
    handles: Vec<JoinHandle<()>>,
    /// Disconnected when all of them have ended.
    ended: Receiver<()>,
}

impl<R: Send + 'static> ReactorGroup<R> {
    /// Starts a reactor for each of `sources`; `equip` gives it its protocol and its service.
    pub(crate) fn start<P, S, T>(
        listener: ListenerConfig,
        pool: Pool,
        sources: Vec<T>,
        running: Running,
        mut equip: impl FnMut(usize, T, &Running, &Arc<Mailbox<R>>) -> (P, S),
    ) -> Result<Self, ServeError>
    where
        P: Codec<Response = R>,
        S: Service<P> + Send + 'static,
    {
        let ListenerConfig { listener, local_addr, connections, settings } = listener;
        let workers = running.hosted_workers(pool);
        if workers.len() != sources.len() {
            return Err(ServeError::NoWorkers);
        }
        let parts = (0..workers.len()).map(|reactor| {
            ReactorParts::<R>::new().map_err(|source| ServeError::Reactor { reactor, source })
        });
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let mailboxes: Vec<_> = parts.iter().map(|parts| Arc::clone(parts.mailbox())).collect();
        let connection_count = Arc::new(ConnectionCount::default());
        let mut acceptor = Some(Acceptor::new(
            listener,
            mailboxes.clone(),
            connections,
            Arc::clone(&connection_count),
        ));
        let (alive, ended) = unbounded();
        let threads = ReactorThreads { handles: Vec::new(), ended };
        let clock = running.clock();
        let mut group = Self { local_addr, clock, connection_count, mailboxes, running, threads };
        for (reactor, ((parts, worker), source)) in
            parts.into_iter().zip(workers).zip(sources).enumerate()
        {
            let (protocol, service) = equip(reactor, source, &group.running, parts.mailbox());
            let clock = group.running.clock();
            let made =
                Reactor::new(parts, acceptor.take(), protocol, service, settings.clone(), clock);
            let spawned = made.and_then(|made| spawn(made, worker, alive.clone()));
            let handle = spawned.map_err(|source| ServeError::Reactor { reactor, source })?;
            group.threads.handles.push(handle);
        }
        tracing::info!(address = %group.local_addr, "serves");
        Ok(group)
    }

    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    pub(crate) fn graph(&self) -> &Running {
        &self.running
    }

    /// Lets the connections finish what was begun on them, then the graph.
    pub(crate) fn drain(self, limit: Duration) -> Drained {
        let deadline = Deadline::after(Arc::clone(&self.clock), limit);
        for mailbox in &self.mailboxes {
            mailbox.send(ReactorMessage::Drain);
        }
        let for_connections = limit - limit / GRAPH_SHARE;
        if !self.connection_count.wait_until_zero(for_connections) {
            tracing::warn!("connections are left at the limit of the drain");
        }
        self.running.drain(deadline.remaining())
    }
}

impl Drop for ReactorThreads {
    /// Waits for the reactors to end. One whose stage does not return is left behind: a thread
    /// that is stuck in user code cannot be ended.
    fn drop(&mut self) {
        let ended = self.ended.recv_timeout(JOIN_LIMIT);
        if ended == Err(crossbeam_channel::RecvTimeoutError::Timeout) {
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

/// Starts the thread of one reactor. It ends with its worker; `alive` is dropped then.
fn spawn<P, S>(
    mut reactor: Reactor<P, S>,
    worker: Worker,
    alive: Sender<()>,
) -> io::Result<JoinHandle<()>>
where
    P: Codec,
    S: Service<P> + Send + 'static,
{
    Builder::new().name(worker.thread_name()).spawn(move || {
        let _alive = alive;
        worker.run(ReactorPark(&mut reactor));
        reactor.shutdown();
    })
}
