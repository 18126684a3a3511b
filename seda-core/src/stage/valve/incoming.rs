//! Incoming.

use crate::config::Class;
use crate::queue::Victims;

/// Who needs room.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// The stage it is bound for.
    pub(crate) stage: usize,
    pub(crate) class: Class,
    /// Sent by a handler: work is under way, so its own class may give way too.
    pub(crate) fan_out: bool,
}

impl Arrival {
    pub(crate) fn victims(self) -> Victims {
        if self.fan_out { Victims::UpTo(self.class) } else { Victims::LowerThan(self.class) }
    }
}
