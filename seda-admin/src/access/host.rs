//! The check of the Host field against DNS rebinding.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns true if no stranger's DNS server can choose the address behind `host`: without its port
/// it is an IP address, `localhost`, empty, or one of `names`.
pub(super) fn is_trusted(host: &str, names: &[String]) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok() && (port.is_empty() || is_port(port));
    }
    let (name, port) = host.split_at(host.find(':').unwrap_or(host.len()));
    (port.is_empty() || is_port(port)) && (is_local(name) || is_one_of(name, names))
}

fn is_local(name: &str) -> bool {
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || name.parse::<Ipv4Addr>().is_ok()
}

fn is_one_of(name: &str, names: &[String]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// Returns true for a colon with digits or none (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_localhost_are_trusted() {
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
        local.into_iter().for_each(|host| assert!(is_trusted(host, &[]), "{host}"));
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
        foreign.into_iter().for_each(|host| assert!(!is_trusted(host, &[]), "{host}"));
    }

    #[test]
    fn a_name_that_the_operator_lists_is_trusted_with_any_port() {
        let names = ["Status.internal".to_owned()];
        for host in ["status.internal", "STATUS.INTERNAL:9090", "127.0.0.1"] {
            assert!(is_trusted(host, &names), "{host}");
        }
        for host in ["status.internal.evil.example", "internal", "status.internal:x"] {
            assert!(!is_trusted(host, &names), "{host}");
        }
    }
}
