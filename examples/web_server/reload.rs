//! SIGHUP: the file of `--config` is read again, and the certificates of TLS. The graph applies all
//! of its settings, or none. With settings that are refused the certificates stay, too.

use crate::settings::{Flags, Settings};
use seda::http::Server;
#[cfg(feature = "tls")]
use seda::http::TlsError;
use serde::Serialize;
use std::error::Error;
use std::io::{self, Write};

/// Reads the file again, then the certificates, and prints what has changed, or the reason why it
/// has not.
pub(crate) fn reload(flags: &Flags, started: &Settings, server: &Server) {
    // A closed terminal also sends SIGHUP, and must not end the server: ignore failed writes.
    let mut said = match reread_settings(flags, started, server) {
        Ok(said) => said,
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}; the old settings stay");
            return;
        }
    };
    let certificates = reread_certificates(server);
    if let Ok(Some(line)) = &certificates {
        said.push((*line).to_owned());
    }
    if said.is_empty() {
        said.push("read the settings again: nothing has changed".to_owned());
    }
    let _ = writeln!(io::stdout(), "{}", said.join("\n"));
    if let Err(error) = certificates {
        let _ = writeln!(io::stderr(), "error: {error}; the old certificates stay");
    }
}

/// Applies the settings of the file; returns what has changed.
fn reread_settings(
    flags: &Flags,
    started: &Settings,
    server: &Server,
) -> Result<Vec<String>, Box<dyn Error>> {
    let settings = Settings::from_flags(flags)?;
    settings.http.check()?;
    settings.files.check()?;
    let differing = [
        ("http", differing_keys(&started.http, &settings.http)?),
        ("files", differing_keys(&started.files, &settings.files)?),
    ];
    let changes = server.graph().reconfigure(&settings.graph)?;
    let mut said: Vec<_> = changes.iter().map(|change| format!("set {change}")).collect();
    for (table, keys) in differing.into_iter().filter(|(_, keys)| !keys.is_empty()) {
        let keys = keys.join(", ");
        said.push(format!("restart for what differs in [{table}], which stays as it was: {keys}"));
    }
    Ok(said)
}

/// Reads the certificates again; returns what was done, if there are any.
fn reread_certificates(_server: &Server) -> Result<Option<&'static str>, Box<dyn Error>> {
    #[cfg(feature = "tls")]
    return match _server.reload_tls() {
        Ok(()) => Ok(Some("read the certificates again")),
        Err(TlsError::NoTls) => Ok(None),
        Err(error) => Err(error.into()),
    };
    #[cfg(not(feature = "tls"))]
    Ok(None)
}

/// Returns the keys of a table with other values than at the start of the server.
fn differing_keys<T: Serialize>(started: &T, now: &T) -> Result<Vec<String>, toml::ser::Error> {
    let (started, now) = (toml::Table::try_from(started)?, toml::Table::try_from(now)?);
    // A setting that is absent on one side, such as a deadline, differs as well.
    let mut keys: Vec<String> = started.keys().chain(now.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| started.get(key) != now.get(key));
    Ok(keys)
}
