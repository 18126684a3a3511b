//! The fault of bytes that are not an answer.

use std::error::Error;
use std::fmt;

/// Why bytes are not an answer that a client can read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFault {
    /// The first line is not that of an HTTP/1.x answer.
    NotHttp,
    /// The head has too many fields.
    TooManyFields,
    /// The head is too long.
    TooLong,
    /// A field has a name that RFC 9110, 5.1, forbids.
    Name,
    /// A field, or the reason of the status, has a byte that RFC 9110, 5.5, forbids.
    Control,
    /// A line of the head ends in CR without LF.
    LineEnd,
    /// The field Content-Length is not a number, or names two different ones.
    Length,
    /// The size or the end of a chunk is wrong.
    Chunk,
}

impl AnswerFault {
    /// Describes the fault for the report.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NotHttp => "the answer is not HTTP/1.x",
            Self::TooManyFields => "the answer has more than 128 fields",
            Self::TooLong => "the head of the answer is longer than 64 KiB",
            Self::Name => {
                "a field of the answer has no name, or a blank or another forbidden byte in it"
            }
            Self::Control => "a field or the reason of the answer has a control byte",
            Self::LineEnd => "a line of the answer's head ends in CR without LF",
            Self::Length => "the answer's Content-Length is no number, or two different ones",
            Self::Chunk => "a chunk of the answer is malformed",
        }
    }
}

impl fmt::Display for AnswerFault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

impl Error for AnswerFault {}
