//! The address of one proxy or client in a list of them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// Returns the addresses of a list with commas over all lines of its field, in order; `None` for
/// an element without a readable one. Empty elements are skipped.
pub(super) fn list<'a>(lines: impl Iterator<Item = &'a [u8]>) -> Vec<Option<IpAddr>> {
    let elements = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(<[u8]>::trim_ascii);
    elements.filter(|element| !element.is_empty()).map(address).collect()
}

/// Returns the IP address of a node, with or without a port. `None` for a hidden or unknown one.
pub(super) fn address(node: &[u8]) -> Option<IpAddr> {
    let node = str::from_utf8(node).ok()?;
    let without_port = node.parse::<IpAddr>().ok();
    without_port.or_else(|| node.parse::<SocketAddr>().ok().map(|it| it.ip())).or_else(|| {
        let address = node.strip_prefix('[')?.strip_suffix(']')?;
        address.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
    })
}
