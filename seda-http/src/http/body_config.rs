//! The settings of request bodies: the memory of all, and the times of each.

use crate::h1::Limits;
use crate::server::{ConfigError, in_range};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// More memory than a machine has for bodies.
const BUDGET_MOST: usize = 1 << 40;

/// The settings of request bodies. The most bytes of one body is
/// [`Limits::body_bytes`](crate::h1::Limits::body_bytes).
///
/// ```
/// use seda_http::HttpConfig;
/// use std::time::Duration;
///
/// let mut config = HttpConfig::default();
/// config.body.budget = 64 * 1024 * 1024;
/// config.body.timeout = Duration::from_secs(10);
///
/// // The same from a file.
/// let file = r#"{ "body": { "budget": 67108864, "timeout": "10s" } }"#;
/// assert_eq!(serde_json::from_str::<HttpConfig>(file)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BodyConfig {
    /// The most bytes of memory that all request bodies may have, over all reactors: at least
    /// `limits.body_bytes` for each reactor, and at most 1 TiB. Each reactor has an equal share.
    ///
    /// A declared length is reserved when the head of its request has arrived, a chunked body is
    /// charged piece by piece, and both are given back when the program drops the body. A request
    /// whose body has no room is answered with 503. Before that, uploads end with 503 for it if
    /// that makes room: of the client that holds the most bytes the slowest one, if it holds more
    /// than the newcomer would; and any that has sent nothing for a second.
    ///
    /// Default 256 MiB: as many bodies of `limits.body_bytes` at once as a core handles in seconds,
    /// and a quarter of a small machine's memory.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub budget: usize,
    /// The longest time between two pieces of a body, 1 ms to one day. A slower body is answered
    /// with 408. The rest of a refused body has this time in all.
    ///
    /// Default 30 s: an upload stalls for some time when a phone changes its cell.
    #[serde(with = "seda_core::units::duration")]
    pub timeout: Duration,
    /// The longest time for a whole body, 1 ms to one day. A slower body is answered with 408.
    ///
    /// Default one hour: the largest body that `limits` allows, 1 GiB, takes it at 300 KB/s.
    #[serde(with = "seda_core::units::duration")]
    pub total_timeout: Duration,
    /// The least rate of a body in bytes a second, 0 (no least rate) to 1 GiB. It is enforced from
    /// `timeout` after the begin of the body on, as the mean since then. A slower body is answered
    /// with 408.
    ///
    /// Default 500: a tenth of a slow modem's rate. A client that sends one byte now and then holds
    /// its connection for 30 s, and no longer a body's worth of pauses.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub rate: usize,
}

impl Default for BodyConfig {
    fn default() -> Self {
        Self {
            budget: 256 * 1024 * 1024,
            timeout: Duration::from_secs(30),
            total_timeout: Duration::from_secs(60 * 60),
            rate: 500,
        }
    }
}

impl BodyConfig {
    /// Checks the budget: each reactor has room for one body of the most bytes.
    pub(super) fn check_budget(&self, limits: &Limits, reactors: usize) -> Result<(), ConfigError> {
        let least = limits.body_bytes.saturating_mul(reactors);
        in_range("body.budget", self.budget, least, BUDGET_MOST)
    }
}
