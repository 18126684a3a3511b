//! The id of a request, under which several programs log it.

use crate::h1::RequestHead;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use std::cell::Cell;
use std::hash::{BuildHasher, RandomState};

/// The longest id of a client: UUIDs have 36 bytes, and those of clouds less than 100.
const BYTES_MOST: usize = 128;

/// The id of one request. Its bytes are safe in every log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct RequestId(HeaderValue);

/// Makes the ids of one reactor.
#[derive(Debug, Default)]
pub(in crate::http) struct RequestIds {
    /// Keys from the operating system's random bits.
    keys: RandomState,
    made: Cell<u64>,
}

impl RequestId {
    /// The field of requests and answers.
    pub(in crate::http) const FIELD: HeaderName = HeaderName::from_static("x-request-id");

    pub(in crate::http) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(in crate::http) fn value(&self) -> &HeaderValue {
        &self.0
    }

    /// Makes this the id of a request, and its only `x-request-id`.
    pub(in crate::http) fn put_into(self, request: &mut Request<Bytes>) {
        request.headers_mut().insert(Self::FIELD, self.0.clone());
        request.extensions_mut().insert(self);
    }
}

impl RequestIds {
    /// Returns the id that the client has sent, if it fits; else a new one.
    pub(in crate::http) fn of(&self, head: Option<&RequestHead>) -> RequestId {
        let sent = head.and_then(|head| head.field(RequestId::FIELD.as_str()));
        let fitting = sent.filter(|id| fits(id)).and_then(|id| HeaderValue::from_bytes(id).ok());
        RequestId(fitting.unwrap_or_else(|| self.make()))
    }

    /// Returns 128 random bits in hex: the keyed hash of a counter. No client can tell the next.
    fn make(&self) -> HeaderValue {
        let number = self.made.get();
        self.made.set(number.wrapping_add(1));
        let [high, low] = [0_u8, 1].map(|half| self.keys.hash_one((number, half)));
        let text = format!("{high:016x}{low:016x}");
        HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

fn fits(id: &[u8]) -> bool {
    (1..=BYTES_MOST).contains(&id.len()) && id.iter().all(is_allowed)
}

fn is_allowed(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_a_client_has_at_most_128_letters_digits_dashes_and_underscores() {
        assert!(fits(b"0123-abc_XYZ") && fits(&[b'a'; 128]));
        for id in [b"".as_slice(), &[b'a'; 129], b"a b", b"a\"", b"a\n", b"\xc3\xa4", b"a;b"] {
            assert!(!fits(id), "{id:?}");
        }
    }

    #[test]
    fn new_ids_are_32_hex_digits_and_differ() {
        let ids = RequestIds::default();
        let (first, second) = (ids.of(None), ids.of(None));
        assert_eq!(first.as_str().len(), 32);
        assert!(first.as_str().bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_ne!(first, second);
        assert_ne!(RequestIds::default().of(None), first);
    }
}
