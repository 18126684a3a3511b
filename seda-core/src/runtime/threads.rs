//! The threads of a running graph: workers, the controller, and the one that tells owners.

use crate::config::{GraphError, PoolIndex};
use crate::control::ControlPlane;
use crate::monitor::report::Report;
use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Deadline, catch_panic};
use crate::pool::CondvarPark;
use crate::runtime::snapshots::{Message, Snapshots, Wish};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, unbounded};
use std::io;
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// How old a snapshot may be that is given out: fresh for a person, and a flood of questions
/// costs four reports a second.
const SNAPSHOT_AGE: Duration = Duration::from_millis(250);

/// A channel that is told when a thread ends, so that ending can be waited for with a limit.
struct Exit {
    sender: Sender<()>,
    receiver: Receiver<()>,
}

pub(super) struct Threads {
    messages: Sender<Message>,
    workers: Mutex<Vec<JoinHandle<()>>>,
    services: Mutex<Vec<JoinHandle<()>>>,
    exit: Exit,
}

impl Threads {
    pub(super) fn start(plane: &Arc<ControlPlane>) -> Result<Arc<Self>, GraphError> {
        let (messages, inbox) = unbounded();
        let (sender, receiver) = unbounded();
        let threads = Arc::new(Self {
            messages,
            workers: Mutex::default(),
            services: Mutex::default(),
            exit: Exit { sender, receiver },
        });
        let started = threads.start_all(plane, inbox);
        if started.is_err() {
            threads.stop_services(plane, SNAPSHOT_AGE);
            plane.topology.pools.iter().for_each(|pool| pool.core.stop());
        }
        started.map(|()| threads)
    }

    fn start_all(
        self: &Arc<Self>,
        plane: &Arc<ControlPlane>,
        inbox: Receiver<Message>,
    ) -> Result<(), GraphError> {
        for index in plane.topology.pools.indices() {
            self.try_hire(plane, index)?;
        }
        let name = format!("{}-control", plane.topology.core.name);
        let (controlled, threads) = (Arc::clone(plane), Arc::downgrade(self));
        let exit = Leaving(self.exit.sender.clone());
        let control = spawn(&name, move || {
            let _exit = exit;
            Control { plane: controlled, inbox, cached: None }.run(|plane| {
                if let Some(threads) = threads.upgrade() {
                    plane
                        .topology
                        .pools
                        .indices()
                        .for_each(|index| threads.add_worker(plane, index));
                }
            });
        })?;
        let core = Arc::clone(&plane.topology.core);
        let lost = spawn(&format!("{}-lost", core.name), move || core.disposal.run_until_closed())?;
        self.services.lock().extend([control, lost]);
        Ok(())
    }

    /// Starts the workers that a pool should have and has not; a machine without threads to
    /// give is logged, and asked again on the next tick.
    pub(super) fn add_worker(&self, plane: &Arc<ControlPlane>, index: PoolIndex) {
        if let Err(error) = self.try_hire(plane, index) {
            tracing::error!(%error, "a pool could not grow");
        }
    }

    fn try_hire(&self, plane: &Arc<ControlPlane>, index: PoolIndex) -> Result<(), GraphError> {
        if plane.topology.pools[index].core.hosted {
            return Ok(());
        }
        while let Some(worker) = plane.topology.add_worker(index) {
            let name = worker.thread_name();
            let exit = Leaving(self.exit.sender.clone());
            let spawned = spawn(&name, move || {
                let _exit = exit;
                worker.run(CondvarPark::new());
            });
            // Without a thread the worker is dropped, and counts as gone.
            self.workers.lock().push(spawned?);
        }
        self.workers.lock().retain(|handle| !handle.is_finished());
        Ok(())
    }

    /// Follows changed settings: hires who is missing, and has the controller look at its tick.
    pub(super) fn follow(&self, plane: &Arc<ControlPlane>) {
        plane.topology.pools.indices().for_each(|index| self.add_worker(plane, index));
        let _ = self.messages.send(Message::Settings);
    }

    pub(super) fn snapshots(&self) -> Snapshots {
        Snapshots::new(self.messages.clone())
    }

    /// Waits until a worker thread ends, for `limit` at most.
    pub(super) fn wait_for_exit(&self, limit: Duration) {
        let _ = self.exit.receiver.recv_timeout(limit);
    }

    /// Joins the workers that have ended and lets the others go: a thread that is stuck in user
    /// code cannot be ended.
    pub(super) fn release_workers(&self) {
        for handle in self.workers.lock().drain(..) {
            if handle.is_finished() {
                let _ = handle.join();
            }
        }
    }

    /// Ends the controller, and the thread that tells owners once it has told them all; waits
    /// for them for `limit` at most, as both may be held up by user code.
    pub(super) fn stop_services(&self, plane: &ControlPlane, limit: Duration) {
        let _ = self.messages.send(Message::Stop);
        plane.topology.core.disposal.close();
        let deadline = Deadline::after(limit);
        let services = std::mem::take(&mut *self.services.lock());
        while services.iter().any(|service| !service.is_finished()) {
            let left = deadline.left();
            if left.is_zero() {
                return;
            }
            // A thread announces its end just before it has ended.
            self.wait_for_exit(left.min(Duration::from_millis(1)));
        }
    }
}

/// Announces the end of a thread, however it comes about.
struct Leaving(Sender<()>);

impl Drop for Leaving {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, GraphError> {
    let spawned: io::Result<_> = Builder::new().name(name.to_owned()).spawn(run);
    spawned.map_err(|source| GraphError::Thread { thread: name.to_owned(), source })
}

/// The controller's thread: ticks, and hands out snapshots in between.
struct Control {
    plane: Arc<ControlPlane>,
    inbox: Receiver<Message>,
    cached: Option<Arc<Report>>,
}

impl Control {
    fn run(mut self, hire: impl Fn(&Arc<ControlPlane>)) {
        let due = |plane: &ControlPlane| {
            plane.topology.now().after(plane.topology.settings().control.tick)
        };
        let mut next = due(&self.plane);
        loop {
            match self.inbox.recv_timeout(next.since(self.plane.topology.now())) {
                Ok(Message::Snapshot(wish)) => self.answer(wish),
                Err(RecvTimeoutError::Timeout) => {
                    self.plane.tick();
                    hire(&self.plane);
                    // From now, not from when it was due: a late tick is not followed by a burst.
                    next = due(&self.plane);
                }
                Ok(Message::Settings) => {
                    // One that is due sooner stays: changes that keep coming do not put it off.
                    next = next.min(due(&self.plane));
                    self.cached = None;
                }
                Ok(Message::Stop) | Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn answer(&mut self, wish: Wish) {
        let uptime = self.plane.topology.now().as_secs_f64();
        let fresh = self
            .cached
            .as_ref()
            .filter(|report| uptime - report.uptime_seconds < SNAPSHOT_AGE.as_secs_f64());
        let report = match fresh {
            Some(report) => Arc::clone(report),
            None => Arc::new(self.plane.report()),
        };
        self.cached = Some(Arc::clone(&report));
        if catch_panic(|| wish(report)).is_none() {
            tracing::error!("taking a snapshot panicked");
        }
    }
}
