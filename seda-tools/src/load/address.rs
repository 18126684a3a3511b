//! Where a server listens.

#[cfg(feature = "tls")]
use super::tls::{TlsClient, Trust};
use crate::h1::Url;
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// The address of a server on this machine or another.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ServerAddress {
    /// An IP address and a port.
    Tcp(SocketAddr),
    /// The path of a Unix socket.
    Unix(PathBuf),
    /// An IP address and a port, with TLS.
    #[cfg(feature = "tls")]
    Tls(SocketAddr, TlsClient),
}

/// A connection that blocks.
pub(crate) trait Blocking: io::Read + io::Write {}

impl<S: io::Read + io::Write> Blocking for S {}

impl ServerAddress {
    /// Returns the address of the server of a URL, with the certificates that the system trusts.
    ///
    /// # Errors
    /// The URL is a secure one, and its host has no certificate that could be trusted.
    pub(crate) fn of(url: &Url, address: SocketAddr) -> io::Result<Self> {
        #[cfg(feature = "tls")]
        if url.is_secure() {
            let client = TlsClient::new(url.host(), &Trust::System).map_err(io::Error::other)?;
            return Ok(Self::Tls(address, client));
        }
        // Without the feature no URL is secure.
        debug_assert!(!url.is_secure());
        Ok(Self::Tcp(address))
    }

    /// Connects to the server within `limit`, which each step of a handshake has, too. Then a read
    /// or a write takes `pause` at most.
    ///
    /// # Errors
    /// The server accepts no connection.
    pub(crate) fn connect(
        &self,
        limit: Duration,
        pause: Duration,
    ) -> io::Result<Box<dyn Blocking>> {
        match self {
            Self::Tcp(address) => Ok(Box::new(connect_tcp(address, limit, pause)?)),
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(pause))?;
                stream.set_write_timeout(Some(pause))?;
                Ok(Box::new(stream))
            }
            #[cfg(feature = "tls")]
            Self::Tls(address, client) => {
                let mut stream = connect_tcp(address, limit, limit)?;
                let mut session = client.session().map_err(io::Error::other)?;
                // The handshake tells whether the certificate is trusted.
                while session.is_handshaking() {
                    session.complete_io(&mut stream)?;
                }
                stream.set_read_timeout(Some(pause))?;
                stream.set_write_timeout(Some(pause))?;
                Ok(Box::new(rustls::StreamOwned::new(session, stream)))
            }
        }
    }
}

fn connect_tcp(address: &SocketAddr, limit: Duration, pause: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(address, limit)?;
    stream.set_read_timeout(Some(pause))?;
    stream.set_write_timeout(Some(pause))?;
    Ok(stream)
}

impl From<SocketAddr> for ServerAddress {
    fn from(address: SocketAddr) -> Self {
        Self::Tcp(address)
    }
}

impl fmt::Display for ServerAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(formatter),
            Self::Unix(path) => write!(formatter, "unix:{}", path.display()),
            #[cfg(feature = "tls")]
            Self::Tls(address, _) => address.fmt(formatter),
        }
    }
}
