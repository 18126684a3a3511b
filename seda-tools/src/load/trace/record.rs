//! The content of one line.

use super::stamp::Stamp;
use crate::h1::origin_form;
use http::Method;

/// The content of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) stamp: Stamp,
    /// `None` if the request cannot be repeated.
    pub(super) request: Option<LoggedRequest>,
}

/// A request as its line recorded it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LoggedRequest {
    /// The method.
    pub method: Method,
    /// The path with its query, encoded for sending.
    pub path: String,
    /// The status of the answer; `None` if the line has none.
    pub status: Option<u16>,
    /// The size of the answer in bytes; `None` if the line has none.
    pub bytes: Option<u64>,
}

impl LoggedRequest {
    /// Returns the request of a line; `None` if it cannot be repeated.
    pub(super) fn new(
        method: &[u8],
        path: &[u8],
        status: Option<u16>,
        bytes: Option<u64>,
    ) -> Option<Self> {
        let method = Method::from_bytes(method).ok()?;
        Some(Self { method, path: origin_form(path)?, status, bytes })
    }
}
