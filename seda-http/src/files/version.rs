//! One state of one file.

use super::coding::Coding;
use super::conditions::Validators;
use http::HeaderValue;
use std::fs::Metadata;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

/// The age from which a time stamp tells two changes apart: the coarsest stamps, those of FAT, have
/// two seconds.
const SETTLED: Duration = Duration::from_secs(2);

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
        let since_epoch = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let settled = since_epoch.saturating_sub(SETTLED).as_secs();
        self.changed.0 < i64::try_from(settled).unwrap_or(i64::MAX)
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
        Validators { etag, modified: self.last_change(now), is_settled }
    }

    /// Returns the time of the last change in whole seconds. `None` if HTTP cannot say it: before
    /// 1970, or later than now (RFC 9110 §8.8.2.1).
    ///
    /// It is that of the inode: a program that copies files with their times sets the time of the
    /// content back, or gives two contents the same. Until the version is settled it is one second
    /// early, so that a client with this date asks again and gets what the file has by then.
    fn last_change(&self, now: SystemTime) -> Option<SystemTime> {
        let early = i64::from(!self.is_settled(now));
        let seconds = u64::try_from(self.changed.0.checked_sub(early)?).ok()?;
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
        let tag = |now| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            (version().is_settled(now), version().validators(Coding::Identity, now).etag)
        };
        let ((early, first), (late, second)) = (tag(8), tag(9));
        assert_eq!((early, late), (false, true));
        assert_ne!(first.as_bytes().strip_prefix(b"W/"), Some(second.as_bytes()));
        assert_eq!((second.as_bytes()[0], &second), (b'"', &tag(900).1));
        assert!(first.as_bytes().starts_with(b"W/\""));
    }

    /// RFC 9110 §8.8.2.2. The file has changed at second 6.
    #[test]
    fn a_date_from_before_the_version_is_settled_is_earlier_than_the_later_one() {
        let date = |now| {
            let now = SystemTime::UNIX_EPOCH + Duration::from_secs(now);
            let date = version().validators(Coding::Identity, now).modified?;
            Some(date.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs())
        };
        let dates = [4, 6, 8, 9, 1_000].map(date);
        assert_eq!(dates, [None, Some(5), Some(5), Some(6), Some(6)]);
    }

    /// As after `rsync --times`, or with archives whose files all have one time.
    #[test]
    fn a_file_whose_time_was_set_back_has_a_later_date_all_the_same() {
        let date = |modified, changed| {
            let version =
                FileVersion { modified: (modified, 0), changed: (changed, 0), ..version() };
            version.validators(Coding::Identity, SystemTime::UNIX_EPOCH + NOW).modified
        };
        assert!(date(5, 20) > date(5, 10));
        assert!(date(4, 20) > date(5, 10));
    }

    /// httpdate panics before 1970 and after 9999.
    #[test]
    fn a_time_that_http_cannot_say_is_left_out() {
        for (seconds, expected) in
            [(4, Some(4)), (1_000, Some(999)), (1_002, None), (-1, None), (i64::MAX, None)]
        {
            let version = FileVersion { changed: (seconds, 999), ..version() };
            let now = SystemTime::UNIX_EPOCH + NOW;
            let expected = expected.map(|it| SystemTime::UNIX_EPOCH + Duration::from_secs(it));
            assert_eq!(version.validators(Coding::Identity, now).modified, expected);
        }
    }
}
