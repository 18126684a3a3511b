//! The content of files in memory: read whole, and charged to one budget.

use super::failure::Failure;
use super::root::Wait;
use bytes::Bytes;
use rustix::io::Errno;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The memory that contents may have: those in the cache, and those on their way to clients.
#[derive(Debug)]
pub(super) struct ContentBudget {
    limit: usize,
    used: AtomicUsize,
}

impl ContentBudget {
    pub(super) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// Returns a charge of `bytes`; `None` if the budget is used up.
    pub(super) fn charge(self: &Arc<Self>, bytes: usize) -> Option<ContentCharge> {
        let add = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.limit);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).ok()?;
        Some(ContentCharge { budget: Arc::clone(self), bytes })
    }

    #[cfg(test)]
    pub(super) fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }
}

/// Bytes of the budget. They are given back when it is dropped.
#[derive(Debug)]
pub(super) struct ContentCharge {
    budget: Arc<ContentBudget>,
    bytes: usize,
}

impl ContentCharge {
    /// Returns a content that holds this charge until its last clone is dropped.
    pub(super) fn hold(self, content: Vec<u8>) -> Bytes {
        Bytes::from_owner(ChargedContent { content, _charge: self })
    }
}

impl Drop for ContentCharge {
    fn drop(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// A content with its charge. The memory is freed before the charge is given back.
struct ChargedContent {
    content: Vec<u8>,
    _charge: ContentCharge,
}

impl AsRef<[u8]> for ChargedContent {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

/// Reads `length` bytes of a file from `offset` on. A file that has fewer has changed.
pub(super) fn read(
    file: &File,
    offset: u64,
    length: usize,
    wait: Wait,
) -> Result<Vec<u8>, Failure> {
    let mut content = vec![0; length];
    let mut filled = 0;
    while filled < length {
        let rest = content.get_mut(filled..).unwrap_or_default();
        match read_once(file, rest, offset + filled as u64, wait) {
            Ok(0) => return Err(Failure::Unavailable),
            Ok(read) => filled += read,
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN | Errno::OPNOTSUPP) if wait == Wait::Never => {
                return Err(Failure::WouldBlock);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(content)
}

fn read_once(file: &File, buffer: &mut [u8], offset: u64, wait: Wait) -> Result<usize, Errno> {
    match wait {
        Wait::Allowed => file
            .read_at(buffer, offset)
            .map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        Wait::Never => read_cached(file, buffer, offset),
    }
}

/// Reads what the page cache has.
#[cfg(target_os = "linux")]
fn read_cached(file: &File, buffer: &mut [u8], offset: u64) -> Result<usize, Errno> {
    use rustix::io::{ReadWriteFlags, preadv2};
    let mut buffers = [std::io::IoSliceMut::new(buffer)];
    preadv2(file, &mut buffers, offset, ReadWriteFlags::NOWAIT)
}

#[cfg(not(target_os = "linux"))]
fn read_cached(_file: &File, _buffer: &mut [u8], _offset: u64) -> Result<usize, Errno> {
    Err(Errno::AGAIN)
}

/// Asks the kernel to read ahead from `offset` on, so that the reactor finds the file in memory.
pub(super) fn read_ahead(file: &File, offset: u64) {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Advice, fadvise};
        use std::num::NonZeroU64;
        /// Bytes that the disk reads while the first of them are sent.
        const AHEAD: Option<NonZeroU64> = NonZeroU64::new(1024 * 1024);
        // Advice only: a file system without it reads later.
        let _ = fadvise(file, 0, None, Advice::Sequential);
        let _ = fadvise(file, offset, AHEAD, Advice::WillNeed);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_charge_is_given_back_with_the_last_clone_of_its_content() {
        let budget = ContentBudget::new(10);
        let content = budget.charge(6).unwrap().hold(vec![b'x'; 6]);
        assert!(budget.charge(5).is_none());
        let part = content.slice(1..2);
        drop(content);
        assert_eq!((budget.used(), &part[..]), (6, &b"x"[..]));
        drop(part);
        assert_eq!(budget.used(), 0);
        assert!(budget.charge(10).is_some());
    }
}
