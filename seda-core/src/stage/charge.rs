//! The charge of an event at a stage: its place in the graph's budget, and its bytes.

use crate::config::Class;
use crate::event::{EventMeta, Label, RefusalReason};
use crate::stage::any::Observed;
use crate::stage::core::StageCore;
use crate::stage::valve::Incoming;

impl<E: Send + 'static> StageCore<E> {
    /// Returns whether the stage refuses an event of a request that its gate did not count at the
    /// entry: few requests of that entry come here, and none of them declared a route. A class
    /// within its guarantee is not refused. `unpublished` events are on their way here.
    pub(crate) fn is_closed_for(&self, meta: &EventMeta, unpublished: usize) -> bool {
        let Some(request) = &meta.request else { return false };
        let admission = &self.graph.admission;
        if !admission.acts() || request.is_bound_for(self.index) {
            return false;
        }
        let Some(gate) = admission.gate(self.index) else { return false };
        let here = self.depth_hint() + unpublished;
        let is_full = gate.fullness(meta.class, here).is_some_and(|used| used >= 1.0);
        let own = || self.lanes.lock().queued(meta.class) + unpublished;
        is_full && own() as u64 >= gate.guaranteed(meta.class)
    }

    /// Charges the graph's budget for `n` events bound for this stage; at the budget the valve may
    /// evict others for them, all or none.
    ///
    /// # Errors
    /// [`RefusalReason::Budget`]. Places that the caller reserved for the events stay reserved.
    pub(crate) fn charge_or_make_room(
        &self,
        n: usize,
        class: Class,
        fan_out: bool,
    ) -> Result<(), RefusalReason> {
        if self.graph.budget.charge(n) {
            return Ok(());
        }
        self.make_room(n, class, fan_out)
    }

    /// Makes the valve free room in the budget, which is used up.
    fn make_room(&self, n: usize, class: Class, fan_out: bool) -> Result<(), RefusalReason> {
        let incoming = Incoming { stage: self.index, class, fan_out };
        if self.graph.make_room(n, incoming) { Ok(()) } else { Err(RefusalReason::Budget) }
    }

    /// Checks whether the budget has room for one event from outside, or the valve could make it.
    ///
    /// # Errors
    /// [`RefusalReason::Budget`].
    pub(super) fn check_budget(&self, class: Class) -> Result<(), RefusalReason> {
        let incoming = Incoming { stage: self.index, class, fan_out: false };
        let budget = &self.graph.budget;
        if budget.used() < budget.limit() || self.graph.could_make_room(incoming) {
            Ok(())
        } else {
            Err(RefusalReason::Budget)
        }
    }

    /// Charges the budget for one event with a reserved place, or puts the place back: the slow
    /// half of [`StageCore::enter`], after the budget was found used up.
    pub(super) fn make_room_or_put_back(&self, class: Class) -> Result<(), RefusalReason> {
        self.make_room(1, class, false).inspect_err(|_| self.put_back(1))
    }

    /// Charges the budget for `n` events with reserved places, or puts the places back.
    pub(super) fn charge_reserved(
        &self,
        n: usize,
        class: Class,
        fan_out: bool,
    ) -> Result<(), RefusalReason> {
        self.charge_or_make_room(n, class, fan_out).inspect_err(|_| self.put_back(n))
    }

    /// Reserves `n` places for events of `class` and charges the budget for them, or does neither.
    pub(crate) fn reserve_charged(
        &self,
        class: Class,
        n: usize,
        fan_out: bool,
    ) -> Result<(), RefusalReason> {
        self.reserve(n, n)?;
        self.charge_reserved(n, class, fan_out)
    }

    /// True if events have a key or a weight here, so that [`StageCore::charge_event`] must be
    /// called for each.
    #[inline]
    pub(crate) fn has_extractors(&self) -> bool {
        self.extractors.any()
    }

    /// Reads the key and the weight of an event, and charges its bytes.
    ///
    /// # Errors
    /// [`RefusalReason::TooLarge`] if the event weighs more than the whole byte budget,
    /// [`RefusalReason::Budget`] if the byte budget has no room for it.
    pub(crate) fn charge_event(
        &self,
        event: &E,
        class: Class,
        fan_out: bool,
    ) -> Result<Label, RefusalReason> {
        if !self.has_extractors() {
            return Ok(Label::default());
        }
        let label = self.extractors.label(event, &self.name);
        let bytes = label.weight.bytes();
        if bytes > self.graph.bytes.limit() {
            return Err(RefusalReason::TooLarge);
        }
        let incoming = Incoming { stage: self.index, class, fan_out };
        if bytes > 0 && !self.graph.charge_bytes(bytes, incoming) {
            return Err(RefusalReason::Budget);
        }
        Ok(label)
    }

    /// Charges all events or none. Returns no labels at all where events have neither key nor
    /// weight.
    pub(crate) fn charge_events(
        &self,
        events: &[E],
        class: Class,
        fan_out: bool,
    ) -> Result<Vec<Label>, RefusalReason> {
        let mut labels = Vec::new();
        if !self.has_extractors() {
            return Ok(labels);
        }
        for event in events {
            match self.charge_event(event, class, fan_out) {
                Ok(label) => labels.push(label),
                Err(reason) => {
                    labels.into_iter().for_each(|label| self.refund_event(label));
                    return Err(reason);
                }
            }
        }
        Ok(labels)
    }

    /// Returns the bytes of a charged event that does not enter.
    pub(crate) fn refund_event(&self, label: Label) {
        self.graph.bytes.credit(label.weight.bytes());
    }
}
