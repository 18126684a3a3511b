//! The check of the Host field against DNS rebinding.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns true if no DNS server can choose the address behind `host`: it is an IP address or
/// `localhost`, with a port or without, or empty.
pub(super) fn is_local(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port));
    }
    let name = match host.find(':') {
        None => host,
        Some(colon) => {
            let (name, port) = host.split_at(colon);
            if !is_port(port) {
                return false;
            }
            name
        }
    };
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}

/// Returns true for a colon with digits or none (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_local() {
        let local = [
            "127.0.0.1",
            "127.0.0.1:9090",
            "10.1.2.3:80",
            "localhost",
            "LocalHost:1",
            "[::1]",
            "[::1]:9090",
            "[fe80::1]:80",
            "127.0.0.1:",
            "",
        ];
        local.into_iter().for_each(|host| assert!(is_local(host), "{host}"));
    }

    #[test]
    fn names_that_a_dns_server_resolves_are_not() {
        let foreign = [
            "evil.example",
            "evil.example:9090",
            "localhost.evil.example",
            "localhost.",
            "evil",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "localhost:80@evil.example",
            "[::1].evil.example",
            "[::1]evil",
            "[::1",
            "[evil.example]",
            "::1",
            "127.0.0.1:x",
            "0x7f.1",
            "2130706433",
            " localhost",
        ];
        foreign.into_iter().for_each(|host| assert!(!is_local(host), "{host}"));
    }
}
