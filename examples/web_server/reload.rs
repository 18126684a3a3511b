//! SIGHUP: the file behind `--config` is read again, and the graph takes it whole or not at all.

use crate::settings::{Flags, Settings};
use seda::http::{HttpConfig, Server};
use std::error::Error;
use std::io::{self, Write};

/// Reads the file again and says what has come of it: what has changed, or why nothing did.
pub(crate) fn reload(flags: &Flags, http: &HttpConfig, server: &Server) {
    // A terminal that has gone, which also sends SIGHUP, must not end the server: whether
    // anybody hears of it does not matter.
    let _ = match reread(flags, http, server) {
        Ok(said) => writeln!(io::stdout(), "{}", said.join("\n")),
        Err(error) => writeln!(io::stderr(), "error: {error}; the old settings stay"),
    };
}

fn reread(
    flags: &Flags,
    http: &HttpConfig,
    server: &Server,
) -> Result<Vec<String>, Box<dyn Error>> {
    let settings = Settings::from_flags(flags)?;
    settings.http.check()?;
    let differing = differing_keys(http, &settings.http)?;
    let changes = server.graph().reconfigure(&settings.graph)?;
    let mut said: Vec<String> = changes.iter().map(|change| format!("set {change}")).collect();
    if !differing.is_empty() {
        let keys = differing.join(", ");
        said.push(format!("restart for what differs in [http], which stays as it was: {keys}"));
    }
    if said.is_empty() {
        said.push("read the settings again: nothing has changed".to_owned());
    }
    Ok(said)
}

/// The keys of `[http]` that are not what they were when the server started.
fn differing_keys(started: &HttpConfig, now: &HttpConfig) -> Result<Vec<String>, toml::ser::Error> {
    let (started, now) = (toml::Table::try_from(started)?, toml::Table::try_from(now)?);
    // A setting that is not there on one side, such as no deadline, differs as well.
    let mut keys: Vec<String> = started.keys().chain(now.keys()).cloned().collect();
    keys.sort();
    keys.dedup();
    keys.retain(|key| started.get(key) != now.get(key));
    Ok(keys)
}
