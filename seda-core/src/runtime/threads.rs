//! The threads of a running graph: its workers, and two services.
//!
//! The *control* thread ticks the control plane and makes snapshots. The *lost* thread notifies the
//! owners of events that the valve shed. Each thread announces its exit on a channel, so a drain
//! can wait for it with a limit.

use crate::config::{GraphError, PoolIndex};
use crate::control::ControlPlane;
use crate::monitor::history::STAGES_MOST;
use crate::monitor::report::Report;
use crate::platform::rng::unpredictable;
use crate::platform::sync::{Arc, Mutex, Weak};
use crate::platform::{Deadline, Time, catch_panic};
use crate::pool::CondvarPark;
use crate::runtime::snapshots::{Message, SecondReader, SnapshotRequest, Snapshots, time_left};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The longest wait for services that end because a worker could not be started.
const START_FAILURE_LIMIT: Duration = Duration::from_millis(250);

/// The pause between two looks at services that have announced their exit. The announcement comes
/// just before the thread ends.
const EXIT_SLICE: Duration = Duration::from_millis(1);

/// The mean time between two looks at what busy workers are blocked in: 25 per second, of which
/// ten seconds tell a share within 6 %.
const LOOK_INTERVAL: Duration = Duration::from_millis(40);

/// The length of a record of the history. It ends with the first tick after that.
const SECOND: Duration = Duration::from_secs(1);

/// An early tick comes at least this part of the interval after the tick before it.
pub(super) const EARLY_TICK_PART: u32 = 10;

/// The channel on which threads announce their exit.
struct Exits {
    sender: Sender<()>,
    receiver: Receiver<()>,
}

/// The threads of one graph.
pub(super) struct Threads {
    messages: Sender<Message>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    services: Mutex<Vec<JoinHandle<()>>>,
    exits: Exits,
}

impl Threads {
    /// Starts all workers and services of a graph.
    ///
    /// # Errors
    /// [`GraphError::Thread`] if the machine refuses a thread. Threads that were started are ended.
    pub(super) fn start(plane: &Arc<ControlPlane>) -> Result<Arc<Self>, GraphError> {
        let (messages, inbox) = unbounded();
        let (sender, receiver) = unbounded();
        let threads = Arc::new(Self {
            messages,
            workers: Mutex::default(),
            services: Mutex::default(),
            exits: Exits { sender, receiver },
        });
        let started = threads.start_all(plane, inbox);
        if started.is_err() {
            threads.stop_services(plane, START_FAILURE_LIMIT);
            plane.topology.pools.iter().for_each(|pool| pool.core.stop());
        }
        started.map(|()| threads)
    }

    fn start_all(
        self: &Arc<Self>,
        plane: &Arc<ControlPlane>,
        inbox: Receiver<Message>,
    ) -> Result<(), GraphError> {
        plane.topology.core.admission.salt_tenants(unpredictable());
        for index in plane.topology.pools.indices() {
            self.try_add_workers(plane, index)?;
        }
        let messages = self.messages.clone();
        plane.topology.core.calls.early_tick.set_wake(move || {
            // A send fails only after the end.
            let _ = messages.send(Message::EarlyTick);
        });
        let graph = &plane.topology.core.name;
        let control = ControlThread {
            plane: Arc::clone(plane),
            threads: Arc::downgrade(self),
            inbox,
            cached: None,
            deferred: Vec::new(),
            second_readers: Vec::new(),
            second_ends: plane.topology.now().after(SECOND),
        };
        let control = self.spawn(&format!("{graph}-control"), move || control.run())?;
        self.services.lock().push(control);
        let core = Arc::clone(&plane.topology.core);
        let lost =
            self.spawn(&format!("{graph}-lost"), move || core.loss_notifier.run_until_closed())?;
        self.services.lock().push(lost);
        Ok(())
    }

    /// Starts the missing workers of a pool. If the machine refuses a thread, that is logged, and
    /// the next tick tries again.
    pub(super) fn add_workers(&self, plane: &Arc<ControlPlane>, index: PoolIndex) {
        if let Err(error) = self.try_add_workers(plane, index) {
            let pool = &plane.topology.pools[index].core.name;
            tracing::error!(%error, %pool, "a pool could not start a worker");
        }
    }

