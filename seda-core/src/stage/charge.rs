//! Checking events in: asking for key and weight, and charging the weight.

use crate::config::Class;
use crate::event::{Label, RefusalReason};
use crate::stage::core::StageCore;
use crate::stage::valve::Incoming;

impl<E: Send + 'static> StageCore<E> {
    /// Makes it a keyed stage; false if it is one.
    pub(crate) fn set_keyed(&self, shard: Box<dyn Fn(&E) -> u8 + Send + Sync>) -> bool {
        self.lanes.lock().set_keyed();
        self.questions.set_shard(shard)
    }

    /// Makes it weigh its events; false if it does.
    pub(crate) fn set_weighing(&self, bytes: Box<dyn Fn(&E) -> usize + Send + Sync>) -> bool {
        self.lanes.lock().set_weighing();
        self.questions.set_bytes(bytes)
    }

    /// Whether events have to be [checked in](StageCore::charge_event).
    #[inline]
    pub(crate) fn asks(&self) -> bool {
        self.questions.any()
    }

    /// Asks an event what this stage wants to know, and charges its weight.
    pub(crate) fn charge_event(
        &self,
        event: &E,
        class: Class,
        fan_out: bool,
    ) -> Result<Label, RefusalReason> {
        if !self.asks() {
            return Ok(Label::default());
        }
        let label = self.questions.label(event, &self.name);
        let bytes = label.weight.bytes();
        if bytes > self.graph.bytes.limit() {
            return Err(RefusalReason::TooLarge);
        }
        let arrival = Incoming { stage: self.index, class, fan_out };
        if bytes > 0 && !self.graph.charge_bytes(bytes, arrival) {
            return Err(RefusalReason::Budget);
        }
        Ok(label)
    }

    /// Checks in all events or none. No labels at all where nothing is asked.
    pub(crate) fn check_all_in(
        &self,
        events: &[E],
        class: Class,
        fan_out: bool,
    ) -> Result<Vec<Label>, RefusalReason> {
        let mut labels = Vec::new();
        if !self.asks() {
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

    /// Gives back what an event was charged that was checked in and does not come.
    pub(crate) fn refund_event(&self, label: Label) {
        self.graph.bytes.credit(label.weight.bytes());
    }
}
