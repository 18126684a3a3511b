//! At a shut gate: the lower class gives way.

use crate::event::Class;
use crate::graph::GraphCore;
use crate::queue::{Evict, Victims};
use crate::sync::Arc;

impl GraphCore {
    /// Makes room in a stage for one request of `class`: of the queued events of a strictly lower
    /// class the newest is given up. It has waited least, and of those that stay each can still
    /// be in time. False if there is none, or no lower class has more than it is guaranteed.
    pub(crate) fn make_way(&self, stage: usize, class: Class) -> bool {
        if class.index() + 1 >= self.classes() || !self.disposal.has_room() {
            return false;
        }
        let lower = class.index() + 1..self.classes();
        let mut lower = lower.filter_map(|class| u8::try_from(class).ok().map(Class::new));
        let gate = self.admission.gate(stage);
        if !lower.any(|lower| gate.is_some_and(|gate| gate.exceeds_guarantee(lower))) {
            return false;
        }
        let Some(stage) = self.stage(stage) else { return false };
        let evicted =
            Arc::clone(&stage).evict(Victims::LowerThan(class), Evict::Newest, 1, self.now());
        // The place in the budget is free for everybody: the newcomer enters elsewhere.
        self.credit(evicted);
        evicted > 0
    }
}
