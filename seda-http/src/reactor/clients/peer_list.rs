//! A list of peers: addresses, networks, and Unix sockets.

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::net::IpAddr;
use thiserror::Error;

/// The word for peers at a Unix socket, which have no address. It is that of nginx.
const UNIX: &str = "unix:";

/// Peers by their addresses: single ones, networks in CIDR form, and those at a Unix socket. The
/// default list is empty.
///
/// | text | peers |
/// | --- | --- |
/// | `192.0.2.7`, `2001:db8::7` | this address |
/// | `10.0.0.0/8`, `fd00::/8` | the addresses of this network |
/// | `unix:` | every peer at a Unix socket: the mode of its file decides which these are |
///
/// An IPv4 peer of an IPv6 socket (`::ffff:192.0.2.7`) counts as its IPv4 address.
///
/// ```
/// use seda_http::PeerList;
///
/// # fn main() -> Result<(), seda_http::PeerListError> {
/// let proxies = PeerList::new(["10.0.0.0/8", "2001:db8::7"])?;
/// assert!(proxies.contains("10.1.2.3".parse().ok()));
/// assert!(!proxies.contains("192.0.2.1".parse().ok()));
/// // A peer at a Unix socket has no address.
/// assert!(!proxies.contains(None));
/// assert!(PeerList::new(["unix:"])?.contains(None));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(into = "Vec<String>")]
pub struct PeerList {
    networks: Vec<Cidr>,
    /// Peers at Unix sockets are in the list.
    unix: bool,
}

/// A text that is no address, no network and not `unix:`.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no peer: {fault}; allowed: an address like 192.0.2.7, a network like 10.0.0.0/8 \
     or 2001:db8::/32, or unix: for the peers at a Unix socket"
)]
pub struct PeerListError {
    text: String,
    fault: CidrFault,
}

/// The reason why a text is no network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
enum CidrFault {
    #[error("it has no IP address, and names are not looked up")]
    Address,
    #[error("behind the slash is a number of bits, at most {most}")]
    Bits { most: u8 },
    #[error("the address has bits beyond the network, which is {network}")]
    BeyondNetwork { network: Cidr },
    #[error("an IPv4 address is written without ::ffff:")]
    Mapped,
}

impl PeerList {
    /// Returns the list of these peers.
    ///
    /// # Errors
    /// The first text that is no peer, with the reason and what is allowed.
    pub fn new<T: AsRef<str>>(peers: impl IntoIterator<Item = T>) -> Result<Self, PeerListError> {
        let mut list = Self::default();
        for peer in peers {
            match peer.as_ref() {
                UNIX => list.unix = true,
                text => match Cidr::parse(text) {
                    Ok(network) => list.networks.push(network),
                    Err(fault) => return Err(PeerListError { text: text.to_owned(), fault }),
                },
            }
        }
        Ok(list)
    }

    /// Returns true if the peer at this address is in the list; `None` is a peer at a Unix socket.
    pub fn contains(&self, address: Option<IpAddr>) -> bool {
        match address {
            None => self.unix,
            Some(address) => {
                let address = address.to_canonical();
                self.networks.iter().any(|network| network.contains(address))
            }
        }
    }

    /// Returns true if no peer is in the list.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// Returns the list of all peers.
    pub(crate) fn all() -> Self {
        let [v4, v6] = [IpAddr::from([0; 4]), IpAddr::from([0; 16])];
        let networks = [v4, v6].map(|address| Cidr { address, bits: 0 });
        Self { networks: networks.into(), unix: true }
    }
}

impl<'de> Deserialize<'de> for PeerList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(PeerListVisitor)
    }
}

/// Reads a list of texts.
struct PeerListVisitor;

impl<'de> Visitor<'de> for PeerListVisitor {
    type Value = PeerList;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of addresses and networks like [\"192.0.2.7\", \"10.0.0.0/8\"]")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<PeerList, S::Error> {
        let mut peers = Vec::<String>::new();
        while let Some(peer) = list.next_element()? {
            peers.push(peer);
        }
        PeerList::new(peers).map_err(S::Error::custom)
    }
}

impl From<PeerList> for Vec<String> {
    fn from(list: PeerList) -> Self {
        let networks = list.networks.iter().map(Cidr::to_string);
        networks.chain(list.unix.then(|| UNIX.to_owned())).collect()
    }
}

