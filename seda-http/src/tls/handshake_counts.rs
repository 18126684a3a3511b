//! The handshakes of a server by their end.

use super::handshake_failure::HandshakeFailure;
use parking_lot::Mutex;
use std::sync::Arc;

/// The TLS handshakes of a server since it serves, by their end.
///
/// Every connection at a listener with TLS ends its handshake once, or ends within it:
/// connections = [`completed`](Self::completed) + [`failed`](Self::failed) + those still in their
/// handshake. All counts are of one moment.
///
/// ```
/// use seda_http::HandshakeCounts;
///
/// let counts = HandshakeCounts::default();
/// assert_eq!((counts.completed, counts.failed()), (0, 0));
/// assert_eq!(counts.failures()[0], ("silent", 0));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HandshakeCounts {
    /// Handshakes that ended well.
    pub completed: u64,
    /// Connections that ended, or reached
    /// [`head_timeout`](crate::HttpConfig::head_timeout), before the first byte of a handshake: a
    /// health check that only connects, or a PROXY header that did not come.
    pub silent: u64,
    /// The first byte begins no handshake. A request in plain text gets a 400 that says so.
    pub not_tls: u64,
    /// Client and server have no version, cipher suite, group, signature scheme or protocol (ALPN)
    /// in common.
    pub incompatible: u64,
    /// The client ended it with an alert. Most often it does not trust the certificate, or that is
    /// for another name.
    pub alert: u64,
    /// The client broke the protocol.
    pub malformed: u64,
    /// The client began and did not end within [`head_timeout`](crate::HttpConfig::head_timeout).
    pub timed_out: u64,
    /// The client began, and closed or reset its connection.
    pub closed: u64,
    /// The server closed the connection for a newcomer, at the bound of connections.
    pub evicted: u64,
    /// The server ended, or failed: the log has the error.
    pub server: u64,
}

impl HandshakeCounts {
    /// Returns every cause with the number of handshakes that failed for it. The names are those of
    /// the fields, and of the label `cause` in metrics.
    pub fn failures(&self) -> [(&'static str, u64); 9] {
        [
            ("silent", self.silent),
            ("not_tls", self.not_tls),
            ("incompatible", self.incompatible),
            ("alert", self.alert),
            ("malformed", self.malformed),
            ("timed_out", self.timed_out),
            ("closed", self.closed),
            ("evicted", self.evicted),
            ("server", self.server),
        ]
    }

    /// Returns the number of handshakes that failed.
    pub fn failed(&self) -> u64 {
        self.failures().iter().map(|(_, count)| count).sum()
    }

    fn count(&mut self, end: HandshakeEnd) {
        let counter = match end {
            HandshakeEnd::Completed => &mut self.completed,
            HandshakeEnd::Failed(failure) => match failure {
                HandshakeFailure::Silent => &mut self.silent,
                HandshakeFailure::NotTls => &mut self.not_tls,
                HandshakeFailure::Incompatible => &mut self.incompatible,
                HandshakeFailure::Alert => &mut self.alert,
                HandshakeFailure::Malformed => &mut self.malformed,
                HandshakeFailure::TimedOut => &mut self.timed_out,
                HandshakeFailure::Closed => &mut self.closed,
                HandshakeFailure::Evicted => &mut self.evicted,
                HandshakeFailure::Server => &mut self.server,
            },
        };
        *counter += 1;
    }
}

/// The counts that all reactors of a server share.
#[derive(Debug, Default)]
pub(crate) struct HandshakeCounters {
    /// Locked once per handshake, and by readers.
    counts: Mutex<HandshakeCounts>,
}

impl HandshakeCounters {
    pub(crate) fn get(&self) -> HandshakeCounts {
        *self.counts.lock()
    }
}

/// The end of one handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HandshakeEnd {
    Completed,
    Failed(HandshakeFailure),
}

/// Counts one handshake when it is dropped, so that none is counted twice and none is missed.
/// Dropped with its connection it counts as [`HandshakeFailure::Silent`] or
/// [`HandshakeFailure::Closed`].
#[derive(Debug)]
pub(crate) struct HandshakeGuard {
    counters: Arc<HandshakeCounters>,
    end: HandshakeEnd,
}

impl HandshakeGuard {
    pub(crate) fn new(counters: Arc<HandshakeCounters>) -> Self {
        Self { counters, end: HandshakeEnd::Failed(HandshakeFailure::Silent) }
    }

    /// Takes in that the first byte has arrived.
    pub(crate) fn begin(&mut self) {
        self.end = HandshakeEnd::Failed(HandshakeFailure::Closed);
    }

    /// Counts the handshake as completed.
    pub(crate) fn complete(mut self) {
        self.end = HandshakeEnd::Completed;
    }

    /// Counts the handshake as failed.
    pub(crate) fn fail(mut self, failure: HandshakeFailure) {
        self.end = HandshakeEnd::Failed(failure);
    }

    /// Counts the handshake as out of time. A silent one stays silent.
    pub(crate) fn time_out(self) {
        if self.end == HandshakeEnd::Failed(HandshakeFailure::Closed) {
            self.fail(HandshakeFailure::TimedOut);
        }
    }
}

impl Drop for HandshakeGuard {
    fn drop(&mut self) {
        self.counters.counts.lock().count(self.end);
    }
}
