//! `--history FILE`: the last ten minutes of the graph, written after SIGUSR1 and at the end.

use seda::http::Server;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// More seconds than the server keeps.
const ALL: usize = usize::MAX;

/// Writes the history to `file`, or prints the reason why it cannot be written.
pub(crate) fn save(server: &Server, file: &Path) {
    // A closed terminal must not end the server: ignore failed writes.
    let _ = match write(server, file) {
        Ok(seconds) => {
            writeln!(io::stdout(), "wrote {seconds} s of history to {}", file.display())
        }
        Err(error) => writeln!(io::stderr(), "error: --history {}: {error}", file.display()),
    };
}

/// Replaces the file as a whole, so that a reader finds an old one or a new one.
fn write(server: &Server, file: &Path) -> Result<usize, Box<dyn Error>> {
    let history = server.graph().history(ALL);
    let mut new = file.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, serde_json::to_vec(&history)?)?;
    fs::rename(&new, file)?;
    Ok(history.seconds.len())
}
