//! At a shut gate: the lower class gives way.

use crate::config::Class;
use crate::gate::{GateCharge, GateClosed};
use crate::platform::sync::Arc;
use crate::queue::{Evict, VictimFilter};
use crate::stage::GraphShared;

impl GraphShared {
    /// Whether for a request that found a gate shut others might give way: there are lower classes.
    pub(crate) fn may_preempt(&self, class: Class) -> bool {
        class.index() + 1 < self.classes() && self.disposal.has_room()
    }

    /// Lets a request in that found a gate shut. At each shut gate on its route one queued event
    /// is given up that counts there: the newest of the lowest class that has more than it is
    /// guaranteed. It has waited least, and of those that stay each can still be in time. Nobody
    /// is given up unless somebody can be at every gate that is shut.
    ///
    /// # Errors
    /// A gate that stays shut.
    pub(crate) fn preempt(&self, passage: &GateCharge) -> Result<(), GateClosed> {
        let (admission, now) = (&self.admission, || self.now());
        let shut = admission.closed_on(passage, now);
        let is_preemptible = |stage: &usize| {
            let gate = admission.gate(*stage)?;
            gate.preemptible_class(passage.class, u64::from(passage.cost), self.classes())
        };
        if let Some(stage) = shut.iter().copied().find(|stage| is_preemptible(stage).is_none()) {
            return Err(GateClosed { stage });
        }
        for stage in &shut {
            let evicted = is_preemptible(stage).is_some_and(|lower| self.shed_one(*stage, lower));
            if !evicted {
                return Err(GateClosed { stage: *stage });
            }
        }
        admission.enter(passage, &shut, now)
    }

    /// Gives up one queued event of `class` that counts at a stage's gate, wherever among its
    /// replicas it is queued; false if none is.
    fn shed_one(&self, gate: usize, class: Class) -> bool {
        let members = (gate..).take_while(|stage| self.admission.gate_number(*stage) == Some(gate));
        for member in members {
            let Some(stage) = self.stage(member) else { continue };
            let evict = Evict::NewestBoundFor(gate);
            let evicted = Arc::clone(&stage).evict(VictimFilter::Only(class), evict, 1, self.now());
            // The place in the budget is free for everybody: the newcomer enters elsewhere.
            self.credit(evicted);
            if evicted > 0 {
                self.admission.gate(gate).into_iter().for_each(crate::gate::Gate::count_preemption);
                return true;
            }
        }
        false
    }
}
