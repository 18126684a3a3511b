//! The settings that servers of every protocol share.

use super::error::ConfigError;
use crate::reactor::Settings;
use std::fmt::Display;
use std::net::SocketAddr;
use std::time::Duration;

/// A reactor is a thread that polls; beyond this the machine has no cores for them.
const REACTORS_MOST: usize = 64;

/// Each connection takes a descriptor and about 1 KiB; a process may have 2²⁰ on Linux.
const CONNECTIONS_MOST: usize = 1_048_576;

/// Each place in a pipeline is a place for an answer that must be kept.
const PIPELINE_MOST: usize = 1_024;

/// A buffer smaller than a head's usual size would cut every answer in two.
const WRITE_BUFFER_LEAST: usize = 4 * 1024;

/// More than this per connection is no buffer but a copy of the site.
const WRITE_BUFFER_MOST: usize = 64 * 1024 * 1024;

/// Time limits are looked at four times a second, but the sockets' own events come at once, so
/// shorter ones than the sweep are allowed; nothing is done in no time.
const TIMEOUT_LEAST: Duration = Duration::from_millis(1);

/// Whoever waits for longer than a day does not need a limit.
const TIMEOUT_MOST: Duration = Duration::from_secs(24 * 60 * 60);

/// The connection must end soon after its FIN: it only waits for the client to have read.
const LINGER_MOST: Duration = Duration::from_secs(60);

/// The settings that do not depend on the protocol. Each protocol's public configuration builds
/// one, so that bounds are checked and reactors are started in one place.
#[derive(Clone, Debug)]
pub(crate) struct ServerConfig {
    pub(crate) listen: SocketAddr,
    pub(crate) reactors: usize,
    pub(crate) connections: usize,
    pub(crate) deadline: Option<Duration>,
    pub(crate) settings: Settings,
    /// The configuration key of `settings.head`, for error messages.
    pub(crate) head_key: &'static str,
    /// The configuration key of `settings.body`.
    pub(crate) body_key: &'static str,
}

impl ServerConfig {
    /// Returns the first setting that is out of its bounds as an error.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let settings = &self.settings;
        in_range("reactors", self.reactors, 1, REACTORS_MOST)?;
        in_range("connections", self.connections, 1, CONNECTIONS_MOST)?;
        in_range("pipeline", settings.pipeline, 1, PIPELINE_MOST)?;
        in_range("write_buffer", settings.write_buffer, WRITE_BUFFER_LEAST, WRITE_BUFFER_MOST)?;
        for (key, timeout) in [
            ("idle_timeout", settings.idle),
            (self.head_key, settings.head),
            (self.body_key, settings.body),
            ("write_timeout", settings.write),
        ] {
            in_time(key, timeout, TIMEOUT_LEAST, TIMEOUT_MOST)?;
        }
        in_time("linger", settings.linger, TIMEOUT_LEAST, LINGER_MOST)?;
        if let Some(deadline) = self.deadline {
            in_time("deadline", deadline, TIMEOUT_LEAST, TIMEOUT_MOST)?;
        }
        Ok(())
    }
}

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

pub(crate) fn in_time(
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
