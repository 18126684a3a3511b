//! Results on standard output and in files.

use super::error::CliError;
use crate::experiment::condition::AssertionResult;
use clap::Args;
use serde::Serialize;
use std::fmt::Display;
use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The flags whose "-" is standard output.
const ON_STDOUT: [&str; 2] = ["--json", "--markdown"];

const WRITABLE: &str = "name a file that can be written";

/// A flag and the file that it names; `None` if the flag is not set.
pub(super) type OutputFile<'a> = (&'static str, &'a Option<PathBuf>);

/// Flags for the output of a load.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputFlags {
    /// Watch the server's process from outside (CPU, threads, memory)
    #[arg(long, value_name = "PID")]
    pub(super) pid: Option<u32>,
    /// Write the report as JSON; "-" is standard output, and the text then goes to standard error
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,
    /// Append a summary as Markdown, for $GITHUB_STEP_SUMMARY; "-" is standard output, and the text
    /// then goes to standard error
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print no progress line
    #[arg(long, short)]
    pub(super) quiet: bool,
}

impl OutputFlags {
    /// Checks that the results have their places, further files among them.
    pub(super) fn check<'a>(
        &'a self,
        files: impl IntoIterator<Item = OutputFile<'a>>,
    ) -> Result<(), CliError> {
        let is_on_stdout = |file: &Option<PathBuf>| file.as_deref().is_some_and(is_stdout);
        if is_on_stdout(&self.json) && is_on_stdout(&self.markdown) {
            return Err(CliError::TwoOnStdout);
        }
        let own = [("--json", &self.json), ("--markdown", &self.markdown)];
        check_writable(own.into_iter().chain(files))
    }

    /// Returns the place of the text.
    pub(super) fn text(&self) -> Text {
        match Text::beside(self.json.as_ref()) {
            Text::Stdout => Text::beside(self.markdown.as_ref()),
            Text::Stderr => Text::Stderr,
        }
    }

    /// Appends the summary to the file of `--markdown`, if the flag is set. A step of a CI job may
    /// have several of them.
    pub(super) fn write_markdown(&self, summary: impl FnOnce() -> String) -> Result<(), CliError> {
        let Some(file) = &self.markdown else { return Ok(()) };
        if is_stdout(file) {
            return print(&summary());
        }
        let opened = fs::OpenOptions::new().append(true).create(true).open(file);
        let written = opened.and_then(|mut file| file.write_all(summary().as_bytes()));
        written.map_err(|source| file_error("--markdown", file, source, WRITABLE))
    }
}

/// The place of the text of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text {
    Stdout,
    /// Standard output has the JSON, and nothing else.
    Stderr,
}

impl Text {
    /// Returns the place of the text beside the file of `--json`.
    pub(super) fn beside(json: Option<&PathBuf>) -> Self {
        if json.is_some_and(|file| is_stdout(file)) { Text::Stderr } else { Text::Stdout }
    }

    /// Prints a part of the text.
    pub(super) fn print(self, result: &dyn Display) -> Result<(), CliError> {
        match self {
            Text::Stdout => print(result),
            Text::Stderr => {
                show(&format_args!("{result}"));
                Ok(())
            }
        }
    }

    /// Prints the results of conditions; returns true if all hold.
    pub(super) fn all_hold(self, results: &[AssertionResult]) -> Result<bool, CliError> {
        for result in results {
            self.print(&format_args!("{}\n", result.message))?;
        }
        Ok(results.iter().all(|result| result.holds))
    }
}

fn is_stdout(file: &Path) -> bool {
    file.as_os_str() == "-"
}

/// Prints on standard output. A reader that has gone (`| head`) is no error: it has seen enough,
/// and must not keep the program from writing its files.
///
/// # Errors
/// Standard output cannot be written, such as a file on a full disk.
pub(super) fn print(result: &dyn Display) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    match write!(out, "{result}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CliError::Stdout(error)),
        _ => Ok(()),
    }
}

/// Prints on standard error as it is. A failure is ignored, because there is no other place to
/// tell.
pub(super) fn show(text: &dyn Display) {
    let mut out = io::stderr().lock();
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}

/// Prints a line on standard error.
pub(super) fn tell(line: &dyn Display) {
    show(&format_args!("{line}\n"));
}

/// Checks that files can be written, so that no report of an hour of load is lost.
/// Existing files stay as they are until they are written, and no file is made.
pub(super) fn check_writable<'a>(
    files: impl IntoIterator<Item = OutputFile<'a>>,
) -> Result<(), CliError> {
    for (flag, file) in files {
        let Some(file) = file.as_deref() else { continue };
        match is_stdout(file) {
            true if ON_STDOUT.contains(&flag) => continue,
            true => return Err(CliError::NotOnStdout { flag }),
            false => {}
        }
        let is_new = !file.exists();
        let opened = fs::OpenOptions::new().append(true).create(true).open(file);
        opened.map_err(|source| file_error(flag, file, source, WRITABLE))?;
        if is_new {
            // A file that cannot be removed stays, empty until it is written.
            let _ = fs::remove_file(file);
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

/// Writes a report as JSON, if the flag `--json` is set; "-" is standard output.
pub(super) fn write_json(file: Option<&PathBuf>, report: &impl Serialize) -> Result<(), CliError> {
    let Some(file) = file else { return Ok(()) };
    let json = serde_json::to_string_pretty(report)?;
    if is_stdout(file) {
        return print(&format_args!("{json}\n"));
    }
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
