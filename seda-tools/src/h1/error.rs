//! The error of bytes that are not an answer.

use thiserror::Error;

/// The bytes are not an HTTP/1.x answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not an HTTP/1.x answer")]
pub(crate) struct NotHttp;
