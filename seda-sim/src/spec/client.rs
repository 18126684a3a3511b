//! Who waits for the answers, and for how long.

use super::check::{PATIENCE, PAUSE, SpecError, check_duration};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The most clients of a closed loop: each has a place of its own.
const MOST_CLIENTS: u32 = 1_000_000;

/// How clients behave. Each request is one client, unless there are [`clients`] of a closed loop.
///
/// [`clients`]: ClientSpec::clients
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ClientSpec {
    /// When a client gives an attempt up. `None`: never.
    #[serde(with = "humantime_serde")]
    pub gives_up_after: Option<Duration>,
    /// Whether the server learns of it, as from a closed connection: what is queued for such a
    /// client is not begun. A server that does not look works on for nobody.
    pub hangs_up: bool,
    /// The most retries of a request that was refused, lost or given up.
    pub retries: u32,
    /// The pause before the first is drawn evenly from zero to this; it doubles with each further
    /// one.
    #[serde(with = "humantime_serde")]
    pub backoff: Duration,
    /// What it doubles up to. `None`: no bound.
    #[serde(with = "humantime_serde")]
    pub most_backoff: Option<Duration>,
    /// What a refusal asks clients to wait (`Retry-After`).
    #[serde(with = "humantime_serde")]
    pub retry_after: Option<Duration>,
    /// Whether they do, if it is longer than their own pause.
    pub honours_retry_after: bool,
    /// Clients of a closed loop, instead of arrivals: each sends its next request when it has
    /// thought about how the last one ended. 0: there are none, the load is open.
    pub clients: u32,
    /// How long it thinks. The clients begin spread evenly over the first of these pauses.
    #[serde(with = "humantime_serde")]
    pub think: Duration,
}

impl ClientSpec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        let check =
            |key: &str, length, range| check_duration(format!("client.{key}"), length, range);
        if let Some(after) = self.gives_up_after {
            check("gives_up_after", after, PATIENCE)?;
        }
        check("backoff", self.backoff, PAUSE)?;
        check("most_backoff", self.most_backoff.unwrap_or_default(), PAUSE)?;
        check("retry_after", self.retry_after.unwrap_or_default(), PAUSE)?;
        if self.retries > 1_000 {
            return Err(SpecError::value("client.retries", self.retries, "0 to 1000"));
        }
        if self.clients > MOST_CLIENTS {
            return Err(SpecError::value("client.clients", self.clients, "0 to 1000000"));
        }
        if self.clients > 0 {
            // Without a pause one who is refused would ask for ever at the same moment.
            check("think", self.think, PATIENCE)?;
        }
        if self.clients == 0 && !self.think.is_zero() {
            return Err(SpecError::value("client.think", "set", "with `client.clients`"));
        }
        Ok(())
    }
}
