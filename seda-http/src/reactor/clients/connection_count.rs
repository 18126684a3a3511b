//! The number of connections over all reactors of a server, and of each client.

use super::client::{Client, Network};
use super::peer_list::PeerList;
use parking_lot::{Condvar, Mutex};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Counts [`ConnectionGuard`]s: one for each connection, on its way to a reactor or in it, and one
/// for the listeners while one is open.
#[derive(Debug, Default)]
pub(crate) struct ConnectionCount {
    count: AtomicUsize,
    lock: Mutex<()>,
    reached_zero: Condvar,
    /// The clients with a connection. Locked once per connection at each end.
    clients: Mutex<HashMap<Network, Arc<Client>>>,
    /// The peers with many clients behind them: each connection is a client of its own.
    shared_peers: PeerList,
    /// The number of the next client that is one connection.
    next_alone: AtomicU64,
}

impl ConnectionCount {
    /// Returns a count of zero. Each connection from `shared_peers` counts as a client of its own,
    /// as one without an address does.
    pub(crate) fn new(shared_peers: PeerList) -> Self {
        Self { shared_peers, ..Self::default() }
    }

    /// Returns the client that a connection from this address counts for.
    pub(crate) fn network(&self, address: Option<IpAddr>) -> Network {
        match address.filter(|address| !self.shared_peers.contains(Some(*address))) {
            Some(address) => Network::from(address),
            None => Network::Alone(self.next_alone.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Counts the listeners until the guard is dropped.
    pub(crate) fn add_listener(self: &Arc<Self>) -> CountGuard {
        self.count.fetch_add(1, Ordering::SeqCst);
        CountGuard(Arc::clone(self))
    }

    /// Counts one connection of this client until the guard is dropped.
    pub(crate) fn add(self: &Arc<Self>, network: Network) -> ConnectionGuard {
        ConnectionGuard { client: self.open(network), counted: self.add_listener() }
    }

    /// Counts one connection of a client.
    fn open(&self, network: Network) -> Arc<Client> {
        let mut clients = self.clients.lock();
        let client = clients.entry(network).or_insert_with(|| Arc::new(Client::new(network)));
        client.open();
        Arc::clone(client)
    }

    /// Ends the count of one connection of a client.
    fn close(&self, client: &Client) {
        let mut clients = self.clients.lock();
        if client.close() {
            clients.remove(&client.network());
        }
    }

    /// Returns the current number of guards.
    pub(crate) fn get(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Returns the number of connections of each client.
    pub(crate) fn connections_of(&self, networks: impl Iterator<Item = Network>) -> Vec<usize> {
        let clients = self.clients.lock();
        networks.map(|it| clients.get(&it).map_or(0, |client| client.connections())).collect()
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

    /// Counts the connection as one from this address from now on.
    pub(crate) fn count_for(&mut self, address: Option<IpAddr>) {
        let count = &self.counted.0;
        let client = count.open(count.network(address));
        let former = std::mem::replace(&mut self.client, client);
        count.close(&former);
    }
}

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.counted.0.close(&self.client);
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

    fn address(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn a_client_is_counted_from_its_first_connection_to_its_last() {
        let count = Arc::new(ConnectionCount::default());
        let [client, other] = [1, 2].map(|last| count.network(address(last)));
        let guards = [count.add(client), count.add(client), count.add(other)];
        assert_eq!(count.connections_of([client, other].into_iter()), [2, 1]);
        drop(guards);
        assert_eq!((count.connections_of([client].into_iter()), count.get()), (vec![0], 0));
        assert!(count.clients.lock().is_empty());
    }

    #[test]
    fn each_connection_without_an_address_or_from_a_shared_peer_is_a_client_of_its_own() {
        let shared = PeerList::new(["192.0.2.1"]).unwrap();
        let count = Arc::new(ConnectionCount::new(shared));
        let peers = [None, None, address(1), address(1), address(2), address(2)];
        let guards = peers.map(|peer| count.add(count.network(peer)));
        let connections = guards.each_ref().map(|guard| guard.client().connections());
        assert_eq!((connections, count.get()), ([1, 1, 1, 1, 2, 2], 6));
        drop(guards);
        assert!(count.clients.lock().is_empty());
    }

    #[test]
    fn a_connection_may_change_its_client_and_is_counted_once() {
        let count = Arc::new(ConnectionCount::default());
        let mut guard = count.add(count.network(None));
        let other = count.add(count.network(address(7)));
        guard.count_for(address(7));
        assert_eq!((other.client().connections(), count.get()), (2, 2));
        drop(guard);
        assert_eq!((other.client().connections(), count.get()), (1, 1));
        drop(other);
        assert!(count.clients.lock().is_empty());
    }
}
