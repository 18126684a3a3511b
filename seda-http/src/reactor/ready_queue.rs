//! The connections of a reactor that have something to do.

use super::Codec;
use super::connection::Connection;
use std::collections::VecDeque;

/// Slots of connections, in the order of their turns; each at most once.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    slots: VecDeque<u32>,
}

impl ReadyQueue {
    /// Adds a connection, unless it is queued already.
    pub(super) fn push<P: Codec>(&mut self, connection: &mut Connection<P>) {
        if !connection.queued {
            connection.queued = true;
            self.slots.push_back(connection.address().slot);
        }
    }

    /// The slot whose turn it is. The caller resets the connection's `queued`.
    pub(super) fn pop(&mut self) -> Option<u32> {
        self.slots.pop_front()
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
