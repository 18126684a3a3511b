//! The settings of TLS: the files of certificates.

use super::error::TlsError;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// A handshake reads certificates until one has its name. A longer list would cost more than the
/// handshake itself.
const CERTIFICATES_MOST: usize = 64;

/// The settings of TLS on a listener.
///
/// ```
/// use seda_http::{CertificateFiles, TlsConfig};
///
/// let mut tls = TlsConfig::default();
/// tls.certificates = vec![CertificateFiles::new("example.org.pem", "example.org.key.pem")];
///
/// // The same from a file.
/// let file = r#"{
///     "certificates": [{ "chain": "example.org.pem", "key": "example.org.key.pem" }]
/// }"#;
/// assert_eq!(serde_json::from_str::<TlsConfig>(file)?, tls);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TlsConfig {
    /// The certificates with their keys, 1 to 64.
    ///
    /// A client gets the first certificate that has the name for which it asks (SNI, RFC 6066 §3)
    /// and a key that it can check. A client that asks for no name, or for another one, gets the
    /// first of the list.
    pub certificates: Vec<CertificateFiles>,
}

/// The files of one certificate, in PEM (RFC 7468).
///
/// A path that is not absolute begins at the working directory of the process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CertificateFiles {
    /// The file of the certificate, followed by those of its issuers without the root. Certbot
    /// calls it `fullchain.pem`.
    pub chain: PathBuf,
    /// The file of the private key: PKCS #8, SEC 1 or PKCS #1; ECDSA with P-256 or P-384, Ed25519,
    /// or RSA. A signature with RSA takes many times the CPU time of one with P-256.
    pub key: PathBuf,
}

impl TlsConfig {
    /// Checks the number of certificates. The only error is [`TlsError::Number`].
    pub(crate) fn check(&self) -> Result<(), TlsError> {
        let number = self.certificates.len();
        if (1..=CERTIFICATES_MOST).contains(&number) {
            return Ok(());
        }
        Err(TlsError::Number { number, most: CERTIFICATES_MOST })
    }
}

impl CertificateFiles {
    /// Returns the files of one certificate.
    pub fn new(chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        Self { chain: chain.into(), key: key.into() }
    }
}
