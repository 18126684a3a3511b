//! The header of the PROXY protocol, beside a second parser, and beside an encoder.
//!
//! Both are written from HAProxy's `proxy-protocol.txt` §2.1 and §2.2, and share nothing with
//! seda-http.

use crate::reactor::{Client, Front, Header, LOOKED_AT, read};
use std::net::IpAddr;

/// The longest line of version 1.
const LINE_MOST: usize = 107;

/// The longest header of version 2 that is accepted.
const BINARY_MOST: usize = 4096;

const SIGNATURE: &[u8] = &[13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10];

/// Reads the bytes whole and as they arrive, and headers that the bytes describe.
pub fn check(data: &[u8]) {
    check_read(data);
    check_written(data);
}

fn check_read(wire: &[u8]) {
    let whole = read(wire);
    let expected = reference(wire);
    match &whole {
        Front::Header(header) => {
            assert_eq!(Some(*header), expected);
            assert!(header.bytes <= wire.len(), "a header of {} bytes", header.bytes);
            check_encoding(&wire[..header.bytes], header.client);
        }
        Front::Incomplete => {
            assert_eq!(expected, None, "a whole header is said to be incomplete");
            let is_line = wire.first() == Some(&b'P');
            let most = if is_line { LINE_MOST } else { BINARY_MOST };
            assert!(wire.len() < most.min(LOOKED_AT), "it waits for more than {most} bytes");
        }
        Front::Fault(_) => assert_eq!(expected, None),
    }
    // A reactor looks at the bytes that have arrived, so each cut gives one of these.
    for length in 0..wire.len().min(LOOKED_AT) {
        let part = read(&wire[..length]);
        let is_early = match &whole {
            Front::Header(header) => length >= header.bytes,
            Front::Incomplete | Front::Fault(_) => true,
        };
        match part {
            Front::Incomplete => {
                let is_whole = matches!(whole, Front::Header(_)) && is_early;
                assert!(!is_whole, "{length} bytes hold the header");
            }
            part => assert!(part == whole && is_early, "{length} bytes: {part:?}, not {whole:?}"),
        }
    }
}

/// Writes headers with the addresses, ports and further bytes of `data`, and reads them.
fn check_written(data: &[u8]) {
    let mut bytes = data.iter().copied().chain(std::iter::repeat(0));
    let mut next = || bytes.next().unwrap_or_default();
    let ports = [0; 2].map(|_| u16::from_be_bytes([next(), next()]));
    let four = [0; 2].map(|_| IpAddr::from([0; 4].map(|_| next())));
    let six = [0; 2].map(|_| IpAddr::from([0; 16].map(|_| next())));
    for [source, destination] in [four, six] {
        let line = written_line(source, destination, ports);
        let most = data.len().min(BINARY_MOST - 16 - 36);
        let binary = written_binary(source, destination, ports, &data[..most]);
        assert!(line.len() <= LINE_MOST);
        for header in [line, binary] {
            let followed = [&header[..], data].concat();
            let found = Header { bytes: header.len(), client: Client::Address(source) };
            assert_eq!(read(&followed), Front::Header(found), "{header:02x?}");
        }
    }
}

fn written_line(source: IpAddr, destination: IpAddr, [from, to]: [u16; 2]) -> Vec<u8> {
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    format!("PROXY {family} {source} {destination} {from} {to}\r\n").into_bytes()
}

fn written_binary(source: IpAddr, destination: IpAddr, ports: [u16; 2], tlvs: &[u8]) -> Vec<u8> {
    let octets = |address| match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    };
    let ports = ports.map(u16::to_be_bytes).concat();
    let behind = [octets(source), octets(destination), ports, tlvs.to_vec()].concat();
    let length = u16::try_from(behind.len()).unwrap().to_be_bytes();
    let family = if source.is_ipv4() { 0x11 } else { 0x21 };
    [SIGNATURE, &[0x21, family], &length, &behind].concat()
}

/// Checks that the accepted bytes are those of a header with this client.
fn check_encoding(header: &[u8], client: Client) {
    let Client::Address(source) = client else { return };
    if header[0] == b'P' {
        let line = std::str::from_utf8(header).unwrap().trim_end();
        let words: Vec<&str> = line.split(' ').collect();
        let destination = words[3].parse().unwrap();
        let ports = [words[4], words[5]].map(|port| port.parse().unwrap());
        let written = written_line(source, destination, ports);
        // An IPv6 address has many forms.
        if source.is_ipv4() {
            assert_eq!(written, header);
        }
        assert_eq!(read(&written), Front::Header(Header { bytes: written.len(), client }));
        return;
    }
    let (_, behind) = header.split_at(16);
    let size = if source.is_ipv4() { 4 } else { 16 };
    let (_, rest) = behind.split_at(size);
    let (destination, rest) = rest.split_at(size);
    let destination = match <[u8; 4]>::try_from(destination) {
        Ok(octets) => IpAddr::from(octets),
        Err(_) => IpAddr::from(<[u8; 16]>::try_from(destination).unwrap()),
    };
    let ports = [[rest[0], rest[1]], [rest[2], rest[3]]].map(u16::from_be_bytes);
    assert_eq!(written_binary(source, destination, ports, &rest[4..]), header);
}

