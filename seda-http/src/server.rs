//! A server that serves, and how it ends.

use crate::admin::Admin;
use crate::binding::Http;
use crate::config::HttpConfig;
use crate::entrance::Entrance;
use crate::error::ServeError;
use crate::http1::Http1;
use crate::reactor::{Acceptor, Berth, Body, Letter, Mailbox, Occupancy, Reactor, Seat};
use crate::retry_after::RetryAfter;
use crossbeam_channel::{Receiver, Sender, unbounded};
use http::Response;
use seda_core::{Clock, Drained, Home, Running, Terms, Worker};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What of a drain's limit is kept for the graph: at the limit those who still wait are told, and
/// that takes a moment.
const KEPT_FOR_GRAPH: u32 = 10;

/// How long a server waits for its reactors after their workers have ended: they only write what
/// their sockets take.
const JOIN_LIMIT: Duration = Duration::from_secs(1);

type Answer = Response<Body>;

/// A running server.
///
/// End it with [`Server::drain`]. Dropped, it ends at once: whoever waits for an answer is told
/// 503.
#[must_use = "a server that is dropped ends"]
pub struct Server {
    local_addr: SocketAddr,
    clock: Arc<dyn Clock>,
    ready: Arc<AtomicBool>,
    occupancy: Arc<Occupancy>,
    mailboxes: Vec<Arc<Mailbox<Answer>>>,
    // In this order: the graph ends the reactors' workers, then their threads can be joined.
    running: Running,
    threads: Threads,
}

/// The reactors' threads.
struct Threads {
    handles: Vec<JoinHandle<()>>,
    /// Disconnected when all of them have ended.
    ended: Receiver<()>,
}

impl Server {
    pub(crate) fn start(http: Http, running: Running) -> Result<Self, ServeError> {
        let Http { config, listener, local_addr, pool, sources, classify } = http;
        let pool = pool.filter(|_| !sources.is_empty()).ok_or(ServeError::NoEntry)?;
        let workers = running.hosted_workers(pool);
        if workers.len() != sources.len() {
            return Err(ServeError::NoWorkers);
        }
        let berths = (0..workers.len()).map(|reactor| {
            Berth::<Answer>::new().map_err(|source| ServeError::Reactor { reactor, source })
        });
        let berths = berths.collect::<Result<Vec<_>, _>>()?;
        let mailboxes: Vec<_> = berths.iter().map(|berth| Arc::clone(berth.mailbox())).collect();
        let occupancy = Arc::new(Occupancy::default());
        let mut acceptor = Some(Acceptor::new(
            listener,
            mailboxes.clone(),
            config.connections,
            Arc::clone(&occupancy),
        ));
        let (leaving, ended) = unbounded();
        let mut server = Self {
            local_addr,
            clock: running.clock(),
            ready: Arc::new(AtomicBool::new(true)),
            occupancy,
            mailboxes,
            running,
            threads: Threads { handles: Vec::new(), ended },
        };
        for (reactor, ((berth, worker), source)) in
            berths.into_iter().zip(workers).zip(sources).enumerate()
        {
            let running = &server.running;
            let home = Arc::clone(berth.mailbox()) as Arc<dyn Home<Answer>>;
            let snapshots = running.snapshots();
            let entrance = Entrance {
                source,
                admin: Admin::new(snapshots.clone(), Arc::clone(&home), Arc::clone(&server.ready)),
                home,
                retry_after: RetryAfter::new(
                    snapshots,
                    running.clock(),
                    config.retry_after,
                    reactor as u64,
                ),
                classify: classify.clone(),
                terms: Terms { deadline: config.deadline, ..Terms::default() },
            };
            let clock = running.clock();
            let made = make_reactor(berth, acceptor.take(), &config, entrance, clock);
            let spawned = made.and_then(|made| spawn(made, worker, leaving.clone()));
            let handle = spawned.map_err(|source| ServeError::Reactor { reactor, source })?;
            server.threads.handles.push(handle);
        }
        tracing::info!(address = %server.local_addr, "serves");
        Ok(server)
    }

    /// The address it listens on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The running graph, for its report, its journal and its settings.
    pub fn graph(&self) -> &Running {
        &self.running
    }

    /// Ends in good order, within `limit`.
    ///
    /// 1. `/_seda/ready` says 503.
    /// 2. Connections that wait in the backlog are accepted, then the listener is closed.
    /// 3. The graph stays open: what was begun on a connection is finished, its last answer says
    ///    `Connection: close`. A connection without a request is looked at once more and closed.
    ///    So every request that was received before our FIN is answered.
    /// 4. When no connection is left, or nine tenths of the limit have passed, the graph drains.
    ///    Who still waits then is answered 503.
    pub fn drain(self, limit: Duration) -> Drained {
        let begun = self.clock.now();
        self.ready.store(false, Ordering::SeqCst);
        for mailbox in &self.mailboxes {
            mailbox.post(Letter::Drain);
        }
        let for_connections = limit - limit / KEPT_FOR_GRAPH;
        if !self.occupancy.wait_until_empty(for_connections) {
            tracing::warn!("connections are left at the limit of the drain");
        }
        let left = limit.saturating_sub(self.clock.now().since(begun));
        self.running.drain(left)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("local_addr", &self.local_addr).finish_non_exhaustive()
    }
}

impl Drop for Threads {
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

fn make_reactor(
    berth: Berth<Answer>,
    acceptor: Option<Acceptor<Answer>>,
    config: &HttpConfig,
    entrance: Entrance,
    clock: Arc<dyn Clock>,
) -> io::Result<Reactor<Http1, Entrance>> {
    Reactor::new(berth, acceptor, Http1::new(config.limits), entrance, config.settings(), clock)
}

/// Starts the thread of one reactor. It ends with its worker; `leaving` is dropped then.
fn spawn(
    mut reactor: Reactor<Http1, Entrance>,
    worker: Worker,
    leaving: Sender<()>,
) -> io::Result<JoinHandle<()>> {
    Builder::new().name(worker.thread_name()).spawn(move || {
        let _leaving = leaving;
        worker.run(Seat(&mut reactor));
        reactor.farewell();
    })
}
