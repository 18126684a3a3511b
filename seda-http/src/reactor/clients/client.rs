//! One client of the server, and what it holds.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The connections that count as those of one client: from an IPv4 address, or from the 64 leading
/// bits of an IPv6 address. Providers give each customer at least a /64 (RFC 6177), so the rest is
/// free to vary.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Network {
    V4([u8; 4]),
    V6([u16; 4]),
    /// One connection, by its number: its address tells nothing about its client.
    Alone(u64),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.octets()),
            IpAddr::V6(ip) => {
                let [a, b, c, d, ..] = ip.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// One client with at least one connection.
#[derive(Debug)]
pub(crate) struct Client {
    network: Network,
    /// Its connections over all reactors.
    connections: AtomicUsize,
    /// Bytes of its request bodies.
    body_bytes: AtomicUsize,
}

impl Client {
    pub(crate) fn new(network: Network) -> Self {
        Self { network, connections: AtomicUsize::new(0), body_bytes: AtomicUsize::new(0) }
    }

    pub(crate) fn network(&self) -> Network {
        self.network
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.body_bytes.load(Ordering::Relaxed)
    }

    pub(crate) fn add_body_bytes(&self, bytes: usize) {
        self.body_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(crate) fn remove_body_bytes(&self, bytes: usize) {
        self.body_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Adds a connection.
    pub(crate) fn open(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Removes a connection. Returns true if it was the last.
    pub(crate) fn close(&self) -> bool {
        self.connections.fetch_sub(1, Ordering::Relaxed) == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(address: &str) -> Network {
        Network::from(address.parse::<IpAddr>().unwrap())
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_the_first_half_of_an_ipv6_address() {
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::4"), network("2001:db8:1:3::4"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.2"), network("192.0.2.1"));
    }
}
