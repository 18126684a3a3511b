//! A directory with the files that a contestant serves from the disk.

use crate::answers::{FILE, HELLO};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A temporary directory, removed on drop; below it `site/` with the files.
#[derive(Debug)]
pub(crate) struct Site(TempDir);

impl Site {
    /// Writes the files.
    pub(crate) fn create() -> io::Result<Self> {
        // Started by root, nginx reads the files as another user.
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
