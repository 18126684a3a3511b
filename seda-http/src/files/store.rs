//! Stored files: from memory, or from the disk.

use super::cache::{CacheEntry, FileCache};
use super::coding::Coding;
use super::config::FilesConfig;
use super::content::{self, ContentBudget};
use super::failure::Failure;
use super::fields::FieldRules;
use super::representation::Representation;
use super::root::{Root, Wait};
use super::version::FileVersion;
use crate::reactor::OpenAgain;
use bytes::Bytes;
use seda_core::{Clock, Time};
use std::fmt;
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Files up to this size are read whole, so that the reactor does not wait for the disk: one read
/// of the reactor.
const SMALL_BYTES: u64 = 64 * 1024;

/// The largest file that is kept in memory, once it has been asked for twice.
const KEPT_BYTES: u64 = 1024 * 1024;

/// The part of the cache that one file has at most: less than that of files which have been asked
/// for once.
const KEPT_SHARE: u64 = 16;

/// The memory for contents on their way to clients, beside the cache. A client that reads slowly
/// and asks for ever other files cannot have more.
const SENDING_BYTES: usize = 64 * 1024 * 1024;

/// The part of a file that an answer needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// Its length and its validators.
    Metadata,
    Content,
}

/// A stored file. If its content is needed and not in memory, the file is open.
#[derive(Debug)]
pub(super) struct Located {
    pub(super) representation: Arc<Representation>,
    pub(super) file: Option<File>,
}

/// The clocks that decide about the age of files.
pub(super) struct Clocks {
    /// The age of what is in memory.
    pub(super) monotonic: Arc<dyn Clock>,
    /// The times that clients see.
    pub(super) wall: fn() -> SystemTime,
}

/// The files below a root.
pub(super) struct Store {
    root: Arc<Root>,
    rules: FieldRules,
    /// `None` if it is off.
    cache: Option<FileCache>,
    budget: Arc<ContentBudget>,
    kept_bytes: u64,
    revalidate: Duration,
    clocks: Clocks,
}

impl Store {
    pub(super) fn new(root: Root, rules: FieldRules, config: &FilesConfig, clocks: Clocks) -> Self {
        Self {
            root: Arc::new(root),
            rules,
            cache: FileCache::new(config.memory),
            budget: ContentBudget::new(config.memory.saturating_add(SENDING_BYTES)),
            kept_bytes: KEPT_BYTES.min(config.memory as u64 / KEPT_SHARE),
            revalidate: config.revalidate,
            clocks,
        }
    }

    /// Returns the wall clock's time.
    pub(super) fn wall_time(&self) -> SystemTime {
        (self.clocks.wall)()
    }

    pub(super) fn rules(&self) -> &FieldRules {
        &self.rules
    }

    /// Opens a directory below the root.
    pub(super) fn directory(&self, path: &str, wait: Wait) -> Result<File, Failure> {
        self.root.refresh(self.clocks.monotonic.now(), self.revalidate, wait)?;
        let (directory, metadata) = self.root.file(path, wait)?;
        if metadata.is_dir() { Ok(directory) } else { Err(Failure::NotFound) }
    }

    /// Returns the file of a path with a coding.
    ///
    /// A file in memory is compared with the disk if that was last done longer ago than the
    /// settings say. A file on the disk is read into memory if it is small, or has been asked for
    /// before.
    pub(super) fn find(
        &self,
        path: &str,
        coding: Coding,
        need: Need,
        wait: Wait,
    ) -> Result<Located, Failure> {
        let target = Target { path, coding, wait, now: self.clocks.monotonic.now() };
        let known = self.cache.as_ref().and_then(|cache| cache.get(path, coding));
        if let Some(entry) = &known
            && entry.is_fresh(target.now, self.revalidate)
        {
            match &entry.found {
                None => return Err(Failure::NotFound),
                Some(found) if satisfies(found, need) => return Ok(located(found, None)),
                Some(_) => {}
            }
        }
        let opened = self.root.refresh(target.now, self.revalidate, wait);
        let (file, version) = match opened.and_then(|()| self.open(target)) {
            Ok(opened) => opened,
            Err(failure) => {
                self.forget(target, &failure);
                return Err(failure);
            }
        };
        let same = known.and_then(|entry| {
            let found = entry.found.clone().filter(|found| found.version == version)?;
            entry.confirm(target.now);
            Some(found)
        });
        if let Some(found) = same.as_ref().filter(|found| satisfies(found, need)) {
            return Ok(located(found, Some(file)));
        }
        let content = match need {
            Need::Metadata => None,
            Need::Content => {
                let is_popular = same.as_ref().is_some_and(|found| found.want());
                self.content(&file, version, is_popular, wait)?
            }
        };
        let found = match same {
            Some(found) if content.is_none() => found,
            _ => self.keep(target, version, content),
        };
        if need == Need::Content {
            found.want();
        }
        Ok(located(&found, Some(file)))
    }

