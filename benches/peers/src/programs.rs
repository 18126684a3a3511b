//! The programs that are started: where they are, and how they are built.
//!
//! Always the release build, at the place where cargo puts it: a debug build that lies about is
//! never measured by mistake.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// This package, and the workspace of seda two directories above.
const PEERS: &str = env!("CARGO_MANIFEST_DIR");
const SEDA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Where Debian has nginx: not in an ordinary user's PATH.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// Why there are no programs to start.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no cargo.
    #[error("cargo cannot be run: {0}; install Rust from https://rustup.rs")]
    Cargo(#[source] io::Error),
    /// It has said why.
    #[error("`{command}` in {directory} ended with {status}; mend what it says above")]
    Failed {
        /// What was run.
        command: String,
        /// Where it was run.
        directory: &'static str,
        /// How it ended.
        status: ExitStatus,
    },
}

/// Builds what [`Contestant::start`](crate::Contestant::start) starts: `peer` of this package and
/// the example `web_server` of seda, both in release. Takes a minute or two the first time; cargo
/// says on stderr what it does.
///
/// # Errors
/// If cargo is missing or fails.
pub fn build() -> Result<(), BuildError> {
    run_cargo(PEERS, &["build", "--release", "--locked", "--bin", "peer"])?;
    run_cargo(SEDA, &["build", "--release", "--locked", "--example", "web_server"])
}

/// The root of seda's repository.
pub fn root() -> PathBuf {
    Path::new(SEDA).canonicalize().unwrap_or_else(|_| SEDA.into())
}

fn run_cargo(directory: &'static str, words: &[&str]) -> Result<(), BuildError> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).arg("--target-dir").arg(target(directory)).current_dir(directory);
    let status = cargo.status().map_err(BuildError::Cargo)?;
    let command = format!("cargo {}", words.join(" "));
    if status.success() { Ok(()) } else { Err(BuildError::Failed { command, directory, status }) }
}

/// The program `peer`, if it has been built or not.
pub(crate) fn peer() -> PathBuf {
    target(PEERS).join("release/peer")
}

/// The example `web_server`, if it has been built or not.
pub(crate) fn web_server() -> PathBuf {
    target(SEDA).join("release/examples/web_server")
}

/// nginx, if it is installed.
pub(crate) fn nginx() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(SYSTEM.map(PathBuf::from));
    directories.map(|directory| directory.join("nginx")).find(|program| program.is_file())
}

/// Where cargo puts what it builds. It is said to cargo too, so a `build.target-dir` of some
/// configuration file does not matter.
fn target(workspace: &str) -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => env::current_dir().unwrap_or_default().join(directory),
        None => Path::new(workspace).join("target"),
    }
}
