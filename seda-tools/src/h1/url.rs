//! The URL of the server: `http://user:password@host:port/path?query`, or `https://`.

use super::origin_form::origin_form;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::uri::Authority;
use percent_encoding::percent_decode_str;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::str::FromStr;
use thiserror::Error;

/// An `http://` or `https://` URL. Parsing does not resolve the host; [`Url::resolve`] does.
///
/// Bytes of the path and the query that may not be sent, such as `é` or `"`, are percent-encoded; a
/// fragment is dropped. User and password become the field [`Url::authorization`], and are neither
/// displayed nor written into a report.
#[derive(Clone, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    target: String,
    authorization: Option<HeaderValue>,
    is_secure: bool,
}

/// Why a URL cannot be used. Messages have no password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UrlError {
    /// The text is not a URL.
    #[error("`{0}` is not an address; write it like http://127.0.0.1:8080/path")]
    Malformed(String),
    /// The scheme is not `http` or `https`.
    #[error(
        "`{0}`: only http:// and https:// are spoken, and https:// with the feature `tls` alone"
    )]
    Scheme(String),
    /// The host has bytes beyond ASCII.
    #[error("`{0}` has a host beyond ASCII; write its ASCII form, which begins with xn--")]
    Host(String),
    /// A `%` of the path or the query is not followed by two hexadecimal digits.
    #[error("`{0}` has a `%` without two hexadecimal digits behind it; write `%25` for a `%`")]
    Escape(String),
    /// The path or the query has a control character.
    #[error("`{0}` has a control character; write it like `%0A`")]
    Control(String),
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
    /// Returns the path and query as they are sent: at least `/`.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Returns the value of the `Host` header: without the port if it is that of the scheme (RFC
    /// 9110, 7.2).
    pub fn authority(&self) -> String {
        match self.port {
            port if port == default_port(self.is_secure) => self.host.clone(),
            port => format!("{}:{port}", self.host),
        }
    }

    /// Returns true for `https://`.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Returns the host as it is written; an IPv6 address stands in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the value of the `Authorization` header, with the scheme Basic (RFC 7617); `None`
    /// without a user in the URL.
    pub fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
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
        let (scheme, rest) = split_scheme(text);
        let is = |known: &str| scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(known));
        let is_secure = is("https") && cfg!(feature = "tls");
        if scheme.is_some() && !is("http") && !is_secure {
            return Err(UrlError::Scheme(redacted(text)));
        }
        let (authority, target) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (user, place) = authority
            .rsplit_once('@')
            .map_or((None, authority), |(user, place)| (Some(user), place));
        if !place.is_ascii() {
            return Err(UrlError::Host(redacted(text)));
        }
        let malformed = || UrlError::Malformed(redacted(text));
        let (host, port) = host_and_port(place).ok_or_else(malformed)?;
        // A word alone is more likely a typing error than a host: `seda load foo`.
        let is_word = scheme.is_none() && port.is_none() && !host.contains(['.', ':']);
        if is_word && host != "localhost" {
            return Err(malformed());
        }
        let authorization = user.map(basic).transpose().map_err(|_| malformed())?;
        let port = port.unwrap_or(default_port(is_secure));
        let target = encoded(target, text)?;
        Ok(Self { host, port, target, authorization, is_secure })
    }
}

/// Returns the port of a URL without one.
fn default_port(is_secure: bool) -> u16 {
    if is_secure { 443 } else { 80 }
}

/// Splits `http://rest` into the scheme and the rest; without a scheme all is the rest.
fn split_scheme(text: &str) -> (Option<&str>, &str) {
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            (Some(scheme), rest)
        }
        _ => (None, text),
    }
}

/// Returns the host and the port, if one is written; `None` if either is not allowed.
fn host_and_port(place: &str) -> Option<(String, Option<u16>)> {
    let authority: Authority = place.parse().ok()?;
    let host = authority.host();
    let port = match place.strip_prefix(host)? {
        "" => None,
        _ => Some(authority.port_u16().filter(|port| *port > 0)?),
    };
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Returns the credentials `user:password`, percent-decoded, in the scheme Basic.
fn basic(user: &str) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    let decoded: Vec<u8> = percent_decode_str(user).collect();
    let has_password = decoded.contains(&b':');
    let credentials = if has_password { decoded } else { [&decoded, b":".as_slice()].concat() };
    let mut value = HeaderValue::try_from(format!("Basic {}", STANDARD.encode(credentials)))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Returns the path and the query of `text` for sending, without a fragment.
fn encoded(target: &str, text: &str) -> Result<String, UrlError> {
    let target = target.split('#').next().unwrap_or_default();
    if target.contains(|letter: char| letter.is_ascii_control()) {
        return Err(UrlError::Control(redacted(text).escape_debug().to_string()));
    }
    let escapes = target.split('%').skip(1);
    let is_escape = |after: &str| {
        after.len() >= 2 && after.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    };
    if !escapes.into_iter().all(is_escape) {
        return Err(UrlError::Escape(redacted(text)));
    }
    let rooted = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
    origin_form(rooted.as_bytes()).ok_or_else(|| UrlError::Malformed(redacted(text)))
}

/// Returns `text` with `***` in place of `user:password` in front of a host, if it holds a URL.
pub(crate) fn redacted(text: &str) -> String {
    let begin = text.find("://").map_or(0, |at| at + 3);
    let (before, rest) = text.split_at(begin);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A password may hold a `/`: then the URL is malformed, and shown in a message.
    let has_port = authority.rsplit_once(':').is_none_or(|(_, port)| port.parse::<u16>().is_ok());
    let is_cut = begin > 0 && !has_port && !authority.contains('@');
    let holder = if is_cut { rest } else { authority };
    match holder.rsplit_once('@') {
        // Without a scheme, `goodput@5x` has no password.
        Some((user, _)) if begin > 0 || user.contains(':') => {
            format!("{before}***{}", rest.get(user.len()..).unwrap_or_default())
        }
        _ => text.to_owned(),
    }
}

impl fmt::Display for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_secure { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.authority(), self.target)
    }
}

