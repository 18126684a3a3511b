//! Incoming.

use crate::config::Class;
use crate::queue::VictimFilter;

/// Who needs room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming {
    /// The stage it is bound for.
    pub(crate) stage: usize,
    pub(crate) class: Class,
    /// Sent by a handler: work is under way, so its own class may give way too.
    pub(crate) fan_out: bool,
}

impl Incoming {
    pub(crate) fn victims(self) -> VictimFilter {
        if self.fan_out {
            VictimFilter::UpTo(self.class)
        } else {
            VictimFilter::LowerThan(self.class)
        }
    }
}
