//! The settings of an HTTP server.

use super::access_log::AccessLogConfig;
use super::admin_config::AdminConfig;
use super::body_config::BodyConfig;
use crate::h1::Limits;
use crate::reactor::{PeerList, Settings};
use crate::server::{ConfigError, Listen, ServerConfig, in_duration_range};
use serde::{Deserialize, Serialize};
use std::net::Ipv4Addr;
use std::time::Duration;

/// The shortest Retry-After: the field is in whole seconds (RFC 9110 §10.2.3).
const RETRY_LEAST: Duration = Duration::from_secs(1);

/// A balancer that looks less often than each hour is none.
const LAME_DUCK_MOST: Duration = Duration::from_secs(60 * 60);

/// The longest Retry-After. A client does not come back after a longer time.
const RETRY_MOST: Duration = Duration::from_secs(60 * 60);

/// The settings of an HTTP server. Each has a default. Durations are written `10s`, `250ms`.
///
/// The memory that clients can make the server hold is bounded by `body.budget` + `connections` ×
/// (`limits.head_bytes` + `write_buffer` + one read of 64 KiB, and 160 KiB with TLS). With an
/// access log it is `access_log.queue` × 10 KB and 4 KiB for each request in flight more.
///
/// ```
/// use seda_http::HttpConfig;
/// use std::time::Duration;
///
/// let mut config = HttpConfig::default();
/// config.listen = ([127, 0, 0, 1], 0).into();
/// config.head_timeout = Duration::from_secs(5);
/// config.limits.body_bytes = 64 * 1024;
/// assert!(config.check().is_ok());
///
/// // The same from a file.
/// let file = r#"{
///     "listen": "127.0.0.1:0",
///     "head_timeout": "5s",
///     "limits": { "body_bytes": 65536 }
/// }"#;
/// assert_eq!(serde_json::from_str::<HttpConfig>(file).unwrap(), config);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The places to listen at: TCP addresses, Unix sockets, sockets of the parent. Port 0 takes a
    /// free port.
    ///
    /// Default `127.0.0.1:8080`: only clients on this machine are served unless the operator
    /// decides otherwise.
    pub listen: Listen,
    /// The proxies whose `Forwarded` and `X-Forwarded-For` fields name the client
    /// ([`HttpRequest::client`](crate::HttpRequest::client)). Each of their connections counts as a
    /// client of its own at the bound of connections, because many clients are behind it.
    ///
    /// Default none: every client could write these fields. A proxy in the list has to set or
    /// append one of them to every request, and to remove the other: if they differ, the client is
    /// not known.
    pub trusted_proxies: PeerList,
    /// Number of threads that own sockets, 1 to 64.
    ///
    /// Default 1: one reactor reads, parses and writes about 100,000 small requests a second, and
    /// a second one takes a core from the stages. Add one when `reactor-0` is busy and cores are
    /// idle.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub reactors: usize,
    /// The most connections at once over all reactors, 1 to 1,048,576.
    ///
    /// At the bound a newcomer takes the place of a connection without a request in progress: of
    /// the client with the most connections, the one that waits for the longest time. A client is
    /// an IPv4 address or an IPv6 /64. If all have a request in progress, newcomers wait in the
    /// kernel's backlog, unless another client has more connections than theirs, and one of them
    /// sends a request or reads an answer.
    ///
    /// Default 10,000: each takes a descriptor, and a service commonly has about 16,000. On Linux
    /// the soft limit of the process is raised to this number and 256 more; if the hard limit is
    /// lower, a warning says so.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub connections: usize,
    /// The most requests in flight on one connection, 1 to 1,024. At the bound the connection is
    /// not read from.
    ///
    /// Default 32: more than clients pipeline, and too few for one connection to fill a queue.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub pipeline: usize,
    /// Bytes of encoded responses that wait on one connection, 4 KiB to 64 MiB. Beyond it no
    /// further response is encoded and no request is read. Bodies are produced while they are
    /// written and do not count.
    ///
    /// Default 256 KiB: one round trip of a fast long-distance connection.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub write_buffer: usize,
    /// The longest time that a connection may be idle before its first request and between two
    /// requests, 1 ms to one day.
    ///
    /// Default 60 s: a user reads a page for less before opening the next.
    #[serde(with = "seda_core::units::duration")]
    pub idle_timeout: Duration,
    /// The longest time from the first byte of a request's head to its end, 1 ms to one day. A
    /// slower head is answered with 408 (RFC 9110 §15.5.9). A TLS handshake has the same time, from
    /// the accepted connection on.
    ///
    /// Default 10 s: enough for three retransmissions, and too short for clients that send byte by
    /// byte to collect connections.
    #[serde(with = "seda_core::units::duration")]
    pub head_timeout: Duration,
    /// Request bodies: the memory of all, and the times of each.
    pub body: BodyConfig,
    /// The longest time that a client may take no byte of its responses, 1 ms to one day. It is
    /// then disconnected.
    ///
    /// Default 30 s, like `body.timeout`.
    #[serde(with = "seda_core::units::duration")]
    pub write_timeout: Duration,
    /// The end of a connection.
    pub closing: Closing,
    /// The age at which the response to a request becomes worthless, 1 ms to one day. A request
    /// that is still queued then is answered with 503. Default `None`: no deadline.
    #[serde(with = "seda_core::units::optional_duration")]
    pub deadline: Option<Duration>,
    /// The range of the Retry-After field (RFC 9110 §10.2.3), 1 s to one hour.
    ///
    /// Default 1 s to 30 s: the value is estimated from measurements, which hold for no longer.
    pub retry_after: RetryAfterRange,
    /// The bounds of a request, beyond which it is rejected.
    pub limits: Limits,
    /// The admin side: report, graph and probes.
    ///
    /// By default other machines see only the probes `/livez` and `/readyz`.
    pub admin: AdminConfig,
    /// The access log and the ids of requests. Default: neither.
    pub access_log: AccessLogConfig,
}

