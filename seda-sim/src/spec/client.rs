//! Who waits for the answers, and for how long.

use super::check::SpecError;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How clients behave. Each request is one client.
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
}

impl ClientSpec {
    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.gives_up_after.is_some_and(|after| after.is_zero()) {
            return Err(SpecError::value("client.gives_up_after", "0s", "more than nothing"));
        }
        if self.retries > 1_000 {
            return Err(SpecError::value("client.retries", self.retries, "0 to 1000"));
        }
        Ok(())
    }
}
