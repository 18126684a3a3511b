//! The programs of the contestants: their paths and their build.
//!
//! They are always release builds, in cargo's own directory for these. A debug build that happens
//! to exist is never measured by mistake.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

/// This package, and the workspace of seda two directories above.
const PEERS: &str = env!("CARGO_MANIFEST_DIR");
const SEDA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// Directories of nginx on Debian, which an ordinary user's PATH lacks.
const SYSTEM: [&str; 2] = ["/usr/sbin", "/usr/local/sbin"];

/// The programs could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// cargo is missing.
    #[error("cargo cannot be run: {0}; install Rust from https://rustup.rs")]
    Cargo(#[source] io::Error),
    /// cargo failed; its own message says why.
    #[error("`{command}` in {directory} ended with {status}; see its message above")]
    Failed {
        /// The command.
        command: String,
        /// Its working directory.
        directory: &'static str,
        /// Its exit status.
        status: ExitStatus,
    },
}

/// Builds the programs that [`Contestant::start`](crate::Contestant::start) needs: `peer` of this
/// package and the examples `web_server` and `axum_admission` of seda, all in release. The first
/// build takes a few minutes; cargo reports its progress on stderr.
///
/// # Errors
/// If cargo is missing or fails.
pub fn build() -> Result<(), BuildError> {
    run_cargo(PEERS, &["build", "--release", "--locked", "--bin", "peer"])?;
    run_cargo(SEDA, &["build", "--release", "--locked", "--example", "web_server"])?;
    let admission = ["--package", "seda-tower", "--example", "axum_admission"];
    run_cargo(SEDA, &[&["build", "--release", "--locked"], admission.as_slice()].concat())
}

/// Returns the root of seda's repository.
pub fn root() -> PathBuf {
    Path::new(SEDA).canonicalize().unwrap_or_else(|_| SEDA.into())
}

fn run_cargo(directory: &'static str, arguments: &[&str]) -> Result<(), BuildError> {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments).arg("--target-dir").arg(target(directory)).current_dir(directory);
    let status = cargo.status().map_err(BuildError::Cargo)?;
    let command = format!("cargo {}", arguments.join(" "));
    if status.success() { Ok(()) } else { Err(BuildError::Failed { command, directory, status }) }
}

/// Returns the path of the program `peer`, built or not.
pub(crate) fn peer() -> PathBuf {
    target(PEERS).join("release/peer")
}

/// Returns the path of the example `web_server`, built or not.
pub(crate) fn web_server() -> PathBuf {
    target(SEDA).join("release/examples/web_server")
}

/// Returns the path of seda-tower's example `axum_admission`, built or not.
pub(crate) fn axum_admission() -> PathBuf {
    target(SEDA).join("release/examples/axum_admission")
}

/// Returns the path of nginx; `None` if it is not installed.
pub(crate) fn nginx() -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let directories = env::split_paths(&path).chain(SYSTEM.map(PathBuf::from));
    directories.map(|directory| directory.join("nginx")).find(|program| program.is_file())
}

/// Returns cargo's target directory. cargo is given it too, so a `build.target-dir` in a
/// configuration file has no effect.
fn target(workspace: &str) -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => env::current_dir().unwrap_or_default().join(directory),
        None => Path::new(workspace).join("target"),
    }
}
