//! The watch for hot pools: it flags, and leaves it to others to act.

use crate::config::{Mode, Settings};
use crate::control::hotspot::detector::Hotspot;
use crate::control::pool_size::PoolObservation;
use crate::monitor::Engine;
use crate::stage::{Controller, Decision};

impl Engine {
    /// Looks at the utilization of every pool, once per tick; a flag that changes is journaled. Who
    /// only observes flags nothing; switched off, it forgets what it has seen.
    pub(crate) fn journal_hotspots(&self, seen: &[Option<PoolObservation>], settings: &Settings) {
        let (mode, config) = (settings.control.hotspot, settings.control.hot);
        let acts = mode == Mode::On;
        let mut hotspots = self.hotspots.lock();
        // With other settings what was seen says something else.
        if mode == Mode::Off || hotspots.iter().any(|hotspot| hotspot.config() != config) {
            hotspots.clear();
        }
        if mode == Mode::Off {
            self.pools.iter().for_each(|pool| pool.core.set_hot(false));
            return;
        }
        hotspots.resize_with(self.pools.len(), || Hotspot::new(config));
        for ((pool, hotspot), seen) in self.pools.iter().zip(hotspots.iter_mut()).zip(seen) {
            let change = seen.as_ref().and_then(|seen| hotspot.observe(seen.utilization));
            pool.core.set_hot(acts && hotspot.is_hot());
            let Some(change) = change else { continue };
            self.core.journal.write(Decision {
                at_seconds: self.now().as_secs_f64(),
                controller: Controller::Hotspot,
                stage: Some(pool.core.name.to_string()),
                seen: format!("utilization: {change}"),
                action: if change.hot { "flagged it as hot" } else { "took the flag back" }
                    .to_owned(),
                changed: format!("hot {} → {}", !change.hot, change.hot),
                acted: acts,
            });
        }
    }
}