impl fmt::Debug for Url {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Url({self})")
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
            ("http://web/", "web", "/"),
            ("http://[::1]:9/x", "[::1]:9", "/x"),
            ("localhost:9/x", "localhost:9", "/x"),
            ("localhost", "localhost", "/"),
            ("h:9/x?to=http://y/", "h:9", "/x?to=http://y/"),
            ("http://h:9?x=1", "h:9", "/?x=1"),
            ("HTTP://h:9/x#part", "h:9", "/x"),
        ];
        for (text, authority, target) in cases {
            let url: Url = text.parse().unwrap();
            assert_eq!((url.authority().as_str(), url.target()), (authority, target), "{text}");
        }
    }

    #[cfg(feature = "tls")]
    #[test]
    fn a_secure_url_has_its_own_port() {
        let url: Url = "https://h/x".parse().unwrap();
        assert_eq!((url.to_string().as_str(), url.is_secure()), ("https://h/x", true));
        assert_eq!("https://h:80/".parse::<Url>().unwrap().authority(), "h:80");
        assert_eq!("https://h:443/".parse::<Url>().unwrap().authority(), "h");
    }

    #[test]
    fn bytes_that_may_not_be_sent_are_encoded() {
        let cases = [
            ("http://h/café", "/caf%C3%A9"),
            ("http://h/x?q=中", "/x?q=%E4%B8%AD"),
            ("http://h/a\"b", "/a%22b"),
            ("http://h/a b", "/a%20b"),
            ("http://h/a[1]{n}|^`\\<>", "/a%5B1%5D%7Bn%7D%7C%5E%60%5C%3C%3E"),
            ("http://h/a%2fb%20c", "/a%2fb%20c"),
        ];
        for (text, target) in cases {
            assert_eq!(text.parse::<Url>().unwrap().target(), target, "{text}");
        }
    }

    #[test]
    fn an_error_names_the_url_and_the_remedy() {
        for text in ["", "foo", "http://", "http://:80/", "http://h:0/", "http://h:99999/", "a b"] {
            let error = text.parse::<Url>().unwrap_err();
            assert!(matches!(error, UrlError::Malformed(_)), "{text}: {error}");
        }
        assert!(matches!("ftp://h/".parse::<Url>(), Err(UrlError::Scheme(_))));
        assert!(matches!("http://exämple.org/".parse::<Url>(), Err(UrlError::Host(_))));
        for text in ["http://h/%zz", "http://h/a%", "http://h/?q=%4", "http://h/%é0"] {
            let error = text.parse::<Url>().unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("%25"), "{error}");
        }
        assert!(matches!("http://h/a\nb".parse::<Url>(), Err(UrlError::Control(_))));
        let unknown = "http://no-such-host.invalid/".parse::<Url>().unwrap().resolve();
        let message = unknown.unwrap_err().to_string();
        assert!(message.contains("no-such-host.invalid"), "{message}");
    }

    #[test]
    fn a_password_is_sent_and_never_shown() {
        let url: Url = "http://Aladdin:open%20sesame@h:9/x".parse().unwrap();
        let sent = url.authorization().unwrap();
        assert_eq!(sent, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!((url.authority().as_str(), url.target()), ("h:9", "/x"));
        for shown in [url.to_string(), format!("{url:?} {sent:?}")] {
            assert!(!shown.contains("sesame") && !shown.contains("QWxh"), "{shown}");
        }
        let nameless: Url = "http://only@h/".parse().unwrap();
        assert_eq!(nameless.authorization().unwrap(), "Basic b25seTo=");
        for wrong in ["http://u:secret@/", "http://u:secret@h/%zz", "ftp://u:secret@h/"] {
            let error = wrong.parse::<Url>().unwrap_err().to_string();
            assert!(error.contains("***@") && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn only_credentials_are_redacted() {
        assert_eq!(redacted("http://u:p@h/x@y"), "http://***@h/x@y");
        assert_eq!(redacted("u:p@h:80/"), "***@h:80/");
        assert_eq!(redacted("http://u:p/q@h:80/"), "http://***@h:80/");
        assert_eq!(redacted("http://h:80/a@b"), "http://h:80/a@b");
        for text in ["goodput@5x>=0.97", "http://h/a@b", "/a@b=1", "--json", "http://h/?x=u:p@h"] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn a_numeric_address_resolves_without_a_name_server() {
        let url: Url = "http://[::1]:9/x".parse().unwrap();
        assert_eq!(url.resolve().unwrap(), ["[::1]:9".parse().unwrap()]);
    }
}
