//! How much a stage has to do, for a handler that can do less.

use crate::stats::Ewma;
use crate::worker::context::Context;

/// Over how many askings the pressure is smoothed: a burst of one batch changes little, and a
/// flood is known after a dozen events.
const SMOOTHED: Ewma = Ewma::over(7.0);

impl Context {
    /// How close the stage that is run is to turning requests of this class away, 0 to 1, smoothed
    /// over the last few askings of this worker. A handler that can give a cheaper answer gives it
    /// from some point on, 0.5 for instance: then more is served, the pressure falls, and nobody
    /// is refused before that was not enough (Welsh & Culler, USITS 2003, section 3.4).
    ///
    /// With an [SLO](crate::config::SloConfig) it is the share of the admission limit that is used, else
    /// the share of the queue's soft capacity. Costs one lock; ask once per event.
    ///
    /// ```
    /// # use seda_core::{Context, Graph};
    /// # let mut graph = Graph::new("pages");
    /// # let page = graph.stage::<u32>("page", 64);
    /// # let (rich, cheap) = (|_| {}, |_| {});
    /// graph.attach_each(page, |_wire| {
    ///     move |n, cx: &mut Context| if cx.pressure() < 0.5 { rich(n) } else { cheap(n) }
    /// })?;
    /// # Ok::<(), seda_core::GraphError>(())
    /// ```
    pub fn pressure(&mut self) -> f64 {
        let Some((stage, place)) = &self.stage else { return 0.0 };
        let (queued, room) = stage.crowding();
        // An observing gate says nothing: to give cheaper answers would be to act.
        let acts = self.graph.admission.acts();
        let gate = self.graph.admission.gate(stage.index()).filter(|_| acts);
        let limited = gate.and_then(|gate| gate.fullness(self.meta.class, queued));
        let now = limited.unwrap_or_else(|| queued as f64 / room.max(1) as f64).min(1.0);
        let place = *place;
        if self.pressures.len() <= place {
            self.pressures.resize(place + 1, 0.0);
        }
        let Some(pressure) = self.pressures.get_mut(place) else { return now };
        // Each asking weighs an eighth.
        *pressure = SMOOTHED.next(*pressure, now, 1.0);
        *pressure
    }
}
