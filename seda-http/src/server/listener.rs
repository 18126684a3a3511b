//! The listening socket and the bounds of its connections.

use super::config::ServerConfig;
use super::descriptors;
use super::error::BindError;
use crate::reactor::{Listener, Settings};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};

/// Connections that the kernel keeps until they are accepted: 50 ms of a flood of 20,000
/// connections a second. Kernels lower it to their own bound.
const BACKLOG: i32 = 1024;

/// A listening socket, and the bounds of the connections that it accepts.
#[derive(Debug)]
pub(crate) struct ListenerConfig {
    pub(super) listener: Listener,
    pub(super) local_addr: SocketAddr,
    pub(super) connections: usize,
    /// The most bytes of request bodies.
    pub(super) bodies: usize,
    pub(super) settings: Settings,
}

impl ListenerConfig {
    /// Binds and listens to the address of `config`.
    pub(super) fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        descriptors::provide(config.connections);
        let address = config.listen;
        let listener = listen(address).map_err(|source| bind_error(address, source))?;
        let local_addr = listener.local_addr().map_err(|source| bind_error(address, source))?;
        let settings = config.settings.clone();
        let ServerConfig { connections, bodies, .. } = *config;
        Ok(Self { listener: listener.into(), local_addr, connections, bodies, settings })
    }
}

fn bind_error(address: SocketAddr, source: io::Error) -> BindError {
    match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Address { address, source },
    }
}

/// Returns a non-blocking socket that listens at `address`.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // A restarted server must not wait until the kernel forgets its predecessor's connections. On
    // Windows the option would share the port with another process.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
