//! The sockets of a reactor, over TCP or Unix, and the two system calls of every request: one
//! read, one write.
//!
//! On Linux they go to the kernel directly. The functions of the C library are cancellation
//! points, which adds atomic operations around each call. A reactor's thread is never cancelled,
//! and these two calls are most of the cost of a refused request.

use mio::event::Source;
use mio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Registry, Token};
#[cfg(unix)]
use rustix::net::RecvFlags;
use std::io::{self, IoSlice, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

/// A socket that accepts connections.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    #[cfg(unix)]
    Unix(UnixListener),
}

/// The socket of a connection.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl From<std::net::TcpListener> for Listener {
    fn from(listener: std::net::TcpListener) -> Self {
        Listener::Tcp(TcpListener::from_std(listener))
    }
}

#[cfg(unix)]
impl From<std::os::unix::net::UnixListener> for Listener {
    fn from(listener: std::os::unix::net::UnixListener) -> Self {
        Listener::Unix(UnixListener::from_std(listener))
    }
}

impl Listener {
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        self.source().register(registry, token, Interest::READABLE)
    }

    /// Ends the registration. The kernel does so at the close only if no other process has the
    /// same socket.
    pub(super) fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.source().deregister(registry)
    }

    /// Accepts one connection. The peer of a Unix socket has no address.
    pub(super) fn accept(&self) -> io::Result<(Socket, Option<SocketAddr>)> {
        match self {
            Listener::Tcp(listener) => {
                let (socket, peer) = listener.accept()?;
                Ok((Socket::Tcp(socket), Some(peer)))
            }
            #[cfg(unix)]
            Listener::Unix(listener) => {
                let (socket, _) = listener.accept()?;
                Ok((Socket::Unix(socket), None))
            }
        }
    }

    fn source(&mut self) -> &mut dyn Source {
        match self {
            Listener::Tcp(listener) => listener,
            #[cfg(unix)]
            Listener::Unix(listener) => listener,
        }
    }
}

impl Socket {
    /// Registers both directions.
    pub(super) fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let source: &mut dyn Source = match self {
            Socket::Tcp(socket) => socket,
            #[cfg(unix)]
            Socket::Unix(socket) => socket,
        };
        source.register(registry, token, Interest::READABLE | Interest::WRITABLE)
    }

    /// Switches Nagle's algorithm off: responses are written whole, so it has nothing to gather.
    pub(super) fn set_nodelay(&self) {
        match self {
            Socket::Tcp(socket) => drop(socket.set_nodelay(true)),
            #[cfg(unix)]
            Socket::Unix(_) => {}
        }
    }

    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => receive(socket, buffer),
            #[cfg(unix)]
            Socket::Unix(socket) => receive(socket, buffer),
        }
    }

    /// Reads without taking the bytes: the next read returns them again.
    pub(super) fn peek(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.peek(buffer),
            #[cfg(unix)]
            Socket::Unix(socket) => {
                let (received, _) = rustix::net::recv(socket, buffer, RecvFlags::PEEK)?;
                Ok(received)
            }
        }
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => send(socket, bytes),
            #[cfg(unix)]
            Socket::Unix(socket) => send(socket, bytes),
        }
    }

    pub(super) fn send_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.write_vectored(slices),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.write_vectored(slices),
        }
    }

    /// Makes the close of a TCP socket a reset (RST) in place of a FIN. Bytes that the client has
    /// not received are lost.
    pub(super) fn reset_at_close(&self) {
        match self {
            // Without the option the close is a FIN.
            Socket::Tcp(socket) => {
                drop(socket2::SockRef::from(socket).set_linger(Some(Duration::ZERO)));
            }
            #[cfg(unix)]
            Socket::Unix(_) => {}
        }
    }

    pub(super) fn shutdown(&mut self, how: Shutdown) -> io::Result<()> {
        match self {
            Socket::Tcp(socket) => socket.shutdown(how),
            #[cfg(unix)]
            Socket::Unix(socket) => socket.shutdown(how),
        }
    }
}

#[cfg(target_os = "linux")]
fn receive(socket: impl std::os::fd::AsFd, buffer: &mut [u8]) -> io::Result<usize> {
    let (received, _) = rustix::net::recv(socket, buffer, RecvFlags::empty())?;
    Ok(received)
}

#[cfg(target_os = "linux")]
fn send(socket: impl std::os::fd::AsFd, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, rustix::net::SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
fn receive(mut socket: impl io::Read, buffer: &mut [u8]) -> io::Result<usize> {
    socket.read(buffer)
}

#[cfg(not(target_os = "linux"))]
fn send(mut socket: impl io::Write, bytes: &[u8]) -> io::Result<usize> {
    socket.write(bytes)
}
