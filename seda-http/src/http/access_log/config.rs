//! The settings of the access log.

use crate::server::{ConfigError, in_range};
use serde::{Deserialize, Serialize};

/// More lines than a log is behind.
const QUEUE_MOST: usize = 1_048_576;

/// The settings of the access log, and of what is noted about each request. The program gives the
/// writer ([`Http::access_log`](crate::Http::access_log)).
///
/// ```
/// use seda_http::{AccessLogFormat, HttpConfig};
///
/// let mut config = HttpConfig::default();
/// config.access_log.format = Some(AccessLogFormat::Json);
/// config.access_log.request_ids = true;
///
/// // The same from a file.
/// let file = r#"{ "access_log": { "format": "json", "request_ids": true } }"#;
/// assert_eq!(serde_json::from_str::<HttpConfig>(file)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AccessLogConfig {
    /// The form of a line. Default `None`: there is no log, and it costs nothing.
    pub format: Option<AccessLogFormat>,
    /// The most lines that wait to be written, 1 to 1,048,576. A further one is dropped and counted
    /// in [`ServerCounts::dropped_log_lines`](crate::ServerCounts).
    ///
    /// Default 4,096: a pause of the writer for 40 ms at 100,000 requests a second costs no line.
    /// A line has 100 to 300 bytes as a rule, and 10 KB at most.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub queue: usize,
    /// True if each request has an id, with or without a log: that of its `x-request-id` if it has
    /// 1 to 128 letters, digits, `-` and `_`, else 128 random bits in hex. The answer carries it,
    /// and [`HttpRequest::id`](crate::HttpRequest::id) returns it.
    ///
    /// Default false: an id is for programs that pass it on or log it.
    pub request_ids: bool,
    /// True if each answer of the graph says in `Server-Timing` how long its request waited for
    /// each stage and was served by it, with or without a log: a browser's tools show it.
    ///
    /// Default false: it tells every client the names of the stages and their times.
    pub server_timing: bool,
}

/// The form of a line of the access log.
///
/// ```
/// use seda_http::{AccessLogConfig, AccessLogFormat};
///
/// let config: AccessLogConfig = serde_json::from_str(r#"{ "format": "combined" }"#)?;
/// assert_eq!(config.format, Some(AccessLogFormat::Combined));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AccessLogFormat {
    /// The Combined Log Format of Apache, which most tools read.
    Combined,
    /// One JSON object, which also has the duration, the id and whether the request was refused.
    Json,
}

impl Default for AccessLogConfig {
    fn default() -> Self {
        Self { format: None, queue: 4_096, request_ids: false, server_timing: false }
    }
}

impl AccessLogConfig {
    pub(in crate::http) fn check(&self) -> Result<(), ConfigError> {
        in_range("access_log.queue", self.queue, 1, QUEUE_MOST)
    }
}
