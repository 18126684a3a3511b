//! The syntax of a host.

use std::net::Ipv6Addr;

use super::framing;

/// Returns true for `uri-host [ ":" port ]` (RFC 9110 §7.2, RFC 3986 §3.2.2).
///
/// An empty host is valid in a Host field: the target has no host then. IPvFuture is not valid,
/// because no version of it exists.
pub(super) fn is_valid(host: &[u8]) -> bool {
    if let Some(literal) = host.strip_prefix(b"[") {
        let Some(end) = literal.iter().position(|byte| *byte == b']') else {
            return false;
        };
        let (address, after) = literal.split_at(end);
        return is_ipv6(address) && is_port(after.get(1..).unwrap_or_default());
    }
    let colon = host.iter().position(|byte| *byte == b':').unwrap_or(host.len());
    let (name, after) = host.split_at(colon);
    is_registered_name(name) && is_port(after)
}

fn is_ipv6(address: &[u8]) -> bool {
    str::from_utf8(address).is_ok_and(|address| address.parse::<Ipv6Addr>().is_ok())
}

/// Returns true for `*( unreserved / pct-encoded / sub-delims )`, which excludes user information
/// (`@`).
fn is_registered_name(name: &[u8]) -> bool {
    let mut bytes = name.iter();
    while let Some(byte) = bytes.next() {
        let valid = match byte {
            b'%' => {
                bytes.next().is_some_and(u8::is_ascii_hexdigit)
                    && bytes.next().is_some_and(u8::is_ascii_hexdigit)
            }
            b'-' | b'.' | b'_' | b'~' | b'!' | b'$' | b'&'..=b',' | b';' | b'=' => true,
            _ => byte.is_ascii_alphanumeric(),
        };
        if !valid {
            return false;
        }
    }
    true
}

/// Returns true for an empty string, or a colon and a port that may be empty (RFC 3986 §3.2.3).
fn is_port(after: &[u8]) -> bool {
    match after.strip_prefix(b":") {
        None => after.is_empty(),
        Some([]) => true,
        Some(port) => framing::decimal(port).is_some_and(|port| port <= u64::from(u16::MAX)),
    }
}
