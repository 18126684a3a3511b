//! The end of a request's body (RFC 9112 §6.3). A request that two recipients could frame
//! differently is rejected.

use http::Version;

use super::{limits::Limits, rejection::Rejection};

/// The delimiter of a request's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// A number of bytes within [`Limits::body_bytes`]; 0 without a framing field.
    Length(usize),
    /// The chunked transfer coding.
    Chunked,
}

/// The framing fields of a head so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct FramingFields {
    content_length: Option<u64>,
    codings: Codings,
    /// The number of Transfer-Encoding fields is not zero.
    has_codings: bool,
    empty_elements: u8,
}

/// The transfer codings so far, over all Transfer-Encoding fields.
#[derive(Clone, Copy, Debug, Default)]
enum Codings {
    #[default]
    None,
    /// `chunked` alone.
    Chunked,
    /// At least one that is not `chunked`.
    Unknown,
}

/// The most empty elements of all Transfer-Encoding fields, which are ignored. RFC 9110 §5.6.1.2
/// asks for a reasonable number: senders that merge values leave one or two.
const EMPTY_ELEMENTS: u8 = 4;

impl FramingFields {
    /// Takes in one Content-Length field.
    ///
    /// RFC 9112 §6.3 lets a server accept several equal fields. No honest client sends them, so
    /// they are rejected, and so is the list form `5, 5`.
    pub(super) fn note_content_length(&mut self, value: &[u8]) -> Result<(), Rejection> {
        let length = decimal(value)
            .ok_or(Rejection::BadRequest("the Content-Length is not a decimal number"))?;
        match self.content_length.replace(length) {
            None => Ok(()),
            Some(_) => Err(Rejection::BadRequest("there is more than one Content-Length")),
        }
    }

    /// Takes in one Transfer-Encoding field. A few empty list elements are ignored (RFC 9110
    /// §5.6.1.2).
    pub(super) fn note_transfer_encoding(&mut self, value: &[u8]) -> Result<(), Rejection> {
        self.has_codings = true;
        for coding in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.codings = match self.codings {
                _ if coding.is_empty() && self.empty_elements == EMPTY_ELEMENTS => {
                    return Err(Rejection::BadRequest(
                        "the Transfer-Encoding has many empty elements",
                    ));
                }
                codings if coding.is_empty() => {
                    self.empty_elements += 1;
                    codings
                }
                Codings::Chunked => {
                    return Err(Rejection::BadRequest("chunked is not the last transfer coding"));
                }
                Codings::None if coding.eq_ignore_ascii_case(b"chunked") => Codings::Chunked,
                Codings::None | Codings::Unknown => Codings::Unknown,
            };
        }
        Ok(())
    }

    /// Returns the framing that all fields together declare.
    ///
    /// Transfer-Encoding with Content-Length "ought to be handled as an error" (RFC 9112 §6.3), and
    /// in HTTP/1.0 "the framing is faulty" (§6.1).
    ///
    /// A Transfer-Encoding without a coding does not end in chunked, so its length "cannot be
    /// determined reliably" (§6.3).
    pub(super) fn resolve(self, version: Version, limits: &Limits) -> Result<Framing, Rejection> {
        match (self.codings, self.content_length) {
            (Codings::None, _) if self.has_codings => {
                Err(Rejection::BadRequest("the Transfer-Encoding has no coding"))
            }
            (Codings::None, length) => within(length.unwrap_or(0), limits).map(Framing::Length),
            (_, Some(_)) => Err(Rejection::BadRequest(
                "Content-Length and Transfer-Encoding exclude each other",
            )),
            _ if version == Version::HTTP_10 => {
                Err(Rejection::BadRequest("HTTP/1.0 has no Transfer-Encoding"))
            }
            (Codings::Chunked, None) => Ok(Framing::Chunked),
            (Codings::Unknown, None) => {
                Err(Rejection::NotImplemented("the only transfer coding is chunked"))
            }
        }
    }
}

fn within(length: u64, limits: &Limits) -> Result<usize, Rejection> {
    let limit = limits.body_bytes;
    match usize::try_from(length) {
        Ok(length) if length <= limit => Ok(length),
        _ => Err(Rejection::BodyTooLarge { limit }),
    }
}

/// Returns the value of `1*DIGIT` (RFC 9110 §8.6), without sign or space; `None` if `digits` has
/// another form or overflows.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let (first, _) = digits.split_first()?;
    if !first.is_ascii_digit() {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}
