//! A listening socket, and what holds for its connections.

use super::clients::peer_list::PeerList;
use super::origin::Origin;
use super::socket::Listener;
use crate::tls::TlsServer;
use std::sync::Arc;

/// A listening socket with the rules for its connections.
#[derive(Debug)]
pub(crate) struct Listening {
    pub(crate) socket: Listener,
    /// Another process, or another server of this one, may accept from the same socket. Connections
    /// in its backlog are not lost when this server ends.
    pub(crate) is_shared: bool,
    pub(crate) rules: Arc<ListenerRules>,
}

/// The rules for the connections of a listener. Each connection has them from its first byte on.
#[derive(Debug, Default)]
pub(crate) struct ListenerRules {
    /// The peers that may connect, each of which sends a PROXY header first. `None`: every peer
    /// may connect, and none sends one.
    pub(crate) proxy_protocol: Option<PeerList>,
    /// The encryption of each connection, behind its PROXY header. `None`: there is none.
    pub(crate) tls: Option<TlsServer>,
}

impl ListenerRules {
    /// Returns true if the peer may connect.
    pub(super) fn admits(&self, origin: &Origin) -> bool {
        self.proxy_protocol.as_ref().is_none_or(|peers| peers.contains(origin.peer_ip()))
    }
}

impl From<Listener> for Listening {
    /// Returns a listener of this server alone, without rules.
    fn from(socket: Listener) -> Self {
        Self { socket, is_shared: false, rules: Arc::default() }
    }
}
