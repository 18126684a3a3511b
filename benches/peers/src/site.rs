//! A directory with files for a contestant to serve from the disk.

use crate::answers::{FILE, HELLO};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A temporary directory with the files in `site/`, removed on drop.
#[derive(Debug)]
pub(crate) struct Site(TempDir);

impl Site {
    /// Creates the directory and its files.
    pub(crate) fn create() -> io::Result<Self> {
        // If root starts nginx, another user reads the files.
        let readable = Permissions::from_mode(0o755);
        let site = Self(tempfile::Builder::new().permissions(readable).prefix("peers-").tempdir()?);
        fs::create_dir(site.files())?;
        fs::write(site.files().join("index.html"), HELLO)?;
        fs::write(site.files().join("file8k"), FILE)?;
        Ok(site)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn files(&self) -> PathBuf {
        self.directory().join("site")
    }
}
