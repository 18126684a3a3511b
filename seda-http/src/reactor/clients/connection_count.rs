//! The number of connections over all reactors of a server, and of each client.

use super::client::{Client, Network};
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// Counts [`ConnectionGuard`]s: one for each connection, on its way to a reactor or in it, and one
/// for the listener while it is open.
#[derive(Debug)]
pub(crate) struct ConnectionCount {
    count: AtomicUsize,
    lock: Mutex<()>,
    reached_zero: Condvar,
    /// The clients with a connection. Locked once per connection at each end.
    clients: Mutex<HashMap<Network, Arc<Client>>>,
    /// False if each connection is a client of its own.
    has_addresses: bool,
}

impl Default for ConnectionCount {
    fn default() -> Self {
        Self::new(true)
    }
}

impl ConnectionCount {
    /// Returns a count of zero. Without addresses that tell clients apart, as on a Unix socket and
    /// on loopback, each connection counts as a client of its own.
    pub(crate) fn new(has_addresses: bool) -> Self {
        Self {
            count: AtomicUsize::new(0),
            lock: Mutex::new(()),
            reached_zero: Condvar::new(),
            clients: Mutex::default(),
            has_addresses,
        }
    }

    /// Counts the listener until the guard is dropped.
    pub(crate) fn add_listener(self: &Arc<Self>) -> CountGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        CountGuard(Arc::clone(self))
    }

    /// Counts one connection of the client at `peer` until the guard is dropped.
    pub(crate) fn add(self: &Arc<Self>, peer: SocketAddr) -> ConnectionGuard {
        let network = Network::from(peer);
        let client = if self.has_addresses {
            let mut clients = self.clients.lock();
            let client = clients.entry(network).or_insert_with(|| Arc::new(Client::new(network)));
            client.open();
            Arc::clone(client)
        } else {
            let client = Arc::new(Client::new(network));
            client.open();
            client
        };
        ConnectionGuard { client, counted: self.add_listener() }
    }

    /// Returns the current number of guards.
    pub(crate) fn get(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Returns the number of connections of the client at each of `peers`.
    pub(crate) fn connections_of(&self, peers: impl IntoIterator<Item = SocketAddr>) -> Vec<usize> {
        let clients = self.clients.lock();
        let of = |peer| clients.get(&Network::from(peer)).map_or(0, |it| it.connections());
        peers.into_iter().map(of).collect()
    }

    /// Returns the number of connections of the client that has the most.
    pub(crate) fn most(&self) -> usize {
        self.clients.lock().values().map(|it| it.connections()).max().unwrap_or(0)
    }

    /// Waits until the count is zero, for at most `limit`. Returns false at the limit.
    pub(crate) fn wait_until_zero(&self, limit: Duration) -> bool {
        let mut guard = self.lock.lock();
        self.reached_zero.wait_while_for(&mut guard, |()| self.get() > 0, limit);
        self.get() == 0
    }
}

/// Counts as one connection until it is dropped.
#[derive(Debug)]
pub(crate) struct CountGuard(Arc<ConnectionCount>);

impl Drop for CountGuard {
    fn drop(&mut self) {
        if self.0.count.fetch_sub(1, Ordering::SeqCst) == 1 {
            // Taking the lock keeps the notification from falling between the waiter's check of
            // the count and its wait.
            drop(self.0.lock.lock());
            self.0.reached_zero.notify_all();
        }
    }
}

/// Counts as one connection, in all and of its client, until it is dropped.
#[derive(Debug)]
pub(crate) struct ConnectionGuard {
    client: Arc<Client>,
    counted: CountGuard,
}

impl ConnectionGuard {
    pub(crate) fn client(&self) -> &Arc<Client> {
        &self.client
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        let mut clients = self.counted.0.clients.lock();
        if self.client.close() {
            clients.remove(&self.client.network());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_waiting_thread_is_notified_when_the_last_guard_drops() {
        let count = Arc::new(ConnectionCount::default());
        let first = count.add_listener();
        let second = count.add_listener();
        drop(first);
        assert!(!count.wait_until_zero(Duration::ZERO));
        std::thread::scope(|scope| {
            scope.spawn(|| assert!(count.wait_until_zero(Duration::from_secs(60))));
            drop(second);
        });
    }

    #[test]
    fn a_client_is_counted_from_its_first_connection_to_its_last() {
        let count = Arc::new(ConnectionCount::default());
        let [peer, other] = [([192, 0, 2, 1], 1).into(), ([192, 0, 2, 2], 1).into()];
        let guards = [count.add(peer), count.add(peer), count.add(other)];
        assert_eq!(count.connections_of([peer, other]), [2, 1]);
        drop(guards);
        assert_eq!((count.connections_of([peer]), count.get()), (vec![0], 0));
        assert!(count.clients.lock().is_empty());
    }

    #[test]
    fn without_addresses_each_connection_is_a_client_of_its_own() {
        let count = Arc::new(ConnectionCount::new(false));
        let peer = ([0, 0, 0, 0], 0).into();
        let guards = [count.add(peer), count.add(peer)];
        assert_eq!(guards.each_ref().map(|guard| guard.client().connections()), [1, 1]);
        assert_eq!((count.connections_of([peer]), count.get()), (vec![0], 2));
        drop(guards);
        assert_eq!(count.get(), 0);
    }
}
