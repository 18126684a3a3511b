//! The bounds and time limits of connections.

use super::body::budget::BodyBudget;
use super::counters::Counters;
use crate::tls::Handshaker;
use std::sync::Arc;
use std::time::Duration;

/// The bounds of a reactor's connections. `HttpConfig` documents each bound with its reason.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// The most requests in flight on one connection.
    pub(crate) pipeline: usize,
    /// Encoded bytes waiting on one connection beyond which no further response is encoded.
    pub(crate) write_buffer: usize,
    /// The longest time between two requests.
    pub(crate) idle: Duration,
    /// The longest time from a request's first byte to the end of its head, and of a handshake.
    pub(crate) head: Duration,
    /// The longest time between two reads of a body, and for the whole rest of a refused one.
    pub(crate) body: Duration,
    /// The longest time for a whole body.
    pub(crate) body_total: Duration,
    /// The least bytes a second of a body, after the time of `body`; 0 for no least rate.
    pub(crate) body_rate: u64,
    /// The longest time between two writes of which the socket took bytes.
    pub(crate) write: Duration,
    /// The longest time between two reads after the server's FIN.
    pub(crate) linger: Duration,
    /// The longest time from the server's FIN to the client's.
    pub(crate) linger_total: Duration,
    /// True if a client that has shut its sending side still gets its responses.
    pub(crate) half_close: bool,
}

/// The settings of a reactor, and what it shares with the rest of the server.
#[derive(Debug)]
pub(super) struct Bounds {
    pub(super) settings: Settings,
    pub(super) counters: Arc<Counters>,
    pub(super) bodies: Arc<BodyBudget>,
    /// `None` if no connection is encrypted.
    pub(super) handshaker: Option<Handshaker>,
}
