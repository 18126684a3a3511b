//! A file as it is sent: its version, its fields, and its content if that is in memory.

use super::coding::Coding;
use super::conditions::Validators;
use super::fields::FieldRules;
use super::version::FileVersion;
use bytes::Bytes;
use http::HeaderMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// A version of a stored file, with the fields of its answer.
#[derive(Debug)]
pub(super) struct Representation {
    /// The path of the stored file below the root.
    pub(super) path: Box<str>,
    pub(super) version: FileVersion,
    pub(super) validators: Validators,
    /// The fields of a 200.
    pub(super) headers: HeaderMap,
    /// `None` if the content is not in memory.
    pub(super) content: Option<Bytes>,
    /// The content has been asked for before.
    is_wanted: AtomicBool,
}

impl Representation {
    /// Returns the file of this path and coding. `path` is without the suffix of the coding.
    pub(super) fn new(
        version: FileVersion,
        path: &str,
        coding: Coding,
        rules: &FieldRules,
        now: SystemTime,
    ) -> Self {
        let validators = version.validators(coding, now);
        let headers = rules.of(path, coding, &validators);
        Self {
            path: coding.stored_path(path).into(),
            version,
            validators,
            headers,
            content: None,
            is_wanted: AtomicBool::new(false),
        }
    }

    /// Notes that the content is asked for. Returns true if it has been asked for before.
    pub(super) fn want(&self) -> bool {
        self.is_wanted.swap(true, Ordering::Relaxed)
    }

    /// Returns the bytes of the file.
    pub(super) fn length(&self) -> u64 {
        self.version.size()
    }

    /// Returns the bytes of the content that are in memory.
    pub(super) fn content_bytes(&self) -> usize {
        self.content.as_ref().map_or(0, Bytes::len)
    }
}
