//! The PROXY header of seda-http. It is not public, so its sources are compiled here, in a module
//! of the same name.

#[path = "../../seda-http/src/reactor/proxy_header/mod.rs"]
mod proxy_header;

use self::proxy_header::Source;
use std::net::IpAddr;

/// The most bytes that a reactor looks at.
pub(crate) const LOOKED_AT: usize = proxy_header::HEADER_MOST;

/// The first bytes of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Front {
    Incomplete,
    /// The connection is closed. The text is in the log.
    Fault(String),
    Header(Header),
}

/// A header with the length that is taken from the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) bytes: usize,
    pub(crate) client: Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// The proxy itself.
    Peer,
    Address(IpAddr),
    /// A client of the proxy's Unix socket.
    Unnamed,
}

/// Reads the bytes as a reactor does.
pub(crate) fn read(wire: &[u8]) -> Front {
    match proxy_header::read(&wire[..wire.len().min(LOOKED_AT)]) {
        Ok(None) => Front::Incomplete,
        Err(fault) => Front::Fault(fault.to_string()),
        Ok(Some(header)) => {
            let client = match header.source {
                Source::Peer => Client::Peer,
                Source::Client(address) => address.map_or(Client::Unnamed, Client::Address),
            };
            Front::Header(Header { bytes: header.bytes, client })
        }
    }
}
