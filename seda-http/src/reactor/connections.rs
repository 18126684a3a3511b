//! The table of a reactor's connections.

use super::Codec;
use super::connection::Connection;
use seda_core::Address;
use slab::Slab;

/// Connections by slot. Slots are used again; each connection carries a generation of its own, so
/// that an answer that comes late does not reach the slot's next client.
pub(super) struct Connections<P: Codec> {
    slots: Slab<Connection<P>>,
    /// Of the next connection. It repeats after 2³² connections of one reactor, when no answer to
    /// the first of them can still be on its way.
    generation: u32,
}

impl<P: Codec> Connections<P> {
    pub(super) fn new() -> Self {
        Self { slots: Slab::new(), generation: 0 }
    }

    /// The slot that the next connection gets, and its generation; `None` beyond 2³² connections.
    pub(super) fn vacant(&self) -> Option<Address> {
        let slot = u32::try_from(self.slots.vacant_key()).ok()?;
        Some(Address { slot, generation: self.generation, sequence: 0 })
    }

    /// Adds a connection at the address that [`Connections::vacant`] gave.
    pub(super) fn insert(&mut self, connection: Connection<P>) {
        self.generation = self.generation.wrapping_add(1);
        self.slots.insert(connection);
    }

    pub(super) fn get(&mut self, slot: u32) -> Option<&mut Connection<P>> {
        self.slots.get_mut(slot as usize)
    }

    /// The connection at `address`, unless another one has its slot by now.
    pub(super) fn at(&mut self, address: Address) -> Option<&mut Connection<P>> {
        let connection = self.slots.get_mut(address.slot as usize);
        connection.filter(|found| found.address().generation == address.generation)
    }

    pub(super) fn remove(&mut self, slot: u32) -> Option<Connection<P>> {
        self.slots.try_remove(slot as usize)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Connection<P>> {
        self.slots.iter_mut().map(|(_, connection)| connection)
    }

    pub(super) fn drain(&mut self) -> impl Iterator<Item = Connection<P>> {
        self.slots.drain()
    }
}
