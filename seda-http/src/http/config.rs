//! Settings of a server, as a file can hold them.

use crate::h1::Limits;
use crate::reactor::Settings;
use crate::server::{ConfigError, ServerConfig, in_time};
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

/// Retry-TurnOutcome is in whole seconds (RFC 9110 §10.2.3), and an hour is "do not come back".
const RETRY_MOST: Duration = Duration::from_secs(60 * 60);

/// Settings of an HTTP server; every one has a default. Durations are written `10s`, `250ms`.
///
/// What clients can make the server hold is bounded by `connections` × (`limits.head_bytes` +
/// `limits.body_bytes` + `write_buffer`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpConfig {
    /// The address to listen on; port 0 takes a free one. Default `127.0.0.1:8080`: nobody but
    /// this machine is served unless somebody says so.
    pub listen: SocketAddr,
    /// Threads that own sockets. 1 to 64.
    ///
    /// Default 1: one reactor reads, parses and writes for about 100,000 small requests a second,
    /// while a second one takes a core from the stages. Add one when `reactor-0` is busy and
    /// cores are idle.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub reactors: usize,
    /// Connections at once, over all reactors. Further ones wait, unaccepted, in the kernel's
    /// backlog. 1 to 1,048,576.
    ///
    /// Default 10,000: each takes a descriptor, and services commonly have some 16,000.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub connections: usize,
    /// Requests in flight on one connection; while there are as many, it is not read from. 1 to
    /// 1,024.
    ///
    /// Default 32: more than clients pipeline, and little enough that one connection cannot fill
    /// a stage's queue.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub pipeline: usize,
    /// Bytes of encoded answers that wait on one connection, beyond which no further answer is
    /// encoded and no request read; bodies are produced as the client takes them. 4 KiB to
    /// 64 MiB.
    ///
    /// Default 256 KiB: what a fast long-distance connection takes in one round trip.
    #[serde(deserialize_with = "seda_core::written::count")]
    pub write_buffer: usize,
    /// How long a connection may be idle between two requests, and before its first. 1 ms to one
    /// day. Default 60 s: longer than a person reads one page before the next.
    #[serde(with = "seda_core::written::duration")]
    pub idle_timeout: Duration,
    /// How long a request's head may take from its first byte on; then 408 (RFC 9110 §15.5.9).
    /// 1 ms to one day. Default 10 s: three retransmissions on a bad connection, and short enough
    /// that clients who dribble bytes cannot collect connections.
    #[serde(with = "seda_core::written::duration")]
    pub head_timeout: Duration,
    /// How long may pass between two pieces of a body; then 408. 1 ms to one day. Default 30 s:
    /// uploads stall when a phone changes its cell.
    #[serde(with = "seda_core::written::duration")]
    pub body_timeout: Duration,
    /// How long a client may take nothing of what is written to it; then it is disconnected. 1 ms
    /// to one day. Default 30 s, as for a body.
    #[serde(with = "seda_core::written::duration")]
    pub write_timeout: Duration,
    /// How long the server waits for the client's FIN after its own, so that the last answer is
    /// not lost to a reset (RFC 9112 §9.6). 1 ms to 60 s. Default 1 s: a few round trips.
    #[serde(with = "seda_core::written::duration")]
    pub linger: Duration,
    /// Whether a client that has shut its sending side still gets its answers. Default false: it
    /// is taken as gone, and its queued work is not begun, because a client that gave up looks
    /// the same.
    pub half_close: bool,
    /// How old a request may become before its answer is worthless: what is still queued then is
    /// answered 503. Default none.
    #[serde(with = "seda_core::written::optional_duration")]
    pub deadline: Option<Duration>,
    /// The least and the most that Retry-TurnOutcome says (RFC 9110 §10.2.3), in whole seconds. 1 s to
    /// one hour. Default 1 s to 30 s: the figure is measured, and a measurement is not good for
    /// more.
    pub retry_after: RetryAfterRange,
    /// What of a request is read before it is refused.
    pub limits: Limits,
}

/// The range of what Retry-TurnOutcome says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetryAfterRange {
    /// The least; also what is said before anything was measured.
    #[serde(with = "seda_core::written::duration")]
    pub least: Duration,
    /// The most; also what is said while nothing drains.
    #[serde(with = "seda_core::written::duration")]
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
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            reactors: 1,
            connections: 10_000,
            pipeline: 32,
            write_buffer: 256 * 1024,
            idle_timeout: Duration::from_secs(60),
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            linger: Duration::from_secs(1),
            half_close: false,
            deadline: None,
            retry_after: RetryAfterRange::default(),
            limits: Limits::default(),
        }
    }
}

impl HttpConfig {
    /// Says which setting is unusable, if one is.
    ///
    /// # Errors
    /// The first one, with its value and what is allowed.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.server().check()?;
        let RetryAfterRange { least, most } = self.retry_after;
        in_time("retry_after.least", least, Duration::from_secs(1), RETRY_MOST)?;
        in_time("retry_after.most", most, least, RETRY_MOST)?;
        Ok(self.limits.check()?)
    }

    /// The part of it that does not depend on HTTP.
    pub(crate) fn server(&self) -> ServerConfig {
        ServerConfig {
            listen: self.listen,
            reactors: self.reactors,
            connections: self.connections,
            deadline: self.deadline,
            settings: Settings {
                pipeline: self.pipeline,
                write_buffer: self.write_buffer,
                idle: self.idle_timeout,
                head: self.head_timeout,
                body: self.body_timeout,
                write: self.write_timeout,
                linger: self.linger,
                half_close: self.half_close,
            },
            head_key: "head_timeout",
            body_key: "body_timeout",
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
    fn the_defaults_are_allowed_and_survive_a_file() {
        let config = HttpConfig::default();
        config.check().unwrap();
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<HttpConfig>(&written).unwrap(), config);
        assert_eq!(serde_json::from_str::<HttpConfig>("{}").unwrap(), config);
    }

    #[test]
    fn an_error_names_key_value_and_what_is_allowed() {
        assert_eq!(error(r#"{"reactors": 0}"#), "`reactors` is 0: allowed is 1 to 64");
        assert_eq!(
            error(r#"{"head_timeout": "0s"}"#),
            "`head_timeout` is 0ns: allowed is 1ms to 86400s"
        );
        assert_eq!(
            error(r#"{"limits": {"headers": 1000}}"#),
            "`limits`: headers = 1000 is out of range: allowed are 1 to 256"
        );
        assert_eq!(
            error(r#"{"retry_after": {"least": "9s", "most": "3s"}}"#),
            "`retry_after.most` is 3s: allowed is 9s to 3600s"
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        let parsed = serde_json::from_str::<HttpConfig>(r#"{"reactor": 1}"#);
        assert!(parsed.unwrap_err().to_string().contains("unknown field `reactor`"));
    }
}