    fn try_add_workers(
        &self,
        plane: &Arc<ControlPlane>,
        index: PoolIndex,
    ) -> Result<(), GraphError> {
        // The program runs the workers of a hosted pool.
        if plane.topology.pools[index].core.hosted {
            return Ok(());
        }
        while let Some(worker) = plane.topology.add_worker(index) {
            let name = worker.thread_name();
            // If no thread starts, the worker is dropped and leaves the pool's count.
            let thread = self.spawn(&name, move || worker.run(CondvarPark::new()))?;
            self.workers.lock().push(thread);
        }
        self.workers.lock().retain(|thread| !thread.is_finished());
        Ok(())
    }

    /// Applies changed settings: starts missing workers, and makes the control thread reread its
    /// tick.
    pub(super) fn follow(&self, plane: &Arc<ControlPlane>) {
        plane.topology.pools.indices().for_each(|index| self.add_workers(plane, index));
        let _ = self.messages.send(Message::Settings);
    }

    /// Returns a handle for cached snapshots.
    pub(super) fn snapshots(&self, plane: &ControlPlane) -> Snapshots {
        let core = Arc::clone(&plane.topology.core);
        Snapshots::new(self.messages.clone(), core, Arc::clone(&plane.history))
    }

    /// Waits until a thread ends, for `limit` at most.
    pub(super) fn wait_for_exit(&self, limit: Duration) {
        let _ = self.exits.receiver.recv_timeout(limit);
    }

