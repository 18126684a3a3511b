//! The connections of a reactor that have work to do.

use super::Codec;
use super::connection::Connection;
use std::collections::VecDeque;

/// Slots of connections in the order of their turns, each at most once.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    slots: VecDeque<usize>,
}

impl ReadyQueue {
    /// Adds a connection unless it is queued already.
    pub(super) fn push<C: Codec>(&mut self, connection: &mut Connection<C>) {
        if !connection.is_queued {
            connection.is_queued = true;
            self.slots.push_back(connection.address().slot as usize);
        }
    }

    /// Gives a connection the next turn unless it is queued already.
    pub(super) fn push_front<C: Codec>(&mut self, connection: &mut Connection<C>) {
        if !connection.is_queued {
            connection.is_queued = true;
            self.slots.push_front(connection.address().slot as usize);
        }
    }

    /// Returns the slot of the next turn. The caller resets `is_queued` of its connection.
    pub(super) fn pop(&mut self) -> Option<usize> {
        self.slots.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
