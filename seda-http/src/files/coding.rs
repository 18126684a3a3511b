//! The content codings of stored files, and the choice by Accept-Encoding.

use http::{HeaderMap, HeaderValue, header};
use std::borrow::Cow;
use std::cmp::Reverse;

/// The content coding of a stored file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Coding {
    Brotli,
    Zstd,
    Gzip,
    /// The file itself, without a coding.
    Identity,
}

impl Coding {
    /// All codings, that with the fewest bytes first: among equal qualities it is chosen.
    pub(super) const ALL: [Coding; 4] =
        [Coding::Brotli, Coding::Zstd, Coding::Gzip, Coding::Identity];

    /// Returns the name of the coding in HTTP.
    pub(super) fn token(self) -> &'static str {
        match self {
            Coding::Brotli => "br",
            Coding::Zstd => "zstd",
            Coding::Gzip => "gzip",
            Coding::Identity => "identity",
        }
    }

    /// Returns the path of the stored file with this coding of the file at `path`.
    pub(super) fn stored_path(self, path: &str) -> Cow<'_, str> {
        match self {
            Coding::Identity => path.into(),
            coding => format!("{path}{}", coding.suffix()).into(),
        }
    }

    /// Returns the end of the name of a stored file with this coding.
    fn suffix(self) -> &'static str {
        match self {
            Coding::Brotli => ".br",
            Coding::Zstd => ".zst",
            Coding::Gzip => ".gz",
            Coding::Identity => "",
        }
    }

    /// Returns true if a client's token names this coding. `x-gzip` is gzip (RFC 9110 §8.4.1.3).
    fn is_named(self, token: &str) -> bool {
        token.eq_ignore_ascii_case(self.token())
            || (self == Coding::Gzip && token.eq_ignore_ascii_case("x-gzip"))
    }
}

/// The quality of an element without a weight, in thousandths (RFC 9110 §12.4.2).
const FULL: u16 = 1_000;

/// The quality of `identity` if no element names it: acceptable, behind all that are named.
const LEAST: u16 = 1;

/// The qualities that a client gives to the codings (RFC 9110 §12.5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct AcceptEncoding {
    /// In thousandths, in the order of [`Coding::ALL`]; 0 is not acceptable.
    qualities: [u16; 4],
}

impl AcceptEncoding {
    /// Reads all Accept-Encoding fields. Without one a client gets the file itself. An element that
    /// is malformed counts as absent.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if !headers.contains_key(header::ACCEPT_ENCODING) {
            return Self { qualities: [0, 0, 0, FULL] };
        }
        let fields = headers.get_all(header::ACCEPT_ENCODING).iter();
        let values = fields.filter_map(|value: &HeaderValue| value.to_str().ok());
        let elements = values.flat_map(|value| value.split(','));
        let mut named = [None; 4];
        let mut others = None;
        for (token, quality) in elements.filter_map(element) {
            if token == "*" {
                others = Some(quality);
            }
            for (coding, named) in Coding::ALL.into_iter().zip(&mut named) {
                if coding.is_named(token) {
                    *named = Some(quality);
                }
            }
        }
        let [br, zstd, gzip, identity] = named;
        let unnamed = others.unwrap_or(0);
        let [br, zstd, gzip] = [br, zstd, gzip].map(|quality| quality.unwrap_or(unnamed));
        Self { qualities: [br, zstd, gzip, identity.or(others).unwrap_or(LEAST)] }
    }

    /// Returns the acceptable codings, the best first.
    pub(super) fn ranked(self) -> impl Iterator<Item = Coding> {
        let [a, b, c, d] = Coding::ALL;
        let [p, q, r, s] = self.qualities;
        let mut ranked = [(a, p), (b, q), (c, r), (d, s)];
        ranked.sort_by_key(|(_, quality)| Reverse(*quality));
        ranked.into_iter().filter(|(_, quality)| *quality > 0).map(|(coding, _)| coding)
    }
}

/// Returns the token of an element and its quality in thousandths.
fn element(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let token = parts.next().filter(|token| !token.is_empty())?;
    let mut quality = FULL;
    for parameter in parts {
        if let Some((name, value)) = parameter.split_once('=')
            && name.trim_end().eq_ignore_ascii_case("q")
        {
            quality = thousandths(value.trim_start())?;
        }
    }
    Some((token, quality))
}

/// Reads a weight (RFC 9110 §12.4.2): 0 to 1 with at most three decimals.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{decimals:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" => Some(fraction),
        "1" if fraction == 0 => Some(FULL),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranked(fields: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(header::ACCEPT_ENCODING, HeaderValue::from_str(field).unwrap());
        }
        let tokens: Vec<_> = AcceptEncoding::of(&headers).ranked().map(Coding::token).collect();
        tokens.join(" ")
    }

    /// RFC 9110 §12.5.3.
    #[test]
    fn the_best_quality_is_first_and_zero_is_excluded() {
        for (field, expected) in [
            ("gzip, deflate, br, zstd", "br zstd gzip identity"),
            ("gzip;q=1.0, br;q=0.2, identity; q=0.5, *;q=0", "gzip identity br"),
            ("GZIP", "gzip identity"),
            ("x-gzip", "gzip identity"),
            ("", "identity"),
            ("identity;q=0", ""),
            ("*;q=0", ""),
            ("br, *;q=0", "br"),
            ("identity;q=0, *", "br zstd gzip"),
            ("*", "br zstd gzip identity"),
            ("gzip;q=0.001", "gzip identity"),
            ("br;q=0, gzip;Q=0.8", "gzip identity"),
            ("br;q=2, zstd;q=.5, gzip;q=0.1234, ,", "identity"),
            ("br ; q=1.000", "br identity"),
        ] {
            assert_eq!(ranked(&[field]), expected, "{field}");
        }
        assert_eq!(ranked(&["br;q=0.1", "gzip"]), "gzip br identity");
        assert_eq!(ranked(&[]), "identity");
    }

    proptest! {
        #[test]
        fn any_bytes_give_each_coding_at_most_once(bytes in ".{0,60}|[a-z*;=,.0-9 q]{0,60}") {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_bytes(bytes.as_bytes()) {
                headers.append(header::ACCEPT_ENCODING, value);
            }
            let ranked: Vec<_> = AcceptEncoding::of(&headers).ranked().collect();
            prop_assert!(ranked.len() <= 4);
            let is_unique = ranked.iter().all(|it| ranked.iter().filter(|x| *x == it).count() == 1);
            prop_assert!(is_unique);
        }
    }
}