/// The end of a connection.
///
/// ```
/// use seda_http::{Closing, HttpConfig};
///
/// let mut config = HttpConfig::default();
/// config.closing = Closing { half_close: false, ..Closing::default() };
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Closing {
    /// The longest silence of a client between the server's FIN and its own, 1 ms to 60 s. The
    /// server reads and discards what the client still sends, at most 64 MiB: so a client that
    /// sends a long body reads the response that refuses it, and loses it to no reset (RFC 9112
    /// §9.6).
    ///
    /// Default 1 s: a few round trips.
    #[serde(with = "seda_core::units::duration")]
    pub linger: Duration,
    /// The longest time from the server's FIN to the client's, at least `linger` and at most one
    /// hour.
    ///
    /// Default 30 s: a body of 2 MiB takes it at 70 KB/s. A connection that lingers gives its place
    /// to newcomers like an idle one.
    #[serde(with = "seda_core::units::duration")]
    pub linger_total: Duration,
    /// True if a client that has shut its sending side still gets the responses to all its whole
    /// requests.
    ///
    /// Default true: a shut sending side is no sign that a client has left (RFC 9293 §3.6), and
    /// scripts send their request, shut and read. Only a reset then abandons the requests of a
    /// client. With false a shut sending side abandons them, and those in a queue are not begun:
    /// set it where clients give up by closing and none shuts its sending side before it has read.
    pub half_close: bool,
    /// The lame-duck time: how long a server that ends serves on while `/readyz` answers 503, up to
    /// one hour. It closes each connection after its next answer meanwhile, and drains then. It is
    /// a part of the limit of [`Server::drain`](crate::Server::drain), half of it at most.
    ///
    /// Default 0 s: without a balancer nothing reads the probe. Behind one set it to the time after
    /// which the balancer sends no more connections, such as `periodSeconds` ×
    /// `failureThreshold` of a readiness probe of Kubernetes, 30 s unless set.
    #[serde(with = "seda_core::units::duration")]
    pub lame_duck: Duration,
}

impl Default for Closing {
    fn default() -> Self {
        Self {
            linger: Duration::from_secs(1),
            linger_total: Duration::from_secs(30),
            half_close: true,
            lame_duck: Duration::ZERO,
        }
    }
}

