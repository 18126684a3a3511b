//! Whether the connection outlives the exchange.

use http::Version;

/// The Connection options of a request so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Persistence {
    close: bool,
    keep_alive: bool,
}

impl Persistence {
    /// Takes in one Connection field. Options other than `close` and `keep-alive` are ignored.
    pub(super) fn note(&mut self, value: &[u8]) {
        for option in value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii) {
            self.close |= option.eq_ignore_ascii_case(b"close");
            self.keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
        }
    }

    /// Returns true if the connection persists (RFC 9112 §9.3): `close` takes precedence, HTTP/1.1
    /// persists by default, HTTP/1.0 only with `keep-alive`.
    pub(super) fn keeps(self, version: Version) -> bool {
        !self.close && (version != Version::HTTP_10 || self.keep_alive)
    }
}