    /// Joins the workers that have ended and detaches the others, which are stuck in user code.
    pub(super) fn release_workers(&self) {
        for thread in self.workers.lock().drain(..) {
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }

    /// Stops the control thread, and the notifier once it has notified all owners. Waits for
    /// `limit` at most, because both may be in user code.
    pub(super) fn stop_services(&self, plane: &ControlPlane, limit: Duration) {
        let _ = self.messages.send(Message::Stop);
        plane.topology.core.loss_notifier.close();
        let limit = Deadline::after(limit);
        let services = std::mem::take(&mut *self.services.lock());
        while services.iter().any(|service| !service.is_finished()) {
            let left = limit.left();
            if left.is_zero() {
                return;
            }
            self.wait_for_exit(left.min(EXIT_SLICE));
        }
    }

    /// Starts a thread that announces its exit.
    fn spawn(
        &self,
        name: &str,
        run: impl FnOnce() + Send + 'static,
    ) -> Result<JoinHandle<()>, GraphError> {
        let exit = ExitNotice(self.exits.sender.clone());
        let spawned: io::Result<_> = Builder::new().name(name.to_owned()).spawn(move || {
            let _exit = exit;
            run();
        });
        spawned.map_err(|source| GraphError::Thread { thread: name.to_owned(), source })
    }
}

/// Announces the exit of a thread when dropped, also by a panic.
struct ExitNotice(Sender<()>);

impl Drop for ExitNotice {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// The control thread: it ticks the control plane and answers snapshot requests in between.
struct ControlThread {
    plane: Arc<ControlPlane>,
    threads: Weak<Threads>,
    inbox: Receiver<Message>,
    cached: Option<Arc<Report>>,
    /// The requests for the snapshot after the cached one.
    deferred: Vec<SnapshotRequest>,
    /// The readers of the report of each second.
    second_readers: Vec<SecondReader>,
    /// The end of the present second of the history.
    second_ends: Time,
}

impl ControlThread {
    fn run(mut self) {
        let mut next = self.next_tick();
        let mut earliest = self.earliest_tick();
        // The next look at blocked workers; `None` while none blocks.
        let mut look: Option<Time> = None;
        loop {
            self.answer_deferred();
            let wake = look.map_or(next, |look| look.min(next));
            match self.inbox.recv_timeout(self.pause(wake)) {
                Ok(Message::Snapshot(request)) => self.answer(request),
                Ok(Message::NextSnapshot(request)) => self.deferred.push(request),
                Ok(Message::EachSecond(reader)) => self.second_readers.push(reader),
                Err(RecvTimeoutError::Timeout) if self.plane.topology.now() < wake => {}
                Err(RecvTimeoutError::Timeout) => {
                    if next == wake {
                        self.tick();
                        self.end_second();
                        // Counted from now, so a late tick is not followed by a burst of ticks.
                        next = self.next_tick();
                        earliest = self.earliest_tick();
                    }
                    if look.is_none_or(|look| look <= self.plane.topology.now()) {
                        look = self.plane.sample_blocked().then(|| self.next_look());
                    }
                }
                Ok(Message::Settings) => {
                    // An earlier tick stays due: frequent changes do not postpone it.
                    next = next.min(self.next_tick());
                    self.cached = None;
                }
                Ok(Message::EarlyTick) => next = next.min(earliest),
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn next_tick(&self) -> Time {
        let topology = &self.plane.topology;
        topology.now().after(topology.settings().control.tick)
    }

    /// Returns the earliest time of a tick after the present one, a tenth of the interval away: a
    /// shorter tick sees too little, and a hundred new stages cause ten ticks.
    fn earliest_tick(&self) -> Time {
        let topology = &self.plane.topology;
        topology.now().after(topology.settings().control.tick / EARLY_TICK_PART)
    }

    /// Returns a time in 20 to 60 ms. The interval varies, so that looks meet every phase of
    /// handlers that repeat at a fixed rate.
    fn next_look(&self) -> Time {
        let spread = LOOK_INTERVAL.as_nanos() as u64;
        let nanos = spread / 2 + unpredictable() % spread;
        self.plane.topology.now().after(Duration::from_nanos(nanos))
    }

    fn tick(&self) {
        self.plane.tick();
        if let Some(threads) = self.threads.upgrade() {
            let pools = &self.plane.topology.pools;
            pools.indices().for_each(|index| threads.add_workers(&self.plane, index));
        }
    }

    /// Adds the past second to the history, if it is over. Readers get its report.
    fn end_second(&mut self) {
        let topology = &self.plane.topology;
        let now = topology.now();
        let has_history = topology.stages.len() <= STAGES_MOST;
        if now < self.second_ends || !has_history && self.second_readers.is_empty() {
            return;
        }
        // Seconds follow each other without a drift, unless one was late by more than a second.
        let next = self.second_ends.after(SECOND);
        self.second_ends = if next > now { next } else { now.after(SECOND) };
        let report = Arc::new(self.plane.report());
        if has_history {
            self.plane.history.lock().push(Arc::clone(&report));
        }
        let readers = std::mem::take(&mut self.second_readers).into_iter();
        self.second_readers = readers.filter_map(|reader| read_second(reader, &report)).collect();
        self.cached = Some(report);
    }

    /// Returns the time to wait for a message: until the tick at `next`, or until the cached
    /// snapshot is out of date if a request waits for that.
    fn pause(&self, next: Time) -> Duration {
        let until_tick = next.since(self.plane.topology.now());
        if self.deferred.is_empty() { until_tick } else { until_tick.min(self.cache_left()) }
    }

    /// Returns the time until the cached snapshot is out of date; zero if there is none.
    fn cache_left(&self) -> Duration {
        let cached = self.cached.as_ref();
        cached.map_or(Duration::ZERO, |report| time_left(report, &self.plane.topology.core))
    }

    /// Answers the requests for the next snapshot, once the cached one is out of date.
    fn answer_deferred(&mut self) {
        if !self.deferred.is_empty() && self.cache_left().is_zero() {
            std::mem::take(&mut self.deferred).into_iter().for_each(|request| self.answer(request));
        }
    }

    fn answer(&mut self, request: SnapshotRequest) {
        let report = match &self.cached {
            Some(report) if !self.cache_left().is_zero() => Arc::clone(report),
            _ => Arc::new(self.plane.report()),
        };
        self.cached = Some(Arc::clone(&report));
        if catch_panic(|| request(report)).is_none() {
            tracing::error!("a reader of a snapshot panicked");
        }
    }
}

/// Calls a reader with the report of a second. Returns it if it wants the next one, too.
fn read_second(mut reader: SecondReader, report: &Arc<Report>) -> Option<SecondReader> {
    // The reader is dropped inside of the panic boundary.
    let read = catch_panic(move || reader(report).then_some(reader));
    if read.is_none() {
        tracing::error!("a reader of the report of each second panicked");
    }
    read.flatten()
}