/// The range of the Retry-After field.
///
/// ```
/// use seda_http::{HttpConfig, RetryAfterRange};
/// use std::time::Duration;
///
/// let mut config = HttpConfig::default();
/// config.retry_after =
///     RetryAfterRange { least: Duration::from_secs(5), most: Duration::from_secs(60) };
/// assert!(config.check().is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryAfterRange {
    /// The shortest time; also used before the first measurement.
    #[serde(with = "seda_core::units::duration")]
    pub least: Duration,
    /// The longest time; also used while a queue does not drain.
    #[serde(with = "seda_core::units::duration")]
    pub most: Duration,
}

impl Default for RetryAfterRange {
    fn default() -> Self {
        Self { least: Duration::from_secs(1), most: Duration::from_secs(30) }
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 8080).into(),
            trusted_proxies: PeerList::default(),
            reactors: 1,
            connections: 10_000,
            pipeline: 32,
            write_buffer: 256 * 1024,
            idle_timeout: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
            body: BodyConfig::default(),
            write_timeout: Duration::from_secs(30),
            closing: Closing::default(),
            deadline: None,
            retry_after: RetryAfterRange::default(),
            limits: Limits::default(),
            admin: AdminConfig::default(),
            access_log: AccessLogConfig::default(),
        }
    }
}

impl HttpConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting out of its bounds, with its key, its value and the bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.server().check()?;
        let RetryAfterRange { least, most } = self.retry_after;
        in_duration_range("retry_after.least", least, RETRY_LEAST, RETRY_MOST)?;
        in_duration_range("retry_after.most", most, least, RETRY_MOST)?;
        let lame_duck = self.closing.lame_duck;
        in_duration_range("closing.lame_duck", lame_duck, Duration::ZERO, LAME_DUCK_MOST)?;
        self.limits.check()?;
        self.access_log.check()?;
        self.body.check_budget(&self.limits, self.reactors)?;
        self.admin.check()
    }

    /// Returns the settings that do not depend on HTTP.
    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig {
            listen: self.listen.clone(),
            trusted_proxies: self.trusted_proxies.clone(),
            reactors: self.reactors,
            connections: self.connections,
            bodies: self.body.budget,
            deadline: self.deadline,
            settings: Settings {
                pipeline: self.pipeline,
                write_buffer: self.write_buffer,
                idle: self.idle_timeout,
                head: self.head_timeout,
                body: self.body.timeout,
                body_total: self.body.total_timeout,
                body_rate: self.body.rate as u64,
                write: self.write_timeout,
                linger: self.closing.linger,
                linger_total: self.closing.linger_total,
                half_close: self.closing.half_close,
            },
            head_key: "head_timeout",
            body_key: "body.timeout",
            linger_key: "closing.linger",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        let config: HttpConfig = serde_json::from_str(json).unwrap();
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_allowed_and_survive_serialization() {
        let config = HttpConfig::default();
        config.check().unwrap();
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<HttpConfig>(&written).unwrap(), config);
        assert_eq!(serde_json::from_str::<HttpConfig>("{}").unwrap(), config);
    }

    #[test]
    fn an_error_names_the_key_the_value_and_the_bounds() {
        assert_eq!(error(r#"{"reactors": 0}"#), "`reactors` is 0; allowed: 1 to 64");
        assert_eq!(
            error(r#"{"head_timeout": "0s"}"#),
            "`head_timeout` is 0ns; allowed: 1ms to 86400s"
        );
        assert_eq!(
            error(r#"{"limits": {"headers": 1000}}"#),
            "`limits`: headers = 1000 is out of range; allowed: 1 to 256"
        );
        assert_eq!(
            error(r#"{"access_log": {"queue": 0}}"#),
            "`access_log.queue` is 0; allowed: 1 to 1048576"
        );
        assert_eq!(
            error(r#"{"retry_after": {"least": "9s", "most": "3s"}}"#),
            "`retry_after.most` is 3s; allowed: 9s to 3600s"
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let parsed = serde_json::from_str::<HttpConfig>(r#"{"reactor": 1}"#);
        assert!(parsed.unwrap_err().to_string().contains("unknown field `reactor`"));
    }
}
