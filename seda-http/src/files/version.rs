//! One state of one file.

use super::coding::Coding;
use super::conditions::Validators;
use http::HeaderValue;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// The age from which a time stamp with nanoseconds tells two changes apart: the kernel's clock of
/// stamps has a tick of 10 ms at most.
const SETTLED: Duration = Duration::from_millis(20);

/// The same for stamps of whole seconds: those of FAT have two.
const SETTLED_SECONDS: Duration = Duration::from_secs(2);

/// One state of one file. Another content has another version: it changes the time of the last
/// change of the inode (ctime), which no program can set, or it is another inode. Only a version
/// that [is settled](Self::is_settled) has one content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct FileVersion {
    device: u64,
    inode: u64,
    size: u64,
    /// Seconds and nanoseconds.
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileVersion {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Returns the bytes of the file.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Returns true if the last change was so long ago that a further one has another time stamp.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let has_fine_stamps = self.changed.1 != 0 || self.modified.1 != 0;
        if has_fine_stamps { self.is_older(SETTLED, now) } else { self.is_date_settled(now) }
    }

    /// Returns true if a further change has another second.
    fn is_date_settled(&self, now: SystemTime) -> bool {
        self.is_older(SETTLED_SECONDS, now)
    }

    /// Returns true if the last change was longer ago than `age`.
    fn is_older(&self, age: Duration, now: SystemTime) -> bool {
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let latest = since_epoch.saturating_sub(age);
        let seconds = i64::try_from(latest.as_secs()).unwrap_or(i64::MAX);
        self.changed < (seconds, i64::from(latest.subsec_nanos()))
    }

    /// Returns the validators of the file with this coding. A version that is not settled has a
    /// weak tag, and another one than later (RFC 9110 §8.8.1).
    pub(super) fn validators(&self, coding: Coding, now: SystemTime) -> Validators {
        // A hash, so that clients do not see inodes.
        let mut hasher = DefaultHasher::new();
        let is_settled = self.is_settled(now);
        (self, coding, is_settled).hash(&mut hasher);
        let weak = if is_settled { "" } else { "W/" };
        let tag = format!("{weak}\"{:016x}\"", hasher.finish());
        let etag = HeaderValue::from_str(&tag).unwrap_or(HeaderValue::from_static("\"\""));
        let is_date_settled = self.is_date_settled(now);
        Validators { etag, modified: self.last_change(now), is_settled, is_date_settled }
    }

    /// Returns the time of the last change of the content (mtime) in whole seconds. `None` if HTTP
    /// cannot say it: before 1970, or later than now (RFC 9110 §8.8.2.1).
    ///
    /// A program can set it back, as `rsync --times` does, or give it to two contents. So it is a
    /// weak validator, and the tag is the strong one.
    fn last_change(&self, now: SystemTime) -> Option<SystemTime> {
        let seconds = u64::try_from(self.modified.0).ok()?;
        let modified = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))?;
        (modified <= now).then_some(modified)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000);

    fn version() -> FileVersion {
        FileVersion { device: 1, inode: 2, size: 3, modified: (4, 5), changed: (6, 7) }
    }

    fn etag(version: FileVersion, coding: Coding) -> HeaderValue {
        version.validators(coding, SystemTime::UNIX_EPOCH + NOW).etag
    }

    #[test]
    fn every_part_of_a_version_and_the_coding_change_the_tag() {
        let version = version();
        let mut tags = vec![
            etag(version, Coding::Identity),
            etag(version, Coding::Gzip),
            etag(FileVersion { device: 9, ..version }, Coding::Identity),
            etag(FileVersion { inode: 9, ..version }, Coding::Identity),
            etag(FileVersion { size: 9, ..version }, Coding::Identity),
            etag(FileVersion { modified: (4, 6), ..version }, Coding::Identity),
            etag(FileVersion { changed: (6, 8), ..version }, Coding::Identity),
        ];
        assert_eq!(etag(version, Coding::Identity), tags[0]);
        assert!(tags.iter().all(|tag| tag.len() == 18 && tag.as_bytes()[0] == b'"'));
        tags.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
        tags.dedup();
        assert_eq!(tags.len(), 7);
    }

    #[test]
    fn a_version_that_may_have_a_second_content_has_a_tag_of_its_own() {
        let tag = |version: FileVersion, millis| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
            (version.is_settled(now), version.validators(Coding::Identity, now).etag)
        };
        // Stamps of nanoseconds, and of whole seconds.
        let coarse = FileVersion { modified: (4, 0), changed: (6, 0), ..version() };
        for (version, early, late) in [(version(), 6_019, 6_021), (coarse, 8_000, 8_001)] {
            let ((is_early, first), (is_late, second)) = (tag(version, early), tag(version, late));
            assert_eq!((is_early, is_late), (false, true));
            assert_ne!(first.as_bytes().strip_prefix(b"W/"), Some(second.as_bytes()));
            assert_eq!((second.as_bytes()[0], &second), (b'"', &tag(version, 900_000).1));
            assert!(first.as_bytes().starts_with(b"W/\""));
        }
    }

    /// RFC 9110 §8.8.2.2. The file has changed at second 6.
    #[test]
    fn a_date_is_settled_once_a_further_change_has_another_second() {
        let settled = |now| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            version().validators(Coding::Identity, now).is_date_settled
        };
        assert_eq!([6, 7, 8, 9, 1_000].map(settled), [false, false, false, true, true]);
    }

    /// httpdate panics before 1970 and after 9999.
    #[test]
    fn a_time_that_http_cannot_say_is_left_out() {
        for (seconds, expected) in
            [(4, Some(4)), (1_000, Some(1_000)), (1_001, None), (-1, None), (i64::MAX, None)]
        {
            let version = FileVersion { modified: (seconds, 999), ..version() };
            let now = SystemTime::UNIX_EPOCH + NOW;
            let expected = expected.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it));
            assert_eq!(version.validators(Coding::Identity, now).modified, expected);
        }
    }
}
