//! The servers of a run and how they are started.

use crate::settings::Peer;
use peers::{Contestant, SERVER_CORE, Server, StartError};
use serde::Deserialize;
use std::fmt;
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;
use thiserror::Error;

/// The table `[server]`: seda with the SLO set, the same in every row. Without any setting it needs
/// no entry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerFlags {
    /// The server that the rows are about: `seda`, the default, or `axum-admission`.
    #[serde(default = "web_server")]
    program: Peer,
    /// Flags that set the SLO; `{slo}` stands for the row's.
    pub(crate) flags: Vec<String>,
    /// Text of the file for `--config`; `None` starts the server without one.
    pub(crate) config: Option<String>,
    /// Further flags that switch the controllers off.
    pub(crate) off: Vec<String>,
    /// Prefixes of the names of the threads that do the requests' own work.
    pub(crate) burners: Vec<String>,
}

/// The server that a load runs against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// seda as the README starts it.
    NothingSet,
    /// seda with the SLO of the row and no other setting.
    SloSet,
    /// The same with its controllers off.
    Uncontrolled,
    /// Another server.
    Rival(Contestant),
}

/// The two configurations of seda, side by side in every row that has both.
pub(crate) const CONFIGURATIONS: [Subject; 2] = [Subject::NothingSet, Subject::SloSet];

impl Subject {
    /// Returns the name of the configuration for heads of columns and names of rows.
    pub(crate) fn configuration(self) -> String {
        let name = self.to_string();
        name.strip_prefix("seda, ").map(str::to_owned).unwrap_or(name)
    }

    /// True if it has a report under `/_seda/`.
    pub(crate) fn reports(self) -> bool {
        !matches!(self, Subject::Rival(_))
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::NothingSet => out.write_str("seda, nothing set"),
            Subject::SloSet => out.write_str("seda, SLO set"),
            Subject::Uncontrolled => out.write_str("seda without control"),
            Subject::Rival(rival) => rival.fmt(out),
        }
    }
}

/// A running server with its configuration file, which is removed on drop.
#[derive(Debug)]
pub(crate) struct RunningServer {
    pub(crate) server: Server,
    _config: Option<NamedTempFile>,
}

/// A server that could not be started.
#[derive(Debug, Error)]
pub(crate) enum LaunchError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("`config` of [server] cannot be written: {0}; make sure that TMPDIR has space")]
    Config(#[from] std::io::Error),
}

impl ServerFlags {
    /// Starts the server on the servers' core.
    pub(crate) fn start(
        &self,
        subject: Subject,
        slo: Duration,
    ) -> Result<RunningServer, LaunchError> {
        let cores = [SERVER_CORE];
        if let Subject::Rival(rival) = subject {
            return Ok(RunningServer { server: rival.start(&cores)?, _config: None });
        }
        if subject == Subject::NothingSet {
            return Ok(RunningServer { server: self.program.0.start(&cores)?, _config: None });
        }
        let mut words = self.words(subject, slo);
        let config = self.config.as_deref().map(write_config).transpose()?;
        if let Some(file) = &config {
            words.extend(["--config".to_owned(), file.path().display().to_string()]);
        }
        let server = self.program.0.start_with(&cores, &words)?;
        Ok(RunningServer { server, _config: config })
    }

    fn words(&self, subject: Subject, slo: Duration) -> Vec<String> {
        let slo = humantime::format_duration(slo).to_string();
        let off = if subject == Subject::Uncontrolled { self.off.as_slice() } else { &[] };
        self.flags.iter().chain(off).map(|flag| flag.replace("{slo}", &slo)).collect()
    }
}

fn web_server() -> Peer {
    Peer(Contestant::Seda)
}

fn write_config(text: &str) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("matrix-").suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flags_contain_the_slo_of_the_row_and_end_with_those_that_switch_off() {
        let flags: ServerFlags = toml::from_str(
            "flags = ['--slo', '{slo}']\noff = ['--control', 'off']\nburners = ['work-']",
        )
        .unwrap();
        let slo = Duration::from_millis(50);
        assert_eq!(flags.words(Subject::SloSet, slo), ["--slo", "50ms"]);
        assert_eq!(flags.words(Subject::Uncontrolled, slo), ["--slo", "50ms", "--control", "off"]);
    }
}
