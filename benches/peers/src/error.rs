//! The errors of a start.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// A contestant that could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its program does not exist.
    #[error("{} does not exist; call `peers::build` first", program.display())]
    NotBuilt {
        /// The expected path.
        program: PathBuf,
    },
    /// nginx is not installed.
    #[error("nginx is not installed; `apt-get install nginx-light`, or leave it out")]
    NoNginx,
    /// `taskset` cannot be run.
    #[error("taskset cannot be run: {0}; it comes with util-linux")]
    Taskset(#[source] io::Error),
    /// Its files or its port could not be set up.
    #[error(
        "{name} needs a temporary directory and a free port: {source}; make sure that TMPDIR has \
         space"
    )]
    Environment {
        /// The contestant.
        name: String,
        /// The failed operation.
        source: io::Error,
    },
    /// It ended before it listened; its own message says why.
    #[error("{name} on cores {cores:?} ended with {status}; see its message above")]
    Ended {
        /// The contestant.
        name: String,
        /// The cores it was started on.
        cores: Vec<usize>,
        /// Its exit status.
        status: ExitStatus,
    },
    /// It runs, and its address is unknown.
    #[error("{name} runs but does not print its address; start it by hand to see why")]
    Silent {
        /// The contestant.
        name: String,
    },
}
