//! The header of the PROXY protocol, versions 1 and 2, without I/O: a proxy sends it before all
//! other bytes of a connection, and names the client that it has accepted.
//!
//! The rules are those of HAProxy's `proxy-protocol.txt`, revision 2020/03/05. Every deviation is a
//! fault and closes the connection: bytes behind a header that is read wrongly would be requests of
//! a wrong client. Destination address, ports and TLVs are checked for their form and not used.

mod header;
mod v1;
mod v2;

use self::header::HeaderFault;
pub(super) use self::header::{HEADER_MOST, ProxyHeader, Source};

/// Reads the header at the front of `input`; `None` if it is incomplete.
pub(super) fn read(input: &[u8]) -> Result<Option<ProxyHeader>, HeaderFault> {
    if is_prefix(v2::SIGNATURE, input) {
        v2::read(input)
    } else if is_prefix(v1::SIGNATURE, input) {
        v1::read(input)
    } else {
        Err(HeaderFault::Missing)
    }
}

/// Returns true if `input` begins with `signature`, or may do so once it is longer.
fn is_prefix(signature: &[u8], input: &[u8]) -> bool {
    signature.iter().zip(input).all(|(expected, byte)| expected == byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::IpAddr;

    fn client(address: &str) -> Source {
        Source::Client(Some(address.parse().unwrap()))
    }

    /// Returns a header of version 2 with these addresses and TLVs.
    fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
        let length = u16::try_from(addresses.len()).unwrap().to_be_bytes();
        [v2::SIGNATURE, &[command, family], &length, addresses].concat()
    }

    fn v2_of(source: &str) -> Vec<u8> {
        let ports = [0x9c, 0x40, 0, 80];
        match source.parse().unwrap() {
            IpAddr::V4(ip) => v2(0x21, 0x11, &[&ip.octets()[..], &[10, 0, 0, 1], &ports].concat()),
            IpAddr::V6(ip) => v2(0x21, 0x21, &[&ip.octets()[..], &[1; 16], &ports].concat()),
        }
    }

    fn with_tlv(mut header: Vec<u8>, length: usize) -> Vec<u8> {
        let value = u16::try_from(length).unwrap().to_be_bytes();
        header.extend([&[0x04][..], &value, &vec![0; length]].concat());
        let behind = u16::try_from(header.len() - 16).unwrap().to_be_bytes();
        header[14..16].copy_from_slice(&behind);
        header
    }

    /// Every header, with the client that it names.
    fn valid() -> Vec<(Vec<u8>, Source)> {
        let v1 = |line: &str| line.as_bytes().to_vec();
        let v6 = "2001:0db8:0000:0000:0000:0000:0000:0001";
        vec![
            (v1("PROXY TCP4 192.0.2.1 10.0.0.1 40000 80\r\n"), client("192.0.2.1")),
            (
                v1("PROXY TCP4 255.255.255.255 255.255.255.255 65535 0\r\n"),
                client("255.255.255.255"),
            ),
            (v1("PROXY TCP6 2001:db8::1 ::1 1 65535\r\n"), client("2001:db8::1")),
            (v1(&format!("PROXY TCP6 {v6} {v6} 65535 65535\r\n")), client("2001:db8::1")),
            (v1("PROXY UNKNOWN\r\n"), Source::Peer),
            (v1(&format!("PROXY UNKNOWN {v6} {v6} 65535 65535\r\n")), Source::Peer),
            (v2_of("192.0.2.1"), client("192.0.2.1")),
            (v2_of("2001:db8::1"), client("2001:db8::1")),
            (with_tlv(v2_of("192.0.2.1"), 300), client("192.0.2.1")),
            (v2(0x21, 0x31, &[b'/'; 216]), Source::Client(None)),
            (v2(0x21, 0x00, &[]), Source::Peer),
            (v2(0x21, 0x00, &[7; 9]), Source::Peer),
            (v2(0x20, 0x00, &[]), Source::Peer),
            (v2(0x20, 0x11, &[0; 12]), Source::Peer),
            (v2(0x20, 0x42, &[0; 5]), Source::Peer),
            (with_tlv(v2_of("192.0.2.1"), HEADER_MOST - 31), client("192.0.2.1")),
        ]
    }

    #[test]
    fn a_header_is_read_to_its_last_byte_and_not_before() {
        for (header, source) in valid() {
            let bytes = header.len();
            for length in 0..bytes {
                assert_eq!(read(&header[..length]), Ok(None), "{length} of {header:02x?}");
            }
            let whole = Ok(Some(ProxyHeader { bytes, source }));
            assert_eq!(read(&header), whole, "{header:02x?}");
            let followed = [&header[..], b"GET / HTTP/1.1\r\nPROXY "].concat();
            assert_eq!(read(&followed), whole, "{header:02x?}");
        }
    }

    #[test]
    fn every_deviation_is_a_fault() {
        let longest = "f".repeat(200);
        let lines = [
            ("GET / HTTP/1.1\r\n", HeaderFault::Missing),
            ("proxy TCP4 192.0.2.1 10.0.0.1 1 2\r\n", HeaderFault::Missing),
            ("PROXYTCP4", HeaderFault::Missing),
            ("\r\n\r\nGET", HeaderFault::Missing),
            (" PROXY", HeaderFault::Missing),
            ("PROXY \r\n", HeaderFault::Line),
            ("PROXY  TCP4 192.0.2.1 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP5 192.0.2.1 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY UDP4 192.0.2.1 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY UNKNOWNX\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 3\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2 \r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\rX", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 1 2\0\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.01 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 ::1 ::1 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP6 192.0.2.1 10.0.0.1 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP6 ::1 fe80::1%eth0 1 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 65536 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 +1 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1 01 2\r\n", HeaderFault::Line),
            ("PROXY TCP4 192.0.2.1 10.0.0.1  2\r\n", HeaderFault::Line),
        ];
        for (line, fault) in lines {
            assert_eq!(read(line.as_bytes()), Err(fault), "{line:?}");
        }
        let long = format!("PROXY UNKNOWN {longest}");
        assert_eq!(read(&long.as_bytes()[..107]), Err(HeaderFault::Line), "no end in 107 bytes");
        assert_eq!(read(&long.as_bytes()[..106]), Ok(None));
        let headers = [
            (v2(0x11, 0x11, &[0; 12]), HeaderFault::Unknown),
            (v2(0x31, 0x11, &[0; 12]), HeaderFault::Unknown),
            (v2(0x22, 0x11, &[0; 12]), HeaderFault::Unknown),
            (v2(0x21, 0x12, &[0; 12]), HeaderFault::Unknown),
            (v2(0x21, 0x41, &[0; 12]), HeaderFault::Unknown),
            (v2(0x21, 0x13, &[0; 12]), HeaderFault::Unknown),
            (v2(0x21, 0x11, &[0; 11]), HeaderFault::Length),
            (v2(0x21, 0x21, &[0; 35]), HeaderFault::Length),
            (v2(0x21, 0x31, &[0; 215]), HeaderFault::Length),
            (v2(0x20, 0x00, &[0; HEADER_MOST - 15]), HeaderFault::Length),
        ];
        for (header, fault) in headers {
            assert_eq!(read(&header), Err(fault), "{header:02x?}");
            // The fault is seen before the addresses arrive.
            assert_eq!(read(&header[..16]), Err(fault), "{header:02x?}");
        }
    }

    /// A header whose bytes are changed at any one place is a header, incomplete, or a fault; it is
    /// never longer than what is there.
    #[test]
    fn no_changed_byte_makes_a_header_longer_than_its_bytes() {
        for (header, _) in valid() {
            for place in 0..header.len().min(128) {
                for value in [0, b'\r', b'\n', b' ', b'9', b':', 0x20, 0x21, 0x7f, 0xff] {
                    let mut changed = header.clone();
                    changed[place] = value;
                    if let Ok(Some(read)) = read(&changed) {
                        assert!(read.bytes <= changed.len(), "{changed:02x?}");
                    }
                }
            }
        }
    }
}
