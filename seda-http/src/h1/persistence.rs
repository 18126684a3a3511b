//! Whether the connection outlives the exchange.

use http::Version;

/// What the Connection fields of a request say so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Persistence {
    close: bool,
    keep_alive: bool,
}

impl Persistence {
    /// Takes in one Connection field. Options other than `close` and `keep-alive` are not the
    /// codec's.
    pub(super) fn note(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// RFC 9112 §9.3: `close` wins; HTTP/1.1 persists without a word, HTTP/1.0 only on request.
    pub(super) fn keeps(self, version: Version) -> bool {
        !self.close && (version != Version::HTTP_10 || self.keep_alive)
    }
}
