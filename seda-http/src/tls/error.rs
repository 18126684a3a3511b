//! The reasons why certificates cannot be used.

use rustls::pki_types::pem;
use std::path::PathBuf;
use thiserror::Error;

/// The reason why a server has no TLS, or keeps its certificates.
///
/// ```
/// use seda_http::{CertificateFiles, Http, HttpConfig, ListenerConfig, TlsConfig};
///
/// let mut tls = TlsConfig::default();
/// tls.certificates = vec![CertificateFiles::new("missing.pem", "missing.key.pem")];
/// let mut listener = ListenerConfig::at("127.0.0.1:0".parse()?);
/// listener.tls = Some(tls);
/// let mut config = HttpConfig::default();
/// config.listen = listener.into();
/// let error = Http::bind(config).unwrap_err().to_string();
/// assert!(error.starts_with("cannot read `chain` = missing.pem"), "{error}");
/// # Ok::<(), seda_http::ListenPlaceError>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There are no certificates, or too many.
    #[error("`tls.certificates` has {number} certificates; allowed: 1 to {most}")]
    Number {
        /// The number of certificates.
        number: usize,
        /// The most certificates.
        most: usize,
    },
    /// A file cannot be read, or has no PEM of its kind.
    #[error(
        "cannot read `{key}` = {}: {source}; give a file in PEM that this user may read",
        file.display()
    )]
    File {
        /// The key of the setting: `chain` or `key`.
        key: &'static str,
        /// The file.
        file: PathBuf,
        /// The error of the parser, or of the operating system.
        source: pem::Error,
    },
    /// The key is of another certificate, or of a kind that TLS does not have here.
    #[error(
        "`key` = {} does not serve `chain` = {}: {source}; give the key of the chain's first \
         certificate",
        key.display(),
        chain.display()
    )]
    Key {
        /// The file of the key.
        key: PathBuf,
        /// The file of the certificate.
        chain: PathBuf,
        /// The error of the library.
        source: rustls::Error,
    },
    /// The operating system gives no random numbers for the keys of tickets.
    #[error("TLS does not start: {0}")]
    Start(rustls::Error),
    /// The server has no TLS whose certificates could be replaced.
    #[error("no listener of this server has TLS: set `listen.tls`")]
    NoTls,
}
