//! The tick of the control plane: collect, observe, decide, act, export. `runtime/threads.rs` has
//! the loop that calls it.

use crate::config::Settings;
use crate::control::admission::{AdmissionController, MakeLaw};
use crate::control::aqm::AqmController;
use crate::control::batch_size::{BatchSizeController, BatchSizePolicy};
use crate::control::expiry::shed_expired;
use crate::control::hotspot::HotspotController;
use crate::control::outstanding::OutstandingController;
use crate::control::pool_size::{PoolSizeController, PoolSizePolicy, observe_pools};
use crate::control::tick::Tick;
use crate::control::valve::journal_evictions;
use crate::control::watch::watch_workers;
use crate::monitor::history::HistoryRing;
use crate::monitor::report::Report;
use crate::monitor::{Export, Monitor, Topology};
use crate::platform::catch_panic;
use crate::platform::sync::{Arc, Mutex};
use std::fmt;

/// The program's own policies. `None` selects the default policy.
pub(crate) struct Policies {
    /// By pool.
    pub(crate) pool_sizes: Vec<Option<Box<dyn PoolSizePolicy>>>,
    /// By stage.
    pub(crate) batch_sizes: Vec<Option<Box<dyn BatchSizePolicy>>>,
    pub(crate) law: Option<MakeLaw>,
}

/// The controllers that only the tick calls, in the order in which they act.
struct Controllers {
    hotspot: HotspotController,
    aqm: AqmController,
    pool_size: PoolSizeController,
    outstanding: OutstandingController,
    batch_size: BatchSizeController,
}

/// The control plane of one graph.
///
/// It has two locks, beside those of `admission`, taken in this order:
///
/// 1. `controllers`: held by the tick alone, for its whole length.
/// 2. `monitor`: held by a tick while controllers observe, by a report, and by a change of
///    settings.
///
/// The program's code (policies, laws, the recorder of metrics) runs without the monitor's lock, so
/// it may ask for a report or change settings.
pub(crate) struct ControlPlane {
    pub(crate) topology: Topology,
    monitor: Mutex<Monitor>,
    controllers: Mutex<Controllers>,
    /// Has locks of its own, because new settings reach it between two ticks.
    admission: AdmissionController,
    /// The lock guards the past seconds. It is held to add one, once a second, and to copy them; no
    /// other lock is taken meanwhile.
    pub(crate) history: Arc<Mutex<HistoryRing>>,
}

impl ControlPlane {
    pub(crate) fn new(topology: Topology, policies: Policies) -> Arc<Self> {
        let settings = topology.settings();
        let Policies { pool_sizes, batch_sizes, law } = policies;
        let controllers = Controllers {
            hotspot: HotspotController::new(&topology, settings.control.hot),
            aqm: AqmController::new(&topology),
            pool_size: PoolSizeController::new(pool_sizes, &settings.control),
            outstanding: OutstandingController::new(&topology, &settings.control),
            batch_size: BatchSizeController::new(batch_sizes),
        };
        let plane = Self {
            monitor: Mutex::new(Monitor::new(&topology)),
            controllers: Mutex::new(controllers),
            admission: AdmissionController::new(law),
            history: Arc::default(),
            topology,
        };
        plane.admission.set_first_limits(&plane.untimed(&settings));
        Arc::new(plane)
    }

