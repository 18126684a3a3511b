//! The listening sockets of a server and the bounds of their connections.

use super::adopted::Adopted;
use super::config::ServerConfig;
use super::descriptors;
use super::error::{BindError, ConfigError};
use super::inherited;
use super::listen::{Listen, ListenerConfig, check_count};
use super::listen_place::ListenPlace;
use super::socket_file::SocketFile;
use crate::reactor::{BACKLOG, ListenerRules, Listening, PeerList, Settings};
use crate::tls::TlsServer;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

/// The mode of a Unix socket: this user and this group, so that a proxy in that group may connect.
const MODE: u32 = 0o660;

/// The listening sockets, and the bounds of the connections that they accept.
#[derive(Debug)]
pub(crate) struct Listeners {
    pub(super) bound: Vec<Listening>,
    /// The place of each, with the port that replaced port 0.
    pub(super) places: Vec<ListenPlace>,
    /// The files of those at Unix sockets. They are removed when this is dropped.
    pub(super) files: Vec<SocketFile>,
    pub(super) connections: usize,
    /// The most bytes of request bodies.
    pub(super) bodies: usize,
    pub(super) settings: Settings,
    pub(super) trusted_proxies: PeerList,
}

impl Listeners {
    /// Binds and listens to the places of `config`.
    pub(super) fn bind(config: &ServerConfig) -> Result<Self, BindError> {
        let mut listeners = Self::none(config);
        for listener in config.listen.listeners() {
            listeners.add(listener, &config.listen)?;
        }
        Ok(listeners)
    }

    /// Takes these sockets in place of those of `config`, with the rules of its only listener.
    pub(super) fn adopt(
        config: &ServerConfig,
        sockets: impl IntoIterator<Item = io::Result<Adopted>>,
    ) -> Result<Self, BindError> {
        let rules = match config.listen.of_given_sockets()? {
            Some(listener) => rules_of(listener)?,
            None => Arc::default(),
        };
        let mut listeners = Self::none(config);
        for (index, socket) in sockets.into_iter().enumerate() {
            let socket = socket.map_err(|source| BindError::Socket { index, source })?;
            listeners.push(socket, true, &rules);
        }
        Ok(listeners)
    }

    fn none(config: &ServerConfig) -> Self {
        descriptors::provide(config.connections);
        Self {
            bound: Vec::new(),
            places: Vec::new(),
            files: Vec::new(),
            connections: config.connections,
            bodies: config.bodies,
            settings: config.settings.clone(),
            trusted_proxies: config.trusted_proxies.clone(),
        }
    }

    /// Listens at the place of `listener`, one of `all`.
    fn add(&mut self, listener: &ListenerConfig, all: &Listen) -> Result<(), BindError> {
        let rules = rules_of(listener)?;
        match &listener.at {
            ListenPlace::Tcp(address) => {
                let socket = bind_tcp(*address, is_v6_alone(*address, all));
                self.push(socket.map_err(|source| tcp_error(*address, source))?, false, &rules);
            }
            ListenPlace::Unix(path) => {
                let (socket, file) = bind_unix(path)?;
                self.push(socket, false, &rules);
                self.files.push(file);
            }
            ListenPlace::Inherited(name) => {
                let sockets =
                    inherited::take(name.as_deref()).map_err(|fault| BindError::Inherited {
                        place: listener.at.to_string(),
                        fault: fault.to_string(),
                    })?;
                sockets.into_iter().for_each(|socket| self.push(socket, true, &rules));
            }
        }
        Ok(())
    }

    /// Checks the number of sockets: `inherited` stands for any number.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let count = self.bound.len();
        check_count(count, || format!("{count} sockets"))
    }

    fn push(&mut self, socket: Adopted, is_shared: bool, rules: &Arc<ListenerRules>) {
        let Adopted { listener, place } = socket;
        self.bound.push(Listening { socket: listener, is_shared, rules: Arc::clone(rules) });
        self.places.push(place);
    }

    /// Returns the first TCP address; `0.0.0.0:0` if there is none.
    pub(super) fn local_addr(&self) -> SocketAddr {
        local_addr(&self.places)
    }

    /// Returns true if only this machine reaches the server, and no proxy is known to pass requests
    /// of others on.
    pub(super) fn is_private(&self) -> bool {
        let is_loopback = |place: &ListenPlace| match place {
            ListenPlace::Tcp(address) => address.ip().to_canonical().is_loopback(),
            ListenPlace::Unix(_) | ListenPlace::Inherited(_) => false,
        };
        let has_proxy = self.bound.iter().any(|it| it.rules.proxy_protocol.is_some());
        self.places.iter().all(is_loopback) && !has_proxy && self.trusted_proxies.is_empty()
    }
}

/// Returns the rules for the connections of a listener.
fn rules_of(listener: &ListenerConfig) -> Result<Arc<ListenerRules>, BindError> {
    let proxy_protocol = listener.proxy_protocol.clone();
    Ok(Arc::new(ListenerRules { proxy_protocol, tls: encryption(listener)? }))
}

/// Returns the encryption of a listener, and reads its certificates; `None` if it has none.
fn encryption(_listener: &ListenerConfig) -> Result<Option<TlsServer>, BindError> {
    #[cfg(feature = "tls")]
    if let Some(config) = &_listener.tls {
        return Ok(Some(TlsServer::load(config)?));
    }
    Ok(None)
}

/// Returns the first TCP address; `0.0.0.0:0` if there is none.
pub(super) fn local_addr(places: &[ListenPlace]) -> SocketAddr {
    let mut addresses = places.iter().filter_map(|place| match place {
        ListenPlace::Tcp(address) => Some(*address),
        _ => None,
    });
    addresses.next().unwrap_or(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
}

/// Returns true if an IPv6 socket at `address` must not accept IPv4 clients, because another
/// listener has an IPv4 address with the same port.
fn is_v6_alone(address: SocketAddr, all: &Listen) -> bool {
    let is_v4 = |listener: &ListenerConfig| match listener.at {
        ListenPlace::Tcp(other) => other.is_ipv4() && other.port() == address.port(),
        _ => false,
    };
    address.is_ipv6() && address.port() != 0 && all.listeners().iter().any(is_v4)
}

fn tcp_error(address: SocketAddr, source: io::Error) -> BindError {
    match source.kind() {
        ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Address { address, source },
    }
}

fn bind_tcp(address: SocketAddr, is_v6_alone: bool) -> io::Result<Adopted> {
    let socket = tcp_socket(address)?;
    if is_v6_alone {
        socket.set_only_v6(true)?;
    }
    let listener = listen_at(socket, address)?;
    let address = listener.local_addr()?;
    Ok(Adopted { listener: listener.into(), place: ListenPlace::Tcp(address) })
}

fn bind_unix(path: &Path) -> Result<(Adopted, SocketFile), BindError> {
    match SocketFile::listen(path, MODE, BACKLOG.into()) {
        Ok((listener, file)) => {
            Ok((Adopted { listener, place: ListenPlace::Unix(path.to_owned()) }, file))
        }
        Err(source) => Err(BindError::Unix { path: path.to_owned(), source }),
    }
}

/// Returns a non-blocking socket that listens at `address`.
pub(super) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    listen_at(tcp_socket(address)?, address)
}

fn tcp_socket(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
}

fn listen_at(socket: Socket, address: SocketAddr) -> io::Result<TcpListener> {
    // A restarted server must not wait until the kernel forgets its predecessor's connections. On
    // Windows the option would share the port with another process.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG.into())?;
    Ok(socket.into())
}
