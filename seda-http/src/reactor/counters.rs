//! What a server's reactors have done beside requests, counted where it happens.

use crate::tls::HandshakeCounters;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn count(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters that all reactors of a server share.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// Connections closed at the bound: for newcomers, or as newcomers of a greedy client.
    pub(crate) evicted_connections: Counter,
    /// Connections closed because the PROXY protocol is not accepted from their peer.
    pub(crate) unlisted_peers: Counter,
    /// Connections closed because their PROXY header is malformed.
    pub(crate) bad_proxy_headers: Counter,
    /// Handshakes of TLS by their end.
    pub(crate) handshakes: Arc<HandshakeCounters>,
    /// Requests refused because the memory of bodies was used up.
    pub(crate) refused_bodies: Counter,
    /// Uploads ended for others because the memory of bodies was used up.
    pub(crate) ended_uploads: Counter,
    /// Requests that the table of routes has answered.
    pub(crate) routes: RouteCounters,
    /// Responses that the protocol cannot carry and that an error replaced.
    pub(crate) replaced_responses: Counter,
    /// Lines that the log of the protocol did not take.
    pub(crate) dropped_log_lines: Counter,
}

/// The requests that a table of routes has answered by itself.
#[derive(Debug, Default)]
pub(crate) struct RouteCounters {
    /// Requests with a path that no route has.
    pub(crate) not_found: Counter,
    /// Requests with a method that no route of the path has.
    pub(crate) not_allowed: Counter,
    /// Requests with parameters that do not fit their route.
    pub(crate) bad_parameters: Counter,
    /// Requests with a declared body that is longer than their route allows.
    pub(crate) long_bodies: Counter,
    /// Requests that ask for the methods of a path.
    pub(crate) options: Counter,
}
