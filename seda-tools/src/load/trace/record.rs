//! The content of one line.

use super::Target;
use super::stamp::Stamp;

/// The content of one line.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) stamp: Stamp,
    /// `None` if the request cannot be repeated.
    pub(super) target: Option<Target>,
}
