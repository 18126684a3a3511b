//! The place that a connection's requests come from.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The two addresses of a connection, which differ behind a proxy that names its client, and its
/// encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The other end of the socket; `None` at a Unix socket, whose peers have no address.
    peer: Option<SocketAddr>,
    client: Option<IpAddr>,
    is_encrypted: bool,
}

impl Origin {
    /// Returns the origin of a connection whose peer is the client.
    pub(crate) fn of_peer(peer: Option<SocketAddr>) -> Self {
        let client = peer.map(|peer| peer.ip().to_canonical());
        Self { peer, client, is_encrypted: false }
    }

    /// Returns the same connection with TLS, or without.
    pub(crate) fn with_tls(self, is_encrypted: bool) -> Self {
        Self { is_encrypted, ..self }
    }

    /// Returns true if the connection has TLS.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }

    /// Returns the same connection with another client; `None` if its address is not known.
    pub(crate) fn with_client(self, client: Option<IpAddr>) -> Self {
        Self { client: client.map(|client| client.to_canonical()), ..self }
    }

    /// Returns the address of the other end of the socket; `0.0.0.0:0` at a Unix socket.
    pub(crate) fn peer(&self) -> SocketAddr {
        self.peer.unwrap_or(SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), 0))
    }

    /// Returns the IP address of the other end of the socket, an IPv4 one never as IPv6. `None` at
    /// a Unix socket.
    pub(crate) fn peer_ip(&self) -> Option<IpAddr> {
        self.peer.map(|peer| peer.ip().to_canonical())
    }

    /// Returns the address of the client, an IPv4 one never as IPv6. `None` if it is not known.
    pub(crate) fn client(&self) -> Option<IpAddr> {
        self.client
    }
}
