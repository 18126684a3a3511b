//! The files that are asked for most, in memory.

use super::coding::Coding;
use super::representation::Representation;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{Equivalent, OptionsBuilder, Weighter};
use seda_core::Time;
use std::fmt;
use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bytes of an entry beside its content and its path: the fields of its answer, and the cache's own
/// memory.
const ENTRY_BYTES: usize = 1_024;

/// The bytes of one shard at least. A tenth of them holds the largest content.
const SHARD_BYTES: usize = 16 * 1024 * 1024;

/// The share of entries that have been asked for again, as in the paper about S3-FIFO. The others
/// have the rest: it must hold the largest content, else each newcomer displaces a popular one.
const POPULAR_SHARE: f64 = 0.9;

/// The most shards, each with its own lock.
const SHARDS_MOST: usize = 16;

/// A file, or the knowledge that there is none.
#[derive(Debug)]
pub(super) struct CacheEntry {
    /// `None` if there is no such file.
    pub(super) found: Option<Arc<Representation>>,
    /// The moment when the file was last looked up, in nanoseconds.
    checked: AtomicU64,
}

impl CacheEntry {
    pub(super) fn new(found: Option<Arc<Representation>>, now: Time) -> Arc<Self> {
        Arc::new(Self { found, checked: AtomicU64::new(now.as_nanos()) })
    }

    /// Returns true if the file was looked up less than `within` ago.
    pub(super) fn is_fresh(&self, now: Time, within: Duration) -> bool {
        now.since(Time::from_nanos(self.checked.load(Ordering::Relaxed))) < within
    }

    /// Notes that the file is still the same.
    pub(super) fn confirm(&self, now: Time) {
        self.checked.fetch_max(now.as_nanos(), Ordering::Relaxed);
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    coding: Coding,
    path: Box<str>,
}

/// A [`Key`] that is looked for.
#[derive(Clone, Copy)]
struct KeyRef<'a> {
    coding: Coding,
    path: &'a str,
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.coding.hash(state);
        self.path.hash(state);
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.coding == key.coding && *self.path == *key.path
    }
}

#[derive(Clone, Copy)]
struct EntryWeighter;

impl Weighter<Key, Arc<CacheEntry>> for EntryWeighter {
    fn weight(&self, key: &Key, entry: &Arc<CacheEntry>) -> u64 {
        let content = entry.found.as_ref().map_or(0, |found| found.content_bytes());
        (ENTRY_BYTES + key.path.len() + content) as u64
    }
}

/// A cache of files, bounded in bytes. Entries that are asked for again outlive those that are
/// asked for once (S3-FIFO), so that a crawler of all files does not displace the popular ones. The
/// hash has random keys: clients choose the paths.
pub(super) struct FileCache {
    entries: Cache<Key, Arc<CacheEntry>, EntryWeighter, RandomState>,
}

impl FileCache {
    /// Returns a cache of `bytes`; `None` if they are 0.
    pub(super) fn new(bytes: usize) -> Option<Self> {
        /// Only a first guess: the table grows.
        const TYPICAL_BYTES: usize = 16 * 1024;
        let options = OptionsBuilder::new()
            .shards((bytes / SHARD_BYTES).clamp(1, SHARDS_MOST))
            .estimated_items_capacity((bytes / TYPICAL_BYTES).max(1))
            .weight_capacity(bytes as u64)
            .hot_allocation(POPULAR_SHARE)
            .build()
            .ok()
            .filter(|_| bytes > 0)?;
        let lifecycle = DefaultLifecycle::default();
        let entries = Cache::with_options(options, EntryWeighter, RandomState::new(), lifecycle);
        Some(Self { entries })
    }

    pub(super) fn get(&self, path: &str, coding: Coding) -> Option<Arc<CacheEntry>> {
        self.entries.get(&KeyRef { coding, path })
    }

    pub(super) fn insert(&self, path: &str, coding: Coding, entry: Arc<CacheEntry>) {
        self.entries.insert(Key { coding, path: path.into() }, entry);
    }

    pub(super) fn remove(&self, path: &str, coding: Coding) {
        self.entries.remove(&KeyRef { coding, path });
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.entries.weight()
    }
}

impl fmt::Debug for FileCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCache").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}
