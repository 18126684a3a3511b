//! Parts of a path that differ from request to request: `{n}` and `{uuid}`.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

/// The places of a request that are filled anew for each one.
#[derive(Debug)]
pub(crate) struct Varying {
    /// In ascending order.
    holes: Vec<(Range<usize>, Kind)>,
    /// The next number: over all threads, loads and retries of a run.
    next: AtomicU64,
    /// Distinguishes the identifiers of this run from those of others.
    unique: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A number, from 0.
    Number,
    /// A random identifier (RFC 9562, version 4).
    Uuid,
}

/// The places as they are encoded in a path.
const KINDS: [(&str, Kind); 2] = [("%7Bn%7D", Kind::Number), ("%7Buuid%7D", Kind::Uuid)];

impl Varying {
    /// Finds the places in the first line of a request; `None` without any.
    pub(crate) fn find(request: &[u8]) -> Option<Self> {
        let line = request.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let mut holes = Vec::new();
        for (text, kind) in KINDS {
            let windows = line.windows(text.len()).enumerate();
            let found = windows.filter(|(_, window)| *window == text.as_bytes());
            holes.extend(found.map(|(at, _)| (at..at + text.len(), kind)));
        }
        holes.sort_by_key(|(place, _)| place.start);
        let unique = RandomState::new().build_hasher().finish();
        (!holes.is_empty()).then_some(Self { holes, next: AtomicU64::new(0), unique })
    }

    /// Returns the request with its places filled.
    pub(crate) fn fill(&self, request: &[u8]) -> Vec<u8> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let mut filled = Vec::with_capacity(request.len() + 36);
        let mut from = 0;
        for (place, kind) in &self.holes {
            filled.extend_from_slice(request.get(from..place.start).unwrap_or_default());
            match kind {
                Kind::Number => filled.extend_from_slice(number.to_string().as_bytes()),
                Kind::Uuid => filled.extend_from_slice(uuid(self.unique ^ number).as_bytes()),
            }
            from = place.end;
        }
        filled.extend_from_slice(request.get(from..).unwrap_or_default());
        filled
    }
}

/// Returns the random identifier of a seed.
fn uuid(seed: u64) -> String {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (high, low) = (rng.next_u64(), rng.next_u64());
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xfff,
        low >> 48 & 0x3fff | 0x8000,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_has_its_own_number_and_identifier() {
        let request = b"GET /%7Bn%7D/x?id=%7Buuid%7D&n=%7Bn%7D HTTP/1.1\r\nX: %7Bn%7D\r\n\r\n";
        let varying = Varying::find(request).unwrap();
        let fill = || String::from_utf8(varying.fill(request)).unwrap();
        let (first, second) = (fill(), fill());
        assert!(first.starts_with("GET /0/x?id=") && first.contains("&n=0 HTTP"), "{first}");
        assert!(second.starts_with("GET /1/x?id=") && second.ends_with("X: %7Bn%7D\r\n\r\n"));
        let id = |text: &str| text.split(['=', '&']).nth(1).unwrap().to_owned();
        let (one, other) = (id(&first), id(&second));
        assert_ne!(one, other);
        let parts: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{one}");
        assert_eq!(&one[14..15], "4", "{one}");
    }

    #[test]
    fn a_request_without_places_is_the_same_each_time() {
        assert!(Varying::find(b"GET /%7Bname%7D HTTP/1.1\r\n\r\n%7Bn%7D").is_none());
    }
}
