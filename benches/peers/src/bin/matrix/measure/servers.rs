//! Who is measured, and how it is started.

use peers::{Contestant, SERVER_CORE, Server, StartError};
use serde::{Deserialize, Deserializer, de};
use std::fmt;
use std::io::Write;
use std::time::Duration;
use tempfile::NamedTempFile;
use thiserror::Error;

/// One configuration for every row: that is the point of the matrix.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ServerFlags {
    /// Flags of the example `web_server`; `{slo}` in them is the row's SLO.
    pub(crate) flags: Vec<String>,
    /// What a file behind `--config` says, if there is to be one.
    pub(crate) config: Option<String>,
    /// Flags behind the others that switch the controllers off.
    pub(crate) off: Vec<String>,
    /// How the names of the threads begin that do the requests' own work.
    pub(crate) burners: Vec<String>,
}

/// A rival that somebody has tuned by hand, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Peer(pub(crate) Contestant);

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map(Self).map_err(de::Error::custom)
    }
}

/// Whom a load goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// seda in its one configuration.
    Judged,
    /// The same with its controllers off.
    Uncontrolled,
    /// Somebody else.
    Rival(Contestant),
}

impl fmt::Display for Subject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Judged => out.write_str("seda"),
            Subject::Uncontrolled => out.write_str("seda without control"),
            Subject::Rival(rival) => rival.fmt(out),
        }
    }
}

/// A server that runs, with the file that it has read.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) server: Server,
    _config: Option<NamedTempFile>,
}

/// Why none does.
#[derive(Debug, Error)]
pub(crate) enum LaunchError {
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("`config` of [server] cannot be written ({0}); see that TMPDIR has room")]
    Config(#[from] std::io::Error),
}

impl ServerFlags {
    /// Starts one on the servers' core.
    pub(crate) fn start(&self, subject: Subject, slo: Duration) -> Result<Running, LaunchError> {
        let cores = [SERVER_CORE];
        if let Subject::Rival(rival) = subject {
            return Ok(Running { server: rival.start(&cores)?, _config: None });
        }
        let mut words = self.words(subject, slo);
        let config = self.config.as_deref().map(written).transpose()?;
        if let Some(file) = &config {
            words.extend(["--config".to_owned(), file.path().display().to_string()]);
        }
        let server = Contestant::Seda.start_with(&cores, &words)?;
        Ok(Running { server, _config: config })
    }

    fn words(&self, subject: Subject, slo: Duration) -> Vec<String> {
        let slo = humantime::format_duration(slo).to_string();
        let off = if subject == Subject::Uncontrolled { self.off.as_slice() } else { &[] };
        self.flags.iter().chain(off).map(|flag| flag.replace("{slo}", &slo)).collect()
    }
}

fn written(text: &str) -> std::io::Result<NamedTempFile> {
    let mut file = tempfile::Builder::new().prefix("matrix-").suffix(".toml").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_slo_is_put_into_the_flags_and_off_comes_behind_them() {
        let flags: ServerFlags = toml::from_str(
            "flags = ['--slo', '{slo}']\noff = ['--control', 'off']\nburners = ['work-']",
        )
        .unwrap();
        let slo = Duration::from_millis(50);
        assert_eq!(flags.words(Subject::Judged, slo), ["--slo", "50ms"]);
        assert_eq!(flags.words(Subject::Uncontrolled, slo), ["--slo", "50ms", "--control", "off"]);
    }

    #[test]
    fn a_peer_that_does_not_exist_is_named() {
        #[derive(Debug, Deserialize)]
        struct Peers {
            peers: Vec<Peer>,
        }
        let known: Peers = toml::from_str("peers = ['axum-bounded-queue-16']").unwrap();
        assert_eq!(known.peers, [Peer(Contestant::AxumBoundedQueue(16))]);
        let error = toml::from_str::<Peers>("peers = ['nobody']").unwrap_err().to_string();
        assert!(error.contains("no contestant is called \"nobody\""), "{error}");
    }
}