    /// Runs one tick. If the clock has not advanced, no controller acts, because a tick of zero
    /// length has no rates.
    pub(crate) fn tick(&self) {
        let topology = &self.topology;
        journal_evictions(topology);
        let now = topology.now();
        shed_expired(topology, now);
        let mut controllers = self.controllers.lock();
        let Controllers { hotspot, aqm, pool_size, outstanding, batch_size } = &mut *controllers;
        // Under the monitor's lock: collect, then let every controller observe.
        let mut monitor = self.monitor.lock();
        let settings = topology.settings();
        monitor.collect(topology, now);
        watch_workers(&Tick::new(now, topology, &settings));
        if !monitor.has_length() {
            let exported = Export::of(topology, &monitor);
            drop(monitor);
            return export(exported);
        }
        let pools = observe_pools(&monitor, topology, &settings);
        let requests = self.admission.observe(&monitor, topology, &settings, &pools);
        let batches = batch_size.observe(&monitor, topology);
        let places = outstanding.observe(&monitor, topology, &settings);
        let queues = aqm.observe(&monitor);
        let exported = Export::of(topology, &monitor);
        monitor.close_tick(topology, now);
        drop(monitor);
        // The lock is free: each controller decides and acts, in its mode.
        let control = &settings.control;
        let tick = Tick::new(now, topology, &settings);
        if control.hotspot.watches() {
            hotspot.act(&pools, &tick.in_mode(control.hotspot));
        } else {
            hotspot.reset(&tick);
        }
        aqm.act(&queues, &tick.in_mode(control.queue_delay));
        // A drain keeps the present numbers of workers and places outside.
        if !topology.core.is_draining() {
            if control.pool_size.watches() {
                pool_size.act(&pools, &tick.in_mode(control.pool_size));
            }
            if control.outstanding.watches() {
                outstanding.act(&places, &tick.in_mode(control.outstanding));
            }
        }
        if control.batch_size.watches() {
            batch_size.act(&batches, &tick.in_mode(control.batch_size));
        } else {
            batch_size.reset(&tick);
        }
        self.admission.act(requests.as_ref(), &tick.in_mode(control.admission));
        export(exported);
    }

    /// Collects what the workers have recorded. A drain calls this before it ends them.
    pub(crate) fn collect(&self) {
        self.monitor.lock().collect(&self.topology, self.topology.now());
    }

    /// Samples what busy workers are blocked in; returns false if none of them blocks. A tick finds
    /// out anew.
    pub(crate) fn sample_blocked(&self) -> bool {
        let mut monitor = self.monitor.lock();
        let blocks = monitor.has_blocked_workers();
        if blocks {
            monitor.recent.blocked.look(&self.topology, self.topology.now());
        }
        blocks
    }

    /// Returns a snapshot; its rates are over the last second or so.
    pub(crate) fn report(&self) -> Report {
        journal_evictions(&self.topology);
        let mut monitor = self.monitor.lock();
        monitor.collect(&self.topology, self.topology.now());
        Report::of_window(&self.topology, &monitor)
    }

    /// Returns a snapshot; its rates are over the graph's whole life.
    pub(crate) fn final_report(&self) -> Report {
        journal_evictions(&self.topology);
        let mut monitor = self.monitor.lock();
        monitor.collect(&self.topology, self.topology.now());
        Report::of_life(&self.topology, &monitor)
    }

    /// Replaces the settings by the result of `replace`. It holds the monitor's lock, so a tick or
    /// a report sees all of the new settings or none; concurrent changes are serialized.
    pub(super) fn replace_settings<T, E>(
        &self,
        replace: impl FnOnce(&Settings) -> Result<(Settings, T), E>,
    ) -> Result<T, E> {
        let _no_tick = self.monitor.lock();
        let (settings, result) = replace(&self.topology.settings())?;
        self.topology.set_settings(settings);
        Ok(result)
    }

    /// Applies changed settings to the gates.
    pub(super) fn follow_slos(&self) {
        self.admission.follow(&self.untimed(&self.topology.settings()));
    }

    /// Returns a tick for the admission controller, which also acts between two ticks.
    fn untimed<'a>(&'a self, settings: &'a Settings) -> Tick<'a> {
        let tick = Tick::new(self.topology.now(), &self.topology, settings);
        tick.in_mode(settings.control.admission)
    }
}

fn export(exported: Export) {
    if catch_panic(|| exported.record()).is_none() {
        tracing::error!("the recorder of metrics panicked");
    }
}

impl fmt::Debug for ControlPlane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let graph = &self.topology.core.name;
        f.debug_struct("ControlPlane").field("graph", graph).finish_non_exhaustive()
    }
}
