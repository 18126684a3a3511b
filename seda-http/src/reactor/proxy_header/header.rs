//! A header that was read, or the fault of bytes that are none.

use std::net::IpAddr;
use thiserror::Error;

/// The most bytes of a header. Version 1 has at most 107. Version 2 could have 64 KiB; proxies send
/// addresses and some TLVs, such as the names of a TLS client, in less than 1 KiB.
pub(in crate::reactor) const HEADER_MOST: usize = 4 * 1024;

/// A whole header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) struct ProxyHeader {
    /// Its length.
    pub(in crate::reactor) bytes: usize,
    pub(in crate::reactor) source: Source,
}

/// The client of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::reactor) enum Source {
    /// The peer: the proxy speaks for itself (`LOCAL`), or does not know its client (`UNKNOWN`).
    Peer,
    /// Another one; without an address if it has connected to the proxy's Unix socket.
    Client(Option<IpAddr>),
}

/// The reason why the first bytes of a connection are no header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(in crate::reactor) enum HeaderFault {
    #[error("it does not begin with a PROXY header")]
    Missing,
    #[error("the line of its PROXY header is malformed")]
    Line,
    #[error("its PROXY header has an unknown version, command, family or transport")]
    Unknown,
    #[error("its PROXY header is too short for its addresses, or longer than {HEADER_MOST} bytes")]
    Length,
}
