//! Flags hot pools once per tick. It changes nothing else: the flag is for reports.

use crate::config::{HotspotConfig, Pools};
use crate::control::hotspot::detector::Hotspot;
use crate::control::pool_size::PoolObservation;
use crate::control::tick::Tick;
use crate::monitor::Topology;
use crate::stage::{Controller, Decision};

/// Flags pools that are hot.
pub(in crate::control) struct HotspotController {
    hotspots: Pools<Hotspot>,
}

impl HotspotController {
    pub(in crate::control) fn new(topology: &Topology, config: HotspotConfig) -> Self {
        Self { hotspots: topology.pools.map(|_, _| Hotspot::new(config)) }
    }

    /// Updates every pool's flag from its utilization, and journals each change. In mode `observe`
    /// no pool is flagged.
    pub(in crate::control) fn act(&mut self, seen: &Pools<PoolObservation>, tick: &Tick<'_>) {
        let config = tick.settings.control.hot;
        // Observations under other settings do not count, so detection starts again.
        if self.hotspots.iter().any(|hotspot| hotspot.config() != config) {
            *self = Self::new(tick.topology, config);
        }
        for (index, pool) in tick.topology.pools.entries() {
            let hotspot = &mut self.hotspots[index];
            let change = hotspot.observe(seen[index].utilization);
            pool.core.set_hot(tick.acts && hotspot.is_hot());
            let Some(change) = change else { continue };
            tick.record(
                Decision::by(Controller::Hotspot, tick.now)
                    .stage(&*pool.core.name)
                    .seen(format!("utilization: {change}"))
                    .action(if change.hot { "flagged it as hot" } else { "removed the flag" })
                    .changed(format!("hot {} → {}", !change.hot, change.hot))
                    .acted(tick.acts),
            );
        }
    }

    /// Removes all flags and forgets all observations, when the controller is off.
    pub(in crate::control) fn reset(&mut self, tick: &Tick<'_>) {
        *self = Self::new(tick.topology, tick.settings.control.hot);
        tick.topology.pools.iter().for_each(|pool| pool.core.set_hot(false));
    }
}