/// Returns the header at the front; `None` if there is no whole one.
fn reference(wire: &[u8]) -> Option<Header> {
    reference_line(wire).or_else(|| reference_binary(wire))
}

fn reference_line(wire: &[u8]) -> Option<Header> {
    let end = wire.windows(2).take(LINE_MOST - 1).position(|pair| pair == b"\r\n")?;
    let line = std::str::from_utf8(&wire[..end]).ok()?;
    if !line.chars().all(|letter| letter == ' ' || letter.is_ascii_graphic()) {
        return None;
    }
    let words: Vec<&str> = line.split(' ').collect();
    let client = match words[..] {
        ["PROXY", "UNKNOWN", ..] => Client::Peer,
        ["PROXY", family, source, destination, from, to] => {
            number(from, u16::MAX)?;
            number(to, u16::MAX)?;
            let address = match family {
                "TCP4" => address4,
                "TCP6" => address6,
                _ => return None,
            };
            address(destination)?;
            Client::Address(address(source)?)
        }
        _ => return None,
    };
    Some(Header { bytes: end + 2, client })
}

/// Returns a number without a sign and without leading zeros.
fn number(word: &str, most: u16) -> Option<u16> {
    let mut value = 0_u32;
    for digit in word.bytes().take(6) {
        value = value * 10 + u32::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?);
    }
    (value.to_string() == word && value <= u32::from(most)).then_some(value as u16)
}

fn address4(word: &str) -> Option<IpAddr> {
    let parts: Vec<&str> = word.split('.').collect();
    let parts: Option<Vec<u16>> = parts.into_iter().map(|part| number(part, 255)).collect();
    let octets: [u16; 4] = parts?.try_into().ok()?;
    Some(IpAddr::from(octets.map(|octet| octet as u8)))
}

/// RFC 4291 §2.2, in its three forms.
fn address6(word: &str) -> Option<IpAddr> {
    let groups = match word.split_once("::") {
        None => groups(word, true)?,
        Some((front, back)) => {
            let (mut front, back) = (groups(front, false)?, groups(back, true)?);
            let zeros = 8_usize.checked_sub(front.len() + back.len()).filter(|zeros| *zeros > 0)?;
            front.extend(std::iter::repeat_n(0, zeros));
            front.extend(back);
            front
        }
    };
    let groups: [u16; 8] = groups.try_into().ok()?;
    Some(IpAddr::from(groups))
}

/// Returns the groups of a part of an IPv6 address. The last 32 bits may have the form of IPv4.
fn groups(part: &str, may_end_in_ipv4: bool) -> Option<Vec<u16>> {
    let mut groups = Vec::new();
    let mut words: Vec<&str> = part.split(':').collect();
    if part.is_empty() {
        return Some(groups);
    }
    let last = words.pop_if(|word| may_end_in_ipv4 && word.contains('.'));
    for word in words {
        let is_group =
            (1..=4).contains(&word.len()) && word.bytes().all(|it| it.is_ascii_hexdigit());
        groups.push(u16::from_str_radix(word, 16).ok().filter(|_| is_group)?);
    }
    if let Some(word) = last {
        let IpAddr::V4(address) = address4(word)? else { return None };
        let [a, b, c, d] = address.octets();
        groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
    }
    Some(groups)
}

fn reference_binary(wire: &[u8]) -> Option<Header> {
    let [command, family, high, low, behind @ ..] = wire.strip_prefix(SIGNATURE)? else {
        return None;
    };
    let length = usize::from(u16::from_be_bytes([*high, *low]));
    let behind = behind.get(..length)?;
    let client = match (command, family, behind) {
        // LOCAL: the rest is skipped.
        (0x20, _, _) | (0x21, 0x00, _) => Client::Peer,
        (0x21, 0x11, [a, b, c, d, _, _, _, _, _, _, _, _, ..]) => {
            Client::Address(IpAddr::from([*a, *b, *c, *d]))
        }
        (0x21, 0x21, _) if length >= 36 => {
            Client::Address(IpAddr::from(<[u8; 16]>::try_from(&behind[..16]).unwrap()))
        }
        (0x21, 0x31, _) if length >= 216 => Client::Unnamed,
        _ => return None,
    };
    (16 + length <= BINARY_MOST).then_some(Header { bytes: 16 + length, client })
}
