//! The command that starts a contestant.

use crate::error::StartError;
use crate::nginx;
use crate::site::Site;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A program with its arguments, and the way to learn its address.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) listening: Listening,
    /// The files that must exist as long as the program runs.
    pub(crate) site: Option<Site>,
}

/// The sign that a contestant listens.
pub(crate) enum Listening {
    /// It prints a first line that ends with its URL.
    Prints,
    /// It was given the address, and starts a worker process once it listens.
    StartsWorker(SocketAddr),
}

impl Launch {
    /// Returns the command of a program that [`build`](crate::build) has built.
    pub(crate) fn built(
        program: PathBuf,
        arguments: Vec<OsString>,
        site: Option<Site>,
    ) -> Result<Self, StartError> {
        if program.is_file() {
            Ok(Self { program, arguments, listening: Listening::Prints, site })
        } else {
            Err(StartError::NotBuilt { program })
        }
    }

    /// Returns the command of nginx, configured for this site.
    pub(crate) fn nginx(program: PathBuf, site: Site) -> io::Result<Self> {
        let address = nginx::free_address()?;
        let arguments = nginx::configure(&site, address)?;
        Ok(Self {
            program,
            arguments,
            listening: Listening::StartsWorker(address),
            site: Some(site),
        })
    }
}
