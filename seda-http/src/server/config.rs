//! The settings that servers of every protocol share.

use super::error::ConfigError;
use super::listen::Listen;
use crate::reactor::{PeerList, Settings};
use std::fmt::Display;
use std::time::Duration;

/// A reactor is a thread that polls, and more of them would have no cores to run on.
const REACTORS_MOST: usize = 64;

/// A connection takes one descriptor and about 1 KiB. A process on Linux may have 2²⁰ descriptors.
const CONNECTIONS_MOST: usize = 1_048_576;

/// Each place in a pipeline reserves the place of one response.
const PIPELINE_MOST: usize = 1_024;

/// A smaller buffer would split the head of most responses.
const WRITE_BUFFER_LEAST: usize = 4 * 1024;

/// Bounds the memory of one connection. No network path has that many bytes in flight.
const WRITE_BUFFER_MOST: usize = 64 * 1024 * 1024;

/// The shortest time limit: zero would allow nothing. Limits are enforced up to 250 ms late.
const TIMEOUT_LEAST: Duration = Duration::from_millis(1);

/// A time limit of more than a day limits nothing.
const TIMEOUT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// After its FIN a connection only waits until the client has read.
const LINGER_MOST: Duration = Duration::from_secs(60);

/// Longer than any upload that a client does not notice to be refused.
const LINGER_TOTAL_MOST: Duration = Duration::from_secs(60 * 60);

/// No client sends faster than a network card of 10 Gbit/s takes.
const BODY_RATE_MOST: u64 = 1024 * 1024 * 1024;

/// The settings that do not depend on the protocol. `HttpConfig` and `TcpConfig` each build one, so
/// that their bounds are checked in one place.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) listen: Listen,
    /// The peers with many clients behind them.
    pub(crate) trusted_proxies: PeerList,
    pub(crate) reactors: usize,
    pub(crate) connections: usize,
    /// The most bytes of request bodies.
    pub(crate) bodies: usize,
    pub(crate) deadline: Option<Duration>,
    pub(crate) settings: Settings,
    /// The configuration key of `settings.head`, for error messages.
    pub(crate) head_key: &'static str,
    /// The configuration key of `settings.body`, for error messages.
    pub(crate) body_key: &'static str,
    /// The configuration key of `settings.linger`, for error messages.
    pub(crate) linger_key: &'static str,
}

impl ServerConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting out of its bounds, with its key, its value and the bounds.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let settings = &self.settings;
        self.listen.check()?;
        in_range("reactors", self.reactors, 1, REACTORS_MOST)?;
        in_range("connections", self.connections, 1, CONNECTIONS_MOST)?;
        in_range("pipeline", settings.pipeline, 1, PIPELINE_MOST)?;
        in_range("write_buffer", settings.write_buffer, WRITE_BUFFER_LEAST, WRITE_BUFFER_MOST)?;
        for (key, timeout) in [
            ("idle_timeout", settings.idle),
            (self.head_key, settings.head),
            (self.body_key, settings.body),
            ("body.total_timeout", settings.body_total),
            ("write_timeout", settings.write),
        ] {
            in_timeout_range(key, timeout)?;
        }
        in_range("body.rate", settings.body_rate, 0, BODY_RATE_MOST)?;
        in_duration_range(self.linger_key, settings.linger, TIMEOUT_LEAST, LINGER_MOST)?;
        let total = settings.linger_total;
        in_duration_range("closing.linger_total", total, settings.linger, LINGER_TOTAL_MOST)?;
        if let Some(deadline) = self.deadline {
            in_timeout_range("deadline", deadline)?;
        }
        Ok(())
    }
}

/// Fails with `key` if `value` is not in `least..=most`.
pub(crate) fn in_range<T>(key: &'static str, value: T, least: T, most: T) -> Result<(), ConfigError>
where
    T: PartialOrd + Display,
{
    if least <= value && value <= most {
        return Ok(());
    }
    let allowed = format!("{least} to {most}");
    Err(ConfigError::OutOfRange { key, value: value.to_string(), allowed })
}

/// Fails with `key` if `value` is not a time limit: 1 ms to one day.
pub(crate) fn in_timeout_range(key: &'static str, value: Duration) -> Result<(), ConfigError> {
    in_duration_range(key, value, TIMEOUT_LEAST, TIMEOUT_MOST)
}

/// Fails with `key` if `value` is not in `least..=most`; like [`in_range`], for durations.
pub(crate) fn in_duration_range(
    key: &'static str,
    value: Duration,
    least: Duration,
    most: Duration,
) -> Result<(), ConfigError> {
    if least <= value && value <= most {
        return Ok(());
    }
    let allowed = format!("{least:?} to {most:?}");
    Err(ConfigError::OutOfRange { key, value: format!("{value:?}"), allowed })
}
