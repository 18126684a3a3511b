//! What can go wrong at a start.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

/// Why a contestant does not run.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its program is not there.
    #[error("{} is not there; call `peers::build` first", program.display())]
    NotBuilt {
        /// Where it would be.
        program: PathBuf,
    },
    /// nginx is not there.
    #[error("nginx is not installed; `apt-get install nginx-light`, or leave it out")]
    NoNginx,
    /// `taskset` cannot be run.
    #[error("taskset cannot be run: {0}; it comes with util-linux")]
    Taskset(#[source] io::Error),
    /// Its files or its port cannot be had.
    #[error(
        "{name} needs a temporary directory and a free port: {source}; see that TMPDIR has room"
    )]
    Surroundings {
        /// The contestant.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// It ended before it listened, and has said why.
    #[error("{name} on cores {cores:?} ended with {status}; mend what it says above")]
    Ended {
        /// The contestant.
        name: String,
        /// Where it was to run.
        cores: Vec<usize>,
        /// How it ended.
        status: ExitStatus,
    },
    /// It runs, and nobody knows where it listens.
    #[error("{name} runs but does not say where it listens; start it by hand to see why")]
    Silent {
        /// The contestant.
        name: String,
    },
}