    /// Opens the stored file. Anything but a regular file is none: a FIFO, a socket, a device.
    fn open(&self, target: Target<'_>) -> Result<(File, FileVersion), Failure> {
        let Target { path, coding, wait, .. } = target;
        let (file, metadata) = self.root.file(&coding.stored_path(path), wait)?;
        if metadata.is_file() {
            Ok((file, FileVersion::of(&metadata)))
        } else if metadata.is_dir() && coding == Coding::Identity {
            Err(Failure::Directory)
        } else {
            Err(Failure::NotFound)
        }
    }

    /// Reads a file whole; `None` if it is too large, or memory is short. A file that changes
    /// meanwhile is unavailable: what was read may be of two versions, or of the other one.
    fn content(
        &self,
        file: &File,
        version: FileVersion,
        is_popular: bool,
        wait: Wait,
    ) -> Result<Option<Bytes>, Failure> {
        let most = if is_popular { SMALL_BYTES.max(self.kept_bytes) } else { SMALL_BYTES };
        let length = usize::try_from(version.size()).ok().filter(|_| version.size() <= most);
        let Some(length) = length else { return Ok(None) };
        let Some(charge) = self.budget.charge(length) else { return Ok(None) };
        let content = content::read(file, 0, length, wait)?;
        if FileVersion::of(&file.metadata()?) != version {
            return Err(Failure::Unavailable);
        }
        Ok(Some(charge.hold(content)))
    }

    /// Returns a new representation, and keeps it in memory if its version has one content.
    fn keep(
        &self,
        target: Target<'_>,
        version: FileVersion,
        content: Option<Bytes>,
    ) -> Arc<Representation> {
        let Target { path, coding, now, .. } = target;
        let wall = self.wall_time();
        let mut found = Representation::new(version, path, coding, &self.rules, wall);
        found.content = content;
        let found = Arc::new(found);
        if let Some(cache) = self.cache.as_ref().filter(|_| version.is_settled(wall)) {
            cache.insert(path, coding, CacheEntry::new(Some(Arc::clone(&found)), now));
        }
        found
    }

    /// Removes a file that is not there. That an existing file has none with a coding is kept in
    /// memory: it is asked for with each request.
    fn forget(&self, target: Target<'_>, failure: &Failure) {
        let (Some(cache), Target { path, coding, now, .. }) = (&self.cache, target) else { return };
        match failure {
            Failure::NotFound if coding != Coding::Identity => {
                cache.insert(path, coding, CacheEntry::new(None, now));
            }
            Failure::NotFound | Failure::Directory | Failure::Forbidden => {
                cache.remove(path, coding);
            }
            _ => {}
        }
    }

    /// Returns the place of a file from the byte `first` on, for an answer that waits.
    pub(super) fn place(&self, file: &Arc<Representation>, first: u64) -> FilePlace {
        FilePlace { root: Arc::clone(&self.root), file: Arc::clone(file), first }
    }

    /// Returns the budget of contents in memory.
    pub(super) fn budget(&self) -> &Arc<ContentBudget> {
        &self.budget
    }

    #[cfg(test)]
    pub(super) fn cached_bytes(&self) -> u64 {
        self.cache.as_ref().map_or(0, FileCache::bytes)
    }

    #[cfg(test)]
    pub(super) fn opening(&self) -> super::root::Opening {
        self.root.opening()
    }
}

/// The place of a file, and the version that its answer has.
#[derive(Debug)]
pub(super) struct FilePlace {
    root: Arc<Root>,
    file: Arc<Representation>,
    /// The position of the first byte to send.
    first: u64,
}

impl OpenAgain for FilePlace {
    fn open(&self) -> Option<File> {
        let (mut file, metadata) = self.root.file(&self.file.path, Wait::Allowed).ok()?;
        if FileVersion::of(&metadata) != self.file.version {
            return None;
        }
        file.seek(SeekFrom::Start(self.first)).ok()?;
        Some(file)
    }
}

/// A stored file that is looked for.
#[derive(Clone, Copy)]
struct Target<'a> {
    path: &'a str,
    coding: Coding,
    wait: Wait,
    /// The begin of the search.
    now: Time,
}

fn satisfies(found: &Representation, need: Need) -> bool {
    need == Need::Metadata || found.content.is_some()
}

fn located(found: &Arc<Representation>, file: Option<File>) -> Located {
    Located { representation: Arc::clone(found), file }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("root", &self.root).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda_core::ManualClock;
    use std::fs;

    /// The content would have the tag of another one, in memory too.
    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_sent() {
        let path = std::env::temp_dir().join(format!("seda-store-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        fs::write(path.join("a"), "content").unwrap();
        let config = FilesConfig::default();
        let rules = FieldRules::new(&config).unwrap();
        let clocks =
            Clocks { monotonic: Arc::new(ManualClock::new()), wall: || SystemTime::UNIX_EPOCH };
        let root = Root::open(&path, clocks.monotonic.now()).unwrap();
        let store = Store::new(root, rules, &config, clocks);
        let (file, metadata) = store.root.file("a", Wait::Allowed).unwrap();
        let version = FileVersion::of(&metadata);
        let read = || store.content(&file, version, false, Wait::Allowed);
        assert_eq!(read().unwrap().unwrap(), "content");
        fs::write(path.join("a"), "other content").unwrap();
        assert!(matches!(read(), Err(Failure::Unavailable)));
        fs::remove_dir_all(path).unwrap();
    }
}
