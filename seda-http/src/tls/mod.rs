//! TLS without sockets: bytes of a socket to plaintext, plaintext to bytes for a socket.
//!
//! The room imports no other room. A [`Session`] is one side of a connection, of a server or of a
//! client. It reads and writes any non-blocking socket, within bounds that its caller sets. The
//! reactor owns the socket, its readiness and all time limits.
//!
//! ```text
//! socket ─▶ arrived (ciphertext) ─▶ rustls ─▶ input of the connection
//! socket ◀─ records (ciphertext) ◀─ rustls ◀─ output of the connection
//! ```
//!
//! The costly steps of a handshake, a signature and a key exchange, run on the thread of a
//! [`Handshaker`], so a flood of handshakes takes no time from a reactor.
//!
//! | file | holds |
//! | --- | --- |
//! | `config` | [`TlsConfig`]: the files of certificates |
//! | `error` | [`TlsError`]: the file that cannot be used, and the reason |
//! | `certificates` | the certificates of a server, and the choice among them |
//! | `server` | [`TlsServer`]: the shared part of a server's sessions; its certificates change |
//! | `session` | [`Session`]: one side of an encrypted connection |
//! | `handshaker` | [`Handshaker`]: the thread of the costly steps |
//! | `handshake_failure` | [`HandshakeFailure`]: the cause for which a handshake fails |
//! | `handshake_counts` | [`HandshakeCounts`]: the handshakes by their end; each counts itself |
//! | `off` | the types of a build without the feature `tls`: they have no values |
//!
//! Without the feature `tls` there is no session, so the compiler removes the code for them.

#[cfg(feature = "tls")]
mod certificates;
#[cfg(feature = "tls")]
mod config;
#[cfg(feature = "tls")]
mod error;
mod handshake_counts;
mod handshake_failure;
#[cfg(feature = "tls")]
mod handshaker;
#[cfg(not(feature = "tls"))]
mod off;
#[cfg(feature = "tls")]
mod server;
#[cfg(feature = "tls")]
mod session;
#[cfg(test)]
#[cfg(feature = "tls")]
mod tests;

#[cfg(feature = "tls")]
pub use config::{CertificateFiles, TlsConfig};
#[cfg(feature = "tls")]
pub use error::TlsError;
pub use handshake_counts::HandshakeCounts;
pub(crate) use handshake_counts::{HandshakeCounters, HandshakeGuard};
pub(crate) use handshake_failure::HandshakeFailure;
#[cfg(feature = "tls")]
pub(crate) use handshaker::{Handshaker, Wanted};
#[cfg(not(feature = "tls"))]
pub(crate) use off::{Handshaker, Session, TlsServer, Wanted};
#[cfg(feature = "tls")]
pub(crate) use server::TlsServer;
#[cfg(feature = "tls")]
pub(crate) use session::Session;
