//! Settings of a server of another protocol, as a file can hold them.

use crate::http::HttpConfig;
use crate::reactor::Settings;
use crate::server::{ConfigError, ServerConfig, in_range};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::time::Duration;

/// A request of more than this is an upload: split it into several.
const REQUEST_BYTES_MOST: usize = 64 * 1024 * 1024;

/// Settings of a TCP server. All but the address have the defaults and the bounds of an HTTP
/// server ([`HttpConfig`] has the reasons).
///
/// What clients can make the server hold is bounded by `connections` × (`request_bytes` +
/// `write_buffer`), and what one read brings (64 KiB).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TcpConfig {
    /// The address to listen on; port 0 takes a free one. Default `127.0.0.1:7000`.
    pub listen: SocketAddr,
    /// Threads that own sockets. 1 to 64; default 1.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub reactors: usize,
    /// Connections at once; further ones wait in the kernel's backlog. Default 10,000.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub connections: usize,
    /// Requests in flight on one connection; while there are as many, it is not read from.
    /// Default 32.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub pipeline: usize,
    /// Bytes of encoded answers that wait on one connection, beyond which no further answer is
    /// encoded and no request read. 4 KiB to 64 MiB; default 256 KiB.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub write_buffer: usize,
    /// The most bytes of one request. 1 to 64 MiB. Default 64 KiB: what one read brings.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub request_bytes: usize,
    /// How long a connection may be idle between two requests. Default 60 s.
    #[serde(with = "seda_core::written::duration")]
    pub idle_timeout: Duration,
    /// How long a request may take from its first byte on. Default 10 s.
    #[serde(with = "seda_core::written::duration")]
    pub request_timeout: Duration,
    /// How long a client may take nothing of what is written to it. Default 30 s.
    #[serde(with = "seda_core::written::duration")]
    pub write_timeout: Duration,
    /// How long the server waits for the client's FIN after its own. Default 1 s.
    #[serde(with = "seda_core::written::duration")]
    pub linger: Duration,
    /// Whether a client that has shut its sending side still gets its answers. Default true: `nc`
    /// and scripts send all they have and then read.
    pub half_close: bool,
    /// How old a request may become before its answer is worthless. Default none.
    #[serde(with = "seda_core::written::optional_duration")]
    pub deadline: Option<Duration>,
}

impl Default for TcpConfig {
    fn default() -> Self {
        let http = HttpConfig::default();
        Self {
            listen: SocketAddr::new(http.listen.ip(), 7000),
            reactors: http.reactors,
            connections: http.connections,
            pipeline: http.pipeline,
            write_buffer: http.write_buffer,
            request_bytes: 64 * 1024,
            idle_timeout: http.idle_timeout,
            request_timeout: http.head_timeout,
            write_timeout: http.write_timeout,
            linger: http.linger,
            half_close: true,
            deadline: None,
        }
    }
}

impl TcpConfig {
    /// The defaults, at this address.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, ..Self::default() }
    }

    /// Says which setting is unusable, if one is.
    ///
    /// # Errors
    /// The first one, with its value and what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        in_range("request_bytes", self.request_bytes, 1, REQUEST_BYTES_MOST)?;
        self.server().check()
    }

    /// The part of it that does not depend on the protocol.
    pub(super) fn server(&self) -> ServerConfig {
        ServerConfig {
            listen: self.listen,
            reactors: self.reactors,
            connections: self.connections,
            deadline: self.deadline,
            settings: Settings {
                pipeline: self.pipeline,
                write_buffer: self.write_buffer,
                idle: self.idle_timeout,
                head: self.request_timeout,
                body: self.request_timeout,
                write: self.write_timeout,
                linger: self.linger,
                half_close: self.half_close,
            },
            head_key: "request_timeout",
            body_key: "request_timeout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_value_is_named_by_this_configs_own_key() {
        assert_eq!(TcpConfig::default().check(), Ok(()));
        let at_once = TcpConfig { request_timeout: Duration::ZERO, ..TcpConfig::default() };
        assert!(at_once.check().unwrap_err().to_string().starts_with("`request_timeout` is 0"));
        let nothing = TcpConfig { request_bytes: 0, ..TcpConfig::default() };
        assert!(nothing.check().unwrap_err().to_string().starts_with("`request_bytes` is 0"));
    }
}
