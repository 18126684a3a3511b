//! Version 1: one line of text.

use super::header::{HeaderFault, ProxyHeader, Source};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

pub(super) const SIGNATURE: &[u8] = b"PROXY ";

/// The longest line: `PROXY UNKNOWN` with two IPv6 addresses and two ports (§2.1).
const LINE_MOST: usize = 107;

/// Reads the line at the front of `input`, which begins like [`SIGNATURE`].
pub(super) fn read(input: &[u8]) -> Result<Option<ProxyHeader>, HeaderFault> {
    let line = input.get(..LINE_MOST).unwrap_or(input);
    let Some(end) = line.iter().position(|byte| !matches!(byte, b' '..=b'~')) else {
        return if line.len() < LINE_MOST { Ok(None) } else { Err(HeaderFault::Line) };
    };
    let (text, rest) = line.split_at(end);
    match rest {
        [b'\r'] if line.len() < LINE_MOST => Ok(None),
        [b'\r', b'\n', ..] => {
            let source = source(text).ok_or(HeaderFault::Line)?;
            Ok(Some(ProxyHeader { bytes: end + 2, source }))
        }
        _ => Err(HeaderFault::Line),
    }
}

/// Returns the source of a line without its CRLF; `None` if it is malformed.
fn source(line: &[u8]) -> Option<Source> {
    let mut words = str::from_utf8(line.strip_prefix(SIGNATURE)?).ok()?.split(' ');
    match words.next()? {
        // The rest of the line is to be ignored.
        "UNKNOWN" => Some(Source::Peer),
        "TCP4" => addresses::<Ipv4Addr>(words),
        "TCP6" => addresses::<Ipv6Addr>(words),
        _ => None,
    }
}

fn addresses<'a, A: FromStr + Into<IpAddr>>(
    mut words: impl Iterator<Item = &'a str>,
) -> Option<Source> {
    let source: A = words.next()?.parse().ok()?;
    let _destination: A = words.next()?.parse().ok()?;
    let ports = [words.next()?, words.next()?];
    let is_valid = words.next().is_none() && ports.into_iter().all(is_port);
    is_valid.then(|| Source::Client(Some(source.into())))
}

fn is_port(word: &str) -> bool {
    let is_canonical = word == "0" || !word.starts_with(['0', '+']);
    is_canonical && word.parse::<u16>().is_ok()
}
