//! The load of a stage, for handlers that can do less work per event.

use crate::stage::Crowding;
use crate::stats::Ewma;
use crate::worker::context::Context;

/// The pressure, smoothed over eight calls: a burst of one batch changes little, and an overload
/// shows after a dozen events.
const SMOOTHED: Ewma = Ewma::over(7.0);

impl Context {
    /// Returns how close the running stage is to refusing requests of this class, 0 to 1, smoothed
    /// over the last few calls on this worker. A handler can give a cheaper answer above some
    /// value, for example 0.5: it then serves more requests, and the pressure falls before any
    /// request is refused (Welsh & Culler, USITS 2003, section 3.4).
    ///
    /// With an [SLO](crate::SloConfig) it is the used share of the admission limit, else that of
    /// the queue's soft capacity. Costs one lock; call it once per event. Returns 0 outside of a
    /// handler's call.
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
        let Crowding { depth, soft } = stage.crowding();
        // A gate in `observe` mode is ignored, because a cheaper answer would be an action.
        let acts = self.graph.admission.acts();
        let gate = if acts { self.graph.admission.gate(stage.index()) } else { None };
        let limited = gate.and_then(|gate| gate.fullness(self.meta.class, depth));
        let now = limited.unwrap_or_else(|| depth as f64 / soft.max(1) as f64).min(1.0);
        let place = *place;
        if self.pressures.len() <= place {
            self.pressures.resize(place + 1, 0.0);
        }
        let Some(pressure) = self.pressures.get_mut(place) else {
            debug_assert!(false, "the vector was just grown to this place");
            return now;
        };
        *pressure = SMOOTHED.next(*pressure, now, 1.0);
        *pressure
    }
}
