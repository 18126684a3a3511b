//! Where the load goes: `http://host:port/path?query`.

use http::Uri;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use thiserror::Error;

/// An `http://` address. Parsing looks nothing up; [`Url::resolve`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    target: String,
}

/// Why an address cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not an address.
    #[error("`{0}` is not an address; write it like http://127.0.0.1:8080/path")]
    Malformed(String),
    /// It wants another protocol.
    #[error("`{0}`: only plain http:// is spoken; for TLS put a proxy in front of the server")]
    Scheme(String),
    /// Its host has no address.
    #[error("host `{host}` is not known ({source}); check its spelling, or give an IP address")]
    Unknown {
        /// The host.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
}

impl Url {
    /// The path and query: `/` at least.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What the `Host` header says: the port is left out where it is 80 (RFC 9110, 7.2).
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// The same server with another path and query.
    pub fn with_target(&self, target: &str) -> Self {
        Self { target: target.to_owned(), ..self.clone() }
    }

    /// Its addresses, in the resolver's order; never empty.
    ///
    /// # Errors
    /// The host is not known. May wait for a name server.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, UrlError> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let unknown = |source| UrlError::Unknown { host: self.host.clone(), source };
        let found: Vec<_> = (name, self.port).to_socket_addrs().map_err(unknown)?.collect();
        if found.is_empty() {
            return Err(unknown(io::ErrorKind::NotFound.into()));
        }
        Ok(found)
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let malformed = || UrlError::Malformed(text.to_owned());
        // `host:port` alone would be read as a scheme.
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = full.parse().map_err(|_| malformed())?;
        if uri.scheme_str() != Some("http") {
            return Err(UrlError::Scheme(text.to_owned()));
        }
        let host = uri.host().filter(|host| !host.is_empty()).ok_or_else(malformed)?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        let port = match authority.strip_prefix(host) {
            Some("") => 80,
            _ => uri.port_u16().filter(|port| *port > 0).ok_or_else(malformed)?,
        };
        Ok(Self { host: host.to_owned(), port, target })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "http://{}{}", self.authority(), self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_host_port_and_target() {
        let cases = [
            ("http://127.0.0.1:8080/work?micros=1", "127.0.0.1:8080", "/work?micros=1"),
            ("127.0.0.1:8080", "127.0.0.1:8080", "/"),
            ("http://example.org", "example.org", "/"),
            ("http://[::1]:9/x", "[::1]:9", "/x"),
            ("localhost:9/x", "localhost:9", "/x"),
            ("http://h:9?x=1", "h:9", "/?x=1"),
        ];
        for (text, authority, target) in cases {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.target()), (authority, target), "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        for text in
            ["", "http://", "http://:80/", "http://h:0/", "http://h:99999/", "a b", "http://u@h/"]
        {
            let error = text.parse::<Url>().unwrap_err();
            assert!(matches!(error, UrlError::Malformed(_)), "{text}: {error}");
        }
        assert!(matches!("https://h/".parse::<Url>(), Err(UrlError::Scheme(_))));
        let unknown = "http://no-such-host.invalid/".parse::<Url>().unwrap().resolve();
        let message = unknown.unwrap_err().to_string();
        assert!(message.contains("no-such-host.invalid"), "{message}");
    }

    #[test]
    fn an_address_in_figures_resolves_without_a_name_server() {
        let url: Url = "http://[::1]:9/x".parse().unwrap();
        assert_eq!(url.resolve().unwrap(), ["[::1]:9".parse().unwrap()]);
    }
}
