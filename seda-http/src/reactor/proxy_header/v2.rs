//! Version 2: a binary header.

use super::header::{HEADER_MOST, HeaderFault, ProxyHeader, Source};
use std::net::IpAddr;

pub(super) const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// The bytes before the addresses: the signature, version with command, family with transport, and
/// the length of what follows.
const FIXED: usize = 16;

/// Reads the header at the front of `input`, which begins like [`SIGNATURE`].
pub(super) fn read(input: &[u8]) -> Result<Option<ProxyHeader>, HeaderFault> {
    let (Some(fixed), rest) = (input.get(..FIXED), input.get(FIXED..).unwrap_or_default()) else {
        return Ok(None);
    };
    let &[.., command, family, high, low] = fixed else { return Ok(None) };
    let length = usize::from(u16::from_be_bytes([high, low]));
    let bytes = FIXED + length;
    let (is_local, least) = match (command, family) {
        // What follows is to be skipped.
        (0x20, _) => (true, 0),
        // An unknown family.
        (0x21, 0x00) => (true, 0),
        // TCP over IPv4 or IPv6, and a Unix stream.
        (0x21, 0x11) => (false, 12),
        (0x21, 0x21) => (false, 36),
        (0x21, 0x31) => (false, 216),
        _ => return Err(HeaderFault::Unknown),
    };
    if length < least || bytes > HEADER_MOST {
        return Err(HeaderFault::Length);
    }
    let Some(addresses) = rest.get(..length) else { return Ok(None) };
    let source = if is_local { Source::Peer } else { Source::Client(source(least, addresses)) };
    Ok(Some(ProxyHeader { bytes, source }))
}

/// Returns the source address, which is the first one; `None` for a Unix stream.
fn source(least: usize, addresses: &[u8]) -> Option<IpAddr> {
    match least {
        12 => addresses.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        36 => addresses.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}