/// The addresses that begin with the same bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cidr {
    /// Its bits beyond the network are zero.
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    fn parse(text: &str) -> Result<Self, CidrFault> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| CidrFault::Address)?;
        if address.to_canonical() != address {
            return Err(CidrFault::Mapped);
        }
        let most = most_bits(address);
        let bits = match bits {
            None => most,
            Some(bits) => {
                let bits = Some(bits).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit()));
                let bits = bits.and_then(|bits| bits.parse().ok()).filter(|bits| *bits <= most);
                bits.ok_or(CidrFault::Bits { most })?
            }
        };
        let network = Self { address: first_bits(address, bits), bits };
        if network.address == address {
            Ok(network)
        } else {
            Err(CidrFault::BeyondNetwork { network })
        }
    }

    fn contains(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && first_bits(address, self.bits) == self.address
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.bits == most_bits(self.address) {
            self.address.fmt(f)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

fn most_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Returns the address with all but its first `bits` bits set to zero.
fn first_bits(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(ip) => {
            let mask = u32::MAX.checked_shl(32 - u32::from(bits.min(32))).unwrap_or(0);
            IpAddr::V4((ip.to_bits() & mask).into())
        }
        IpAddr::V6(ip) => {
            let mask = u128::MAX.checked_shl(128 - u32::from(bits.min(128))).unwrap_or(0);
            IpAddr::V6((ip.to_bits() & mask).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(peers: &[&str]) -> PeerList {
        PeerList::new(peers).unwrap()
    }

    fn contains(list: &PeerList, address: &str) -> bool {
        list.contains(Some(address.parse().unwrap()))
    }

    #[test]
    fn a_network_contains_the_addresses_that_begin_with_its_bits() {
        let peers = list(&["10.0.0.0/8", "192.0.2.128/25", "198.51.100.7", "2001:db8::/33"]);
        for inside in ["10.0.0.0", "10.255.255.255", "192.0.2.128", "198.51.100.7"] {
            assert!(contains(&peers, inside), "{inside}");
            assert!(contains(&peers, &format!("::ffff:{inside}")), "{inside} at an IPv6 socket");
        }
        assert!(contains(&peers, "2001:db8:7fff::1"));
        for outside in ["11.0.0.0", "192.0.2.127", "198.51.100.6", "2001:db8:8000::", "::a00:1"] {
            assert!(!contains(&peers, outside), "{outside}");
        }
        assert!(!peers.contains(None) && list(&["unix:"]).contains(None));
    }

    #[test]
    fn a_network_of_no_bits_contains_the_addresses_of_its_family() {
        let peers = list(&["0.0.0.0/0"]);
        assert!(contains(&peers, "203.0.113.9") && !contains(&peers, "2001:db8::1"));
        let all = PeerList::all();
        assert!(contains(&all, "203.0.113.9") && contains(&all, "::1") && all.contains(None));
    }

    #[test]
    fn an_error_names_the_text_its_fault_and_what_is_allowed() {
        for (text, fault) in [
            ("", "it has no IP address"),
            ("proxy.internal", "it has no IP address, and names are not looked up"),
            ("10.0.0/8", "it has no IP address"),
            ("10.0.0.0/33", "behind the slash is a number of bits, at most 32"),
            ("10.0.0.0/+8", "behind the slash is a number of bits, at most 32"),
            ("10.0.0.0/", "behind the slash is a number of bits, at most 32"),
            ("2001:db8::/129", "behind the slash is a number of bits, at most 128"),
            ("10.0.0.1/8", "the address has bits beyond the network, which is 10.0.0.0/8"),
            ("::ffff:10.0.0.0/104", "an IPv4 address is written without ::ffff:"),
        ] {
            let error = PeerList::new(["192.0.2.1", text]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is no peer: {fault}")), "{error}");
            assert!(error.ends_with("or unix: for the peers at a Unix socket"), "{error}");
        }
    }

    #[test]
    fn a_list_is_written_as_it_is_read() {
        let written = r#"["10.0.0.0/8","192.0.2.7","fd00::/8","unix:"]"#;
        let peers: PeerList = serde_json::from_str(written).unwrap();
        assert_eq!(serde_json::to_string(&peers).unwrap(), written);
        let wrong = serde_json::from_str::<PeerList>(r#"["10.0.0.1/8"]"#).unwrap_err();
        assert!(wrong.to_string().contains("which is 10.0.0.0/8"), "{wrong}");
        let single = serde_json::from_str::<PeerList>("\"10.0.0.0/8\"").unwrap_err().to_string();
        assert!(single.contains("expected a list of addresses and networks like "), "{single}");
    }
}
