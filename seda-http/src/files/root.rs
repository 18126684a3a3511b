//! The directory that is served, and its files, opened beneath it.

use super::failure::Failure;
use parking_lot::RwLock;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::{Errno, retry_on_intr};
use seda_core::Time;
use std::fs::{File, Metadata};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The flags of every file. A FIFO or a device does not make the open wait.
const FILE_FLAGS: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC).union(OFlags::NOCTTY);

const DIRECTORY_FLAGS: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Whether an answer may wait for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Allowed,
    Never,
}

/// The way to open a file beneath the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// openat2(2) with `RESOLVE_BENEATH`: links that stay beneath the root are followed.
    Beneath,
    /// Segment by segment with `O_NOFOLLOW`: links are not followed. For a kernel, or a filter of
    /// system calls, without openat2.
    NoLinks,
}

/// The directory that is served. It is opened anew after its path leads to another directory.
#[derive(Debug)]
pub(super) struct Root {
    path: PathBuf,
    opening: Opening,
    /// Guards the switch to another directory.
    directory: RwLock<Arc<Directory>>,
    /// The moment when the path was last looked up, in nanoseconds.
    checked: AtomicU64,
}

/// An open directory.
#[derive(Debug)]
struct Directory {
    file: File,
    device: u64,
    inode: u64,
}

impl Directory {
    fn of(file: File) -> io::Result<Self> {
        let metadata = file.metadata()?;
        Ok(Self { device: metadata.dev(), inode: metadata.ino(), file })
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.device, self.inode) == (other.device, other.inode)
    }
}

impl Root {
    /// Opens a directory. Its path may be a link.
    pub(super) fn open(path: &Path, now: Time) -> io::Result<Self> {
        let directory = openat(CWD, path, DIRECTORY_FLAGS, Mode::empty())?;
        let file = File::from(directory);
        Ok(Self {
            path: path.to_owned(),
            opening: opening(&file),
            directory: RwLock::new(Arc::new(Directory::of(file)?)),
            checked: AtomicU64::new(now.as_nanos()),
        })
    }

    #[cfg(test)]
    pub(super) fn without_openat2(self) -> Self {
        Self { opening: Opening::NoLinks, ..self }
    }

    #[cfg(test)]
    pub(super) fn opening(&self) -> Opening {
        self.opening
    }

    /// Looks the path up if `every` has passed since the last time. While the path leads nowhere
    /// the old directory stays.
    pub(super) fn refresh(&self, now: Time, every: Duration, wait: Wait) -> Result<(), Failure> {
        let checked = Time::from_nanos(self.checked.load(Ordering::Relaxed));
        if now.since(checked) < every {
            return Ok(());
        }
        let found = match wait {
            Wait::Allowed => openat(CWD, self.path.as_path(), DIRECTORY_FLAGS, Mode::empty()),
            Wait::Never => open_cached(CWD, &self.path, DIRECTORY_FLAGS, false),
        };
        match found {
            Err(Errno::AGAIN) => return Err(Failure::WouldBlock),
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => return Err(error.into()),
            Err(_) => {}
            Ok(found) => {
                let found = Directory::of(File::from(found))?;
                if !self.directory.read().is_same(&found) {
                    *self.directory.write() = Arc::new(found);
                }
            }
        }
        self.checked.fetch_max(now.as_nanos(), Ordering::Relaxed);
        Ok(())
    }

    /// Opens the file with this relative path; the empty path is the root itself. The file may be
    /// of any kind: [`Metadata`] says which.
    pub(super) fn file(&self, path: &str, wait: Wait) -> Result<(File, Metadata), Failure> {
        let directory = Arc::clone(&self.directory.read());
        let path = if path.is_empty() { "." } else { path };
        let opened = match (self.opening, wait) {
            (Opening::Beneath, Wait::Allowed) => open_beneath(&directory.file, path),
            (Opening::Beneath, Wait::Never) => {
                open_cached(&directory.file, Path::new(path), FILE_FLAGS, true)
            }
            (Opening::NoLinks, Wait::Allowed) => open_without_links(&directory.file, path),
            (Opening::NoLinks, Wait::Never) => Err(Errno::AGAIN),
        };
        let file = match opened {
            Err(Errno::AGAIN) if wait == Wait::Never => return Err(Failure::WouldBlock),
            // The tree changes all the time.
            Err(Errno::AGAIN) => return Err(Failure::Unavailable),
            opened => File::from(opened?),
        };
        let metadata = file.metadata()?;
        Ok((file, metadata))
    }
}

/// Returns the way that this kernel has. Filters of system calls answer with either error.
#[cfg(target_os = "linux")]
fn opening(root: &File) -> Opening {
    match open_beneath(root, ".") {
        Err(Errno::NOSYS | Errno::PERM) => Opening::NoLinks,
        _ => Opening::Beneath,
    }
}

#[cfg(not(target_os = "linux"))]
fn opening(_root: &File) -> Opening {
    Opening::NoLinks
}

#[cfg(target_os = "linux")]
fn open_beneath(root: &File, path: &str) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    /// Attempts while directories on the way are being moved: the kernel asks to try again.
    const ATTEMPTS: usize = 8;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let open = || retry_on_intr(|| openat2(root, path, FILE_FLAGS, Mode::empty(), resolve));
    let mut opened = open();
    for _ in 1..ATTEMPTS {
        if !matches!(opened, Err(Errno::AGAIN)) {
            break;
        }
        opened = open();
    }
    opened
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(_root: &File, _path: &str) -> rustix::io::Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// Opens a path whose segments the kernel has in memory; else fails with `EAGAIN`.
#[cfg(target_os = "linux")]
fn open_cached(
    from: impl std::os::fd::AsFd,
    path: &Path,
    flags: OFlags,
    beneath: bool,
) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    let mut resolve = ResolveFlags::CACHED;
    if beneath {
        resolve |= ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    }
    match openat2(from, path, flags, Mode::empty(), resolve) {
        // A kernel before 5.12 does not have the flag, an older one or a filter not the call.
        Err(Errno::INVAL | Errno::NOSYS | Errno::PERM | Errno::INTR) => Err(Errno::AGAIN),
        opened => opened,
    }
}

#[cfg(not(target_os = "linux"))]
fn open_cached(
    _from: impl std::os::fd::AsFd,
    _path: &Path,
    _flags: OFlags,
    _beneath: bool,
) -> rustix::io::Result<OwnedFd> {
    Err(Errno::AGAIN)
}

fn open_without_links(root: &File, path: &str) -> rustix::io::Result<OwnedFd> {
    let mut segments = path.split('/').filter(|segment| !segment.is_empty()).peekable();
    let mut directory: Option<OwnedFd> = None;
    while let Some(segment) = segments.next() {
        let flags = if segments.peek().is_some() { DIRECTORY_FLAGS } else { FILE_FLAGS };
        let flags = flags | OFlags::NOFOLLOW;
        let opened = match &directory {
            Some(directory) => retry_on_intr(|| openat(directory, segment, flags, Mode::empty())),
            None => retry_on_intr(|| openat(root, segment, flags, Mode::empty())),
        };
        directory = Some(opened?);
    }
    directory.ok_or(Errno::NOENT)
}
