//! The cause for which a handshake fails.

/// The cause for which a handshake fails. The public counts have a field for each
/// ([`HandshakeCounts`](super::HandshakeCounts)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(feature = "tls"), expect(dead_code, reason = "there are no handshakes"))]
pub(crate) enum HandshakeFailure {
    /// The client has sent no byte of it.
    Silent,
    /// The first byte begins no handshake.
    NotTls,
    /// Client and server have no version, cipher suite, group, signature scheme or protocol in
    /// common.
    Incompatible,
    /// The client has ended it with an alert.
    Alert,
    /// The client has broken the protocol.
    Malformed,
    /// The client has begun and not gone on in time.
    TimedOut,
    /// The client has begun, and closed or reset its connection.
    Closed,
    /// The server has closed the connection for another one.
    Evicted,
    /// The server has ended, or could not go on.
    Server,
}

#[cfg(feature = "tls")]
impl HandshakeFailure {
    /// Returns the cause of an error of [`Session::proceed`](super::Session::proceed).
    pub(crate) fn of(error: &std::io::Error) -> Self {
        use rustls::Error;
        let error = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
        match error {
            Some(Error::AlertReceived(_)) => Self::Alert,
            Some(Error::PeerIncompatible(_) | Error::NoApplicationProtocol) => Self::Incompatible,
            Some(
                Error::EncryptError
                | Error::FailedToGetCurrentTime
                | Error::FailedToGetRandomBytes
                | Error::General(_)
                | Error::Other(_),
            )
            | None => Self::Server,
            // Whatever else rustls finds is wrong with what it has read.
            Some(_) => Self::Malformed,
        }
    }
}

#[cfg(not(feature = "tls"))]
impl HandshakeFailure {
    pub(crate) fn of(_error: &std::io::Error) -> Self {
        Self::Server
    }
}
