//! The client side of TLS: what a server's certificate is checked against.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    ClientConfig, ClientConnection, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use thiserror::Error;

/// What the certificate of a server is checked against.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trust {
    /// The certificates that the system trusts.
    #[default]
    System,
    /// The certificates of a file in PEM.
    File(PathBuf),
    /// Nothing: any certificate will do.
    Anything,
}

/// Makes the sessions to one server.
#[derive(Clone, Debug)]
pub struct TlsClient {
    config: Arc<ClientConfig>,
    name: ServerName<'static>,
}

/// Why no session can be made.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsClientError {
    /// The host is no name that a certificate can have.
    #[error("`{0}` is no name for a certificate; give a DNS name or an IP address")]
    Name(String),
    /// The file has no certificate.
    #[error("--cacert {}: {message}; give a file with certificates in PEM", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// The system trusts no certificate.
    #[error(
        "this system has no trusted certificates ({0}): install ca-certificates, or give --cacert or \
         --insecure"
    )]
    NoRoots(String),
    /// The settings contradict each other.
    #[error("TLS cannot be set up: {0}")]
    Config(#[from] rustls::Error),
}

impl TlsClient {
    /// Makes a client of the server with the name `host`.
    pub(crate) fn new(host: &str, trust: &Trust) -> Result<Self, TlsClientError> {
        let plain = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let name =
            ServerName::try_from(plain).map_err(|_| TlsClientError::Name(host.to_owned()))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()?;
        let mut config = match trust {
            Trust::Anything => {
                let verifier = Arc::new(AnyCertificate(provider));
                builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth()
            }
            Trust::File(file) => {
                builder.with_root_certificates(of_file(file)?).with_no_client_auth()
            }
            Trust::System => builder.with_root_certificates(of_system()?).with_no_client_auth(),
        };
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { config: Arc::new(config), name })
    }

    /// Begins a session.
    pub(crate) fn session(&self) -> Result<ClientConnection, rustls::Error> {
        ClientConnection::new(self.config.clone(), self.name.clone())
    }
}

fn of_file(file: &Path) -> Result<RootCertStore, TlsClientError> {
    let wrong = |message: String| TlsClientError::File { file: file.to_owned(), message };
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|error| wrong(error.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        roots.add(certificate).map_err(|error| wrong(error.to_string()))?;
    }
    if roots.is_empty() { Err(wrong("it has no certificate".to_owned())) } else { Ok(roots) }
}

fn of_system() -> Result<RootCertStore, TlsClientError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A system may have certificates that this version cannot read; others do.
    roots.add_parsable_certificates(found.certs);
    if roots.is_empty() {
        let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
        return Err(TlsClientError::NoRoots(errors.join(", ")));
    }
    Ok(roots)
}

/// Accepts any certificate, and checks that the server has its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
