//! The table of a reactor's connections.

use super::Codec;
use super::connection::Connection;
use seda_core::ReplyAddress;
use slab::Slab;

/// Connections by slot. Slots are reused. Each connection has a generation of its own, so that a
/// late response never reaches the next client of the slot.
pub(super) struct Connections<C: Codec> {
    slots: Slab<Connection<C>>,
    /// The generation of the next connection. It repeats after 2³² connections of one reactor; no
    /// response to the first of them can still be on its way then.
    generation: u32,
}

impl<C: Codec> Connections<C> {
    pub(super) fn new() -> Self {
        Self { slots: Slab::new(), generation: 0 }
    }

    /// Returns the address that the next connection gets; `None` beyond 2³² connections.
    pub(super) fn vacant(&self) -> Option<ReplyAddress> {
        let slot = u32::try_from(self.slots.vacant_key()).ok()?;
        Some(ReplyAddress { slot, generation: self.generation, sequence: 0 })
    }

    /// Adds a connection at the address that [`Connections::vacant`] returned.
    pub(super) fn insert(&mut self, connection: Connection<C>) {
        debug_assert_eq!(self.vacant(), Some(connection.address()), "the slot is vacant");
        self.generation = self.generation.wrapping_add(1);
        self.slots.insert(connection);
    }

    /// Returns the connection in a slot; `None` if the slot is empty.
    pub(super) fn get(&mut self, slot: usize) -> Option<&mut Connection<C>> {
        self.slots.get_mut(slot)
    }

    /// Returns the connection at `address`; `None` if its slot is empty or another connection's.
    pub(super) fn at(&mut self, address: ReplyAddress) -> Option<&mut Connection<C>> {
        let connection = self.slots.get_mut(address.slot as usize);
        connection.filter(|found| found.address().generation == address.generation)
    }

    pub(super) fn remove(&mut self, slot: usize) -> Option<Connection<C>> {
        self.slots.try_remove(slot)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connection<C>> {
        self.slots.iter_mut().map(|(_, connection)| connection)
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Connection<C>> {
        self.slots.drain()
    }
}
