//! Clients: how long they wait, whether they retry, how they form a closed loop.

use crate::spec::bounds::{PAUSE, TIMEOUT, check_duration};
use crate::spec::error::SpecError;
use crate::spec::senders::limiter::LimiterSpec;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The largest number of clients of a closed loop, because each client holds memory.
const MAX_CLIENTS: u32 = 1_000_000;
/// The largest number of retries of one request.
const MAX_RETRIES: u32 = 1_000;

/// The behaviour of clients. Every request is a client of its own, unless [`clients`] makes the
/// load a closed loop.
///
/// ```
/// use seda_sim::spec::ClientSpec;
/// use std::time::Duration;
///
/// let impatient: ClientSpec = toml::from_str("gives_up_after = '1s'\nretries = 2")?;
/// assert_eq!(impatient.gives_up_after, Some(Duration::from_secs(1)));
/// # Ok::<(), toml::de::Error>(())
/// ```
///
/// [`clients`]: ClientSpec::clients
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClientSpec {
    /// The timeout of an attempt, 1 µs to 1 day. `None`: a client waits for ever.
    #[serde(with = "humantime_serde")]
    pub gives_up_after: Option<Duration>,
    /// Whether the server notices a timeout, as from a closed connection: it then does not begin
    /// queued work of this client. Otherwise the server does the work in vain.
    pub hangs_up: bool,
    /// The most retries of a request that was refused, lost or timed out, 0 to 1,000.
    pub retries: u32,
    /// Upper bound of the pause before the first retry, up to 1 day. The pause is drawn evenly
    /// between zero and the bound; the bound doubles with each further retry.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// The limit of the doubling, up to 1 day. `None`: it has none.
    #[serde(with = "humantime_serde")]
    pub most_backoff: Option<Duration>,
    /// The pause that a refusal asks for (`Retry-After`), up to 1 day. `None`: it asks for none.
    #[serde(with = "humantime_serde")]
    pub retry_after: Option<Duration>,
    /// Whether clients wait for `retry_after` where it is longer than their own pause.
    pub honours_retry_after: bool,
    /// The number of clients of a closed loop, 0 to 1,000,000. Each one sends its next request when
    /// its last one has ended and the thinking time is over. 0: the load is open.
    pub clients: u32,
    /// The thinking time of a client, 1 µs to 1 day. The first requests are spread evenly over one
    /// thinking time.
    #[serde(with = "humantime_serde")]
    pub think: Duration,
    /// Time of an answer outside the stages, as in a reactor, up to 1 day: it is added to every
    /// response time.
    #[serde(with = "humantime_serde")]
    pub latency: Duration,
    /// A limit of concurrency in front of the graph, beside the graph's own admission. `None`: the
    /// graph alone decides.
    pub limiter: Option<LimiterSpec>,
}

impl ClientSpec {
    pub(in crate::spec) fn check(&self) -> Result<(), SpecError> {
        if let Some(timeout) = self.gives_up_after {
            check_duration("client.gives_up_after", timeout, TIMEOUT)?;
        }
        let most_backoff = self.most_backoff.unwrap_or_default();
        let retry_after = self.retry_after.unwrap_or_default();
        check_duration("client.latency", self.latency, PAUSE)?;
        check_duration("client.backoff", self.backoff, PAUSE)?;
        check_duration("client.most_backoff", most_backoff, PAUSE)?;
        check_duration("client.retry_after", retry_after, PAUSE)?;
        if self.retries > MAX_RETRIES {
            return Err(SpecError::value("client.retries", self.retries, "0 to 1000"));
        }
        if self.clients > MAX_CLIENTS {
            return Err(SpecError::value("client.clients", self.clients, "0 to 1000000"));
        }
        if self.clients > 0 {
            // Without a pause a refused client would send again at the same moment for ever.
            check_duration("client.think", self.think, TIMEOUT)?;
        }
        if self.clients == 0 && !self.think.is_zero() {
            return Err(SpecError::value("client.think", "set", "with `client.clients`"));
        }
        match &self.limiter {
            Some(limiter) => limiter.check(),
            None => Ok(()),
        }
    }
}
