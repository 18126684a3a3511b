//! Preemption at a closed gate: a request enters in place of queued events of lower classes.

use crate::config::Class;
use crate::gate::{Admission, Gate, GateCharge, GateClosed};
use crate::queue::{Evict, VictimFilter};
use crate::stage::valve::ValveScope;

impl ValveScope<'_> {
    pub(super) fn has_lower_class(&self, class: Class) -> bool {
        class.index() + 1 < self.classes
    }

    /// True if a request of `class` that found a gate closed could preempt a lower class.
    pub(in crate::stage) fn may_preempt(&self, class: Class) -> bool {
        self.has_lower_class(class) && self.notifier.has_room()
    }

    /// Admits a request that found a gate closed, by shedding one queued event that counts at each
    /// closed gate on its route. The victim is the newest event of the lowest class with more than
    /// its guarantee: it has waited least, and the older events can still be in time. No event is
    /// shed unless every closed gate has such a victim.
    ///
    /// # Errors
    /// A gate that stays closed.
    pub(in crate::stage) fn preempt(
        &self,
        admission: &Admission,
        charge: &GateCharge,
    ) -> Result<(), GateClosed> {
        // First look: every closed gate must have a class to preempt.
        let closed = self.preemptible_gates(admission, charge)?;
        // Then act, gate by gate. A worker may have taken the victim meanwhile.
        for stage in &closed {
            let class = self.preemptible_class(admission, *stage, charge);
            if !class.is_some_and(|class| self.shed_one(admission, *stage, class)) {
                return Err(GateClosed { stage: *stage });
            }
        }
        admission.enter(charge, &closed, || self.now())
    }

    /// Returns the stages of the closed gates on a request's route, if each of them has a class to
    /// preempt. No lower class gives way to a tenant that has had its share.
    ///
    /// # Errors
    /// A closed gate without one.
    pub(in crate::stage) fn preemptible_gates(
        &self,
        admission: &Admission,
        charge: &GateCharge,
    ) -> Result<Vec<usize>, GateClosed> {
        let closed = admission.closed_on(charge, || self.now());
        let has_none = |stage: &&usize| {
            self.preemptible_class(admission, **stage, charge).is_none()
                || admission.is_above_level(charge, **stage, || self.now())
        };
        match closed.iter().find(has_none) {
            Some(stage) => Err(GateClosed { stage: *stage }),
            None => Ok(closed),
        }
    }

    /// Returns the lowest class with more than its guarantee at the gate of `stage`.
    fn preemptible_class(
        &self,
        admission: &Admission,
        stage: usize,
        charge: &GateCharge,
    ) -> Option<Class> {
        let on = admission.gate_on(charge, stage)?;
        on.gate.preemptible_class(charge.class, on.cost, self.classes)
    }

    /// Sheds one queued event of `class` that counts at a stage's gate, in any of its replicas;
    /// false if there is none.
    fn shed_one(&self, admission: &Admission, gate: usize, class: Class) -> bool {
        let members = (gate..).take_while(|stage| admission.gate_number(*stage) == Some(gate));
        for member in members {
            let Some(stage) = self.stage(member) else { continue };
            let order = Evict::NewestBoundFor(gate);
            let evicted = stage.evict(VictimFilter::Only(class), order, 1, self.now());
            // The place in the budget is free for any event: the request enters elsewhere.
            self.credit(evicted);
            if evicted > 0 {
                admission.gate(gate).into_iter().for_each(Gate::count_preemption);
                return true;
            }
        }
        false
    }
}
