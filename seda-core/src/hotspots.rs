//! The watch for hot pools: it flags, and leaves it to others to act.

use crate::control::{Controller, Decision, Hotspot, HotspotConfig, PoolObservation};
use crate::engine::Engine;

impl Engine {
    /// Looks at the utilization of every pool, once per tick; a flag that changes is journaled.
    pub(crate) fn flag_hot_pools(&self, seen: &[Option<PoolObservation>]) {
        let mut hotspots = self.hotspots.lock();
        hotspots.resize_with(self.pools.len(), || Hotspot::new(HotspotConfig::default()));
        for ((pool, hotspot), seen) in self.pools.iter().zip(hotspots.iter_mut()).zip(seen) {
            let Some(seen) = seen else { continue };
            let Some(change) = hotspot.observe(seen.utilization) else { continue };
            pool.core.set_hot(change.hot);
            self.core.journal.write(Decision {
                at_seconds: self.now().as_secs_f64(),
                controller: Controller::Hotspot,
                stage: Some(pool.core.name.to_string()),
                seen: format!("utilization: {change}"),
                action: if change.hot { "flagged it as hot" } else { "took the flag back" }
                    .to_owned(),
                changed: format!("hot {} → {}", !change.hot, change.hot),
                acted: true,
            });
        }
    }
}
