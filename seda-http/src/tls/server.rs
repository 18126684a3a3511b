//! What all sessions of a server share.

use super::certificates::{self, Certificates};
use super::config::TlsConfig;
use super::error::TlsError;
use super::session::Session;
use rustls::crypto::ring;
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, ServerConnection};
use std::sync::Arc;

/// The only protocol (RFC 7301). A client that offers others alone gets the alert
/// `no_application_protocol`.
const PROTOCOL: &[u8] = b"http/1.1";

/// Sessions that a client without tickets can resume: 1 MiB of memory. Nearly all clients have
/// tickets, which take no memory of the server.
const SESSIONS: usize = 1024;

/// The encryption of a listener.
#[derive(Clone)]
pub(crate) struct TlsServer {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    /// The files that the certificates come from.
    files: Arc<TlsConfig>,
}

impl TlsServer {
    /// Reads the certificates of `config`.
    pub(crate) fn load(config: &TlsConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let certificates = certificates::load(config, &provider)?;
        let certificates = Arc::new(Certificates::new(certificates));
        let resolver = Arc::clone(&certificates);
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions().map_err(TlsError::Start)?;
        let mut shared = builder.with_no_client_auth().with_cert_resolver(resolver);
        shared.alpn_protocols = vec![PROTOCOL.to_vec()];
        shared.session_storage = ServerSessionMemoryCache::new(SESSIONS);
        // Its keys rotate, and outlive a change of certificates.
        shared.ticketer = ring::Ticketer::new().map_err(TlsError::Start)?;
        let files = Arc::new(config.clone());
        Ok(Self { config: Arc::new(shared), certificates, files })
    }

    /// Reads the same files again, for all of `servers`. New handshakes use what they have; if one
    /// cannot be used, all those of before stay.
    pub(crate) fn reload(servers: &[Self]) -> Result<(), TlsError> {
        if servers.is_empty() {
            return Err(TlsError::NoTls);
        }
        let load =
            |server: &Self| certificates::load(&server.files, server.config.crypto_provider());
        let loaded = servers.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        for (server, keys) in servers.iter().zip(loaded) {
            server.certificates.replace(keys);
        }
        Ok(())
    }

    /// Returns the session of a new connection; `None` if there are no random numbers for it.
    pub(crate) fn session(&self) -> Option<Box<Session>> {
        let connection = ServerConnection::new(Arc::clone(&self.config));
        if let Err(error) = &connection {
            tracing::error!(%error, "a TLS connection does not begin; it is closed");
        }
        Some(Box::new(Session::new(connection.ok()?)))
    }
}

impl std::fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsServer").finish_non_exhaustive()
    }
}
