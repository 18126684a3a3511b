//! The certificates of a server, and the choice among them.

use super::config::{CertificateFiles, TlsConfig};
use super::error::TlsError;
use parking_lot::Mutex;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::sync::Arc;

/// The certificates that new handshakes use.
#[derive(Debug)]
pub(super) struct Certificates {
    /// Locked once per handshake, and to replace them.
    current: Mutex<Arc<[Arc<CertifiedKey>]>>,
}

impl Certificates {
    pub(super) fn new(keys: Arc<[Arc<CertifiedKey>]>) -> Self {
        Self { current: Mutex::new(keys) }
    }

    pub(super) fn replace(&self, keys: Arc<[Arc<CertifiedKey>]>) {
        *self.current.lock() = keys;
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = Arc::clone(&*self.current.lock());
        if keys.len() == 1 {
            return keys.first().cloned();
        }
        let schemes = hello.signature_schemes();
        let mut usable = keys.iter().filter(|it| it.key.choose_scheme(schemes).is_some());
        let name = hello.server_name().and_then(|name| ServerName::try_from(name).ok());
        let named = name.and_then(|name| usable.clone().find(|it| has_name(it, &name)));
        named.or_else(|| usable.next()).or(keys.first()).cloned()
    }
}

/// Reads the files of all certificates.
pub(super) fn load(
    config: &TlsConfig,
    provider: &CryptoProvider,
) -> Result<Arc<[Arc<CertifiedKey>]>, TlsError> {
    config.check()?;
    config.certificates.iter().map(|files| load_one(files, provider)).collect()
}

fn load_one(
    CertificateFiles { chain, key }: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<Arc<CertifiedKey>, TlsError> {
    let unread = |source| TlsError::File { key: "chain", file: chain.clone(), source };
    let certificates = CertificateDer::pem_file_iter(chain).map_err(unread)?;
    let certificates = certificates.collect::<Result<Vec<_>, _>>().map_err(unread)?;
    if certificates.is_empty() {
        return Err(unread(pem::Error::NoItemsFound));
    }
    let unread = |source| TlsError::File { key: "key", file: key.clone(), source };
    let private_key = PrivateKeyDer::from_pem_file(key).map_err(unread)?;
    let certified = CertifiedKey::from_der(certificates, private_key, provider);
    let certified = certified.map_err(|source| {
        let (key, chain) = (key.clone(), chain.clone());
        TlsError::Key { key, chain, source }
    })?;
    Ok(Arc::new(certified))
}

/// Returns true if the certificate is for this name, also by a wildcard.
fn has_name(key: &CertifiedKey, name: &ServerName<'_>) -> bool {
    let Ok(certificate) = key.end_entity_cert() else { return false };
    let parsed = ParsedCertificate::try_from(certificate);
    parsed.is_ok_and(|parsed| verify_server_name(&parsed, name).is_ok())
}
