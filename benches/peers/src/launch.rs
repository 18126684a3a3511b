//! How a contestant is started.

use crate::error::StartError;
use crate::nginx;
use crate::site::Site;
use std::ffi::OsString;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// A program with its words, and how to learn where it listens.
pub(crate) struct Launch {
    pub(crate) program: PathBuf,
    pub(crate) words: Vec<OsString>,
    pub(crate) listening: Listening,
    /// What must be there as long as the program runs.
    pub(crate) site: Option<Site>,
}

/// How a contestant lets it be known that it listens.
pub(crate) enum Listening {
    /// Its first line ends with its URL.
    Says,
    /// It has been told where to listen, and starts a worker when it does.
    HasWorker(SocketAddr),
}

impl Launch {
    /// Of a program that [`build`](crate::build) builds, and that says where it listens.
    pub(crate) fn built(
        program: PathBuf,
        words: Vec<OsString>,
        site: Option<Site>,
    ) -> Result<Self, StartError> {
        if program.is_file() {
            Ok(Self { program, words, listening: Listening::Says, site })
        } else {
            Err(StartError::NotBuilt { program })
        }
    }

    /// Of nginx, configured for this site.
    pub(crate) fn nginx(program: PathBuf, site: Site) -> io::Result<Self> {
        let address = nginx::free_address()?;
        let words = nginx::configure(&site, address)?;
        Ok(Self { program, words, listening: Listening::HasWorker(address), site: Some(site) })
    }
}
