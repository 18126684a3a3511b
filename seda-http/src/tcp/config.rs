//! The settings of a TCP server.

use crate::http::HttpConfig;
use crate::reactor::{PeerList, Settings};
use crate::server::{ConfigError, ServerConfig, in_range};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// A longer request is an upload, which the protocol should split.
const REQUEST_BYTES_MOST: usize = 64 * 1024 * 1024;

/// The settings of a TCP server. Durations are written `10s`, `250ms`.
///
/// All defaults and bounds but those of the address are those of an HTTP server; [`HttpConfig`]
/// has their reasons. The memory that clients can make the server hold is bounded by
/// `connections` × (`request_bytes` + `write_buffer` + one read of 64 KiB).
///
/// ```
/// use seda_http::tcp::TcpConfig;
/// use std::time::Duration;
///
/// let mut config = TcpConfig::at(([127, 0, 0, 1], 7000).into());
/// config.request_timeout = Duration::from_secs(2);
/// assert!(config.check().is_ok());
/// config.connections = 0;
/// let error = config.check().unwrap_err();
/// assert_eq!(error.to_string(), "`connections` is 0; allowed: 1 to 1048576");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TcpConfig {
    /// The address to listen on. Port 0 takes a free port. Default `127.0.0.1:7000`.
    pub listen: SocketAddr,
    /// Number of threads that own sockets, 1 to 64. Default 1.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub reactors: usize,
    /// The most connections at once, 1 to 1,048,576. At the bound newcomers take the places of idle
    /// ones, as for [`HttpConfig::connections`]. Default 10,000.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub connections: usize,
    /// The most requests in flight on one connection, 1 to 1,024. At the bound the connection is
    /// not read from. Default 32.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub pipeline: usize,
    /// Bytes of encoded answers that wait on one connection, 4 KiB to 64 MiB. Beyond it no further
    /// answer is encoded and no request is read. Default 256 KiB.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub write_buffer: usize,
    /// The most bytes of one request, 1 to 64 MiB. Default 64 KiB: the most of one read.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub request_bytes: usize,
    /// The longest time that a connection may be idle between two requests, 1 ms to one day.
    /// Default 60 s.
    #[serde(with = "seda_core::units::duration")]
    pub idle_timeout: Duration,
    /// The longest time from a request's first byte to its last, 1 ms to one day. Default 10 s.
    #[serde(with = "seda_core::units::duration")]
    pub request_timeout: Duration,
    /// The longest time that a client may take no byte of its answers, 1 ms to one day. Default
    /// 30 s.
    #[serde(with = "seda_core::units::duration")]
    pub write_timeout: Duration,
    /// The longest wait for the client's FIN after the server's own, 1 ms to 60 s. Default 1 s.
    #[serde(with = "seda_core::units::duration")]
    pub linger: Duration,
    /// True if a client that has shut its sending side still gets its answers.
    ///
    /// Default true: `nc` and scripts send all their requests first and then read.
    pub half_close: bool,
    /// The age at which the answer to a request becomes worthless, 1 ms to one day. Default
    /// `None`: no deadline.
    #[serde(with = "seda_core::units::optional_duration")]
    pub deadline: Option<Duration>,
}

impl Default for TcpConfig {
    fn default() -> Self {
        let http = HttpConfig::default();
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7000)),
            reactors: http.reactors,
            connections: http.connections,
            pipeline: http.pipeline,
            write_buffer: http.write_buffer,
            request_bytes: 64 * 1024,
            idle_timeout: http.idle_timeout,
            request_timeout: http.head_timeout,
            write_timeout: http.write_timeout,
            linger: http.closing.linger,
            half_close: true,
            deadline: None,
        }
    }
}

impl TcpConfig {
    /// Returns the default settings with this address.
    pub fn at(listen: SocketAddr) -> Self {
        Self { listen, ..Self::default() }
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting out of its bounds, with its key, its value and the bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        in_range("request_bytes", self.request_bytes, 1, REQUEST_BYTES_MOST)?;
        self.server().check()
    }

    /// Returns the settings that do not depend on the protocol.
    pub(super) fn server(&self) -> ServerConfig {
        ServerConfig {
            listen: self.listen.into(),
            trusted_proxies: PeerList::default(),
            reactors: self.reactors,
            connections: self.connections,
            bodies: usize::MAX,
            deadline: self.deadline,
            settings: Settings {
                pipeline: self.pipeline,
                write_buffer: self.write_buffer,
                idle: self.idle_timeout,
                head: self.request_timeout,
                body: self.request_timeout,
                body_total: self.request_timeout,
                body_rate: 0,
                write: self.write_timeout,
                linger: self.linger,
                linger_total: self.linger,
                half_close: self.half_close,
            },
            head_key: "request_timeout",
            body_key: "request_timeout",
            linger_key: "linger",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_out_of_bounds_is_named_by_the_key_of_this_config() {
        assert_eq!(TcpConfig::default().check(), Ok(()));
        let no_time = TcpConfig { request_timeout: Duration::ZERO, ..TcpConfig::default() };
        assert!(no_time.check().unwrap_err().to_string().starts_with("`request_timeout` is 0"));
        let no_bytes = TcpConfig { request_bytes: 0, ..TcpConfig::default() };
        assert!(no_bytes.check().unwrap_err().to_string().starts_with("`request_bytes` is 0"));
    }
}
