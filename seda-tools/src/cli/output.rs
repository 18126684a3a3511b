//! Results on standard output and in files.

use super::error::CliError;
use serde::Serialize;
use std::fmt::Display;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

const WRITABLE: &str = "name a file that can be written";

/// A flag and the file that it names; `None` if the flag is not set.
pub(super) type OutputFile<'a> = (&'static str, &'a Option<PathBuf>);

/// Prints a result on standard output. A failure is ignored: a reader that has gone (`| head`) has
/// seen enough, and must not keep the program from writing its files, as a panic of `println!`
/// would.
pub(super) fn print(result: &dyn Display) {
    let mut out = io::stdout().lock();
    let _ = write!(out, "{result}").and_then(|()| out.flush());
}

/// Checks that files can be written, so that no report of an hour of load is lost.
/// Existing files stay as they are until they are written.
pub(super) fn check_writable<'a>(
    files: impl IntoIterator<Item = OutputFile<'a>>,
) -> Result<(), CliError> {
    for (flag, file) in files {
        if let Some(file) = file {
            let opened = fs::OpenOptions::new().append(true).create(true).open(file);
            opened.map_err(|source| file_error(flag, file, source, WRITABLE))?;
        }
    }
    Ok(())
}

/// Reads the file that a flag names.
pub(super) fn read(flag: &'static str, file: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(file).map_err(|source| file_error(flag, file, source, "name a readable file"))
}

/// Writes the file that a flag names.
pub(super) fn write(flag: &'static str, file: &Path, content: &str) -> Result<(), CliError> {
    fs::write(file, content).map_err(|source| file_error(flag, file, source, WRITABLE))
}

/// Writes a report as JSON, if the flag `--json` is set.
pub(super) fn write_json(file: Option<&PathBuf>, report: &impl Serialize) -> Result<(), CliError> {
    let Some(file) = file else { return Ok(()) };
    let json = serde_json::to_string_pretty(report)?;
    write("--json", file, &format!("{json}\n"))
}

fn file_error(
    flag: &'static str,
    file: &Path,
    source: io::Error,
    remedy: &'static str,
) -> CliError {
    CliError::File { flag, file: file.to_owned(), source, remedy }
}
