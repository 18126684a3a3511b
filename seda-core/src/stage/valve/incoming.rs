//! The event that needs room.

use crate::config::Class;
use crate::queue::VictimFilter;

/// An event on its way into a stage.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    /// The stage it is bound for.
    pub(crate) stage: usize,
    pub(crate) class: Class,
    /// True if a handler sent it: its work is under way, so its own class may be evicted too.
    pub(crate) fan_out: bool,
}

impl Incoming {
    /// Returns which queued events may be evicted for it.
    pub(crate) fn victims(self) -> VictimFilter {
        if self.fan_out {
            VictimFilter::UpTo(self.class)
        } else {
            VictimFilter::LowerThan(self.class)
        }
    }
}
