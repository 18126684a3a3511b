//! The URL of the server: `http://host:port/path?query`.

use http::Uri;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use thiserror::Error;

/// An `http://` URL. Parsing does not resolve the host; [`Url::resolve`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    target: String,
}

/// Why a URL cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The text is not a URL.
    #[error("`{0}` is not an address; write it like http://127.0.0.1:8080/path")]
    Malformed(String),
    /// The scheme is not `http`.
    #[error("`{0}`: only plain http:// is spoken; for TLS put a proxy in front of the server")]
    Scheme(String),
    /// The host has no address.
    #[error("host `{host}` is not known ({source}); check its spelling, or give an IP address")]
    Unknown {
        /// The host.
        host: String,
        /// The error of the resolver.
        source: io::Error,
    },
}

impl Url {
    /// Returns the path and query: at least `/`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the value of the `Host` header: without the port if it is 80 (RFC 9110, 7.2).
    pub fn authority(&self) -> String {
        match self.port {
            80 => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// Returns the URL of the same server with another path and query.
    pub fn with_target(&self, target: &str) -> Self {
        Self { target: target.to_owned(), ..self.clone() }
    }

    /// Returns the addresses of the host, in the order of the resolver; at least one. May wait for
    /// a name server.
    ///
    /// # Errors
    /// The host is unknown.
    pub fn resolve(&self) -> Result<Vec<SocketAddr>, UrlError> {
        let name = self.host.trim_start_matches('[').trim_end_matches(']');
        let addresses: Vec<_> = match (name, self.port).to_socket_addrs() {
            Ok(addresses) => addresses.collect(),
            Err(source) => return Err(self.unknown(source)),
        };
        if addresses.is_empty() {
            return Err(self.unknown(io::ErrorKind::NotFound.into()));
        }
        Ok(addresses)
    }

    fn unknown(&self, source: io::Error) -> UrlError {
        UrlError::Unknown { host: self.host.clone(), source }
    }
}

impl FromStr for Url {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        // `host:port` alone would be parsed as a scheme.
        let full = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let Ok(uri) = full.parse::<Uri>() else {
            return Err(UrlError::Malformed(text.to_owned()));
        };
        if uri.scheme_str() != Some("http") {
            return Err(UrlError::Scheme(text.to_owned()));
        }
        let Some((host, port)) = host_and_port(&uri) else {
            return Err(UrlError::Malformed(text.to_owned()));
        };
        let target = uri.path_and_query().map_or("/", |target| target.as_str());
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        Ok(Self { host: host.to_owned(), port, target })
    }
}

/// Returns the host and the port, which is 80 if none is written; `None` if either is not allowed.
fn host_and_port(uri: &Uri) -> Option<(&str, u16)> {
    let host = uri.host().filter(|host| !host.is_empty())?;
    let port = match uri.authority()?.as_str().strip_prefix(host) {
        Some("") => 80,
        _ => uri.port_u16().filter(|port| *port > 0)?,
    };
    Some((host, port))
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
    fn a_url_has_host_port_and_target() {
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
    fn an_error_names_the_url() {
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
    fn a_numeric_address_resolves_without_a_name_server() {
        let url: Url = "http://[::1]:9/x".parse().unwrap();
        assert_eq!(url.resolve().unwrap(), ["[::1]:9".parse().unwrap()]);
    }
}
