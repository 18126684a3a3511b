//! A listening socket that another part of the program, or another process, has opened.

use super::listen_place::ListenPlace;
use crate::reactor::Listener;

/// A listening socket with its place: a TCP address, or the file of a Unix socket.
#[derive(Debug)]
pub(super) struct Adopted {
    pub(super) listener: Listener,
    pub(super) place: ListenPlace,
}

#[cfg(unix)]
mod unix {
    use super::{Adopted, ListenPlace, Listener};
    use socket2::{Domain, Socket, Type};
    use std::io::{self, ErrorKind};
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixListener;

    impl Adopted {
        /// Takes a listening TCP or Unix stream socket, and makes it non-blocking: for all that
        /// share it.
        ///
        /// # Errors
        /// It is another descriptor; the message says of which kind.
        pub(in super::super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
            let unfit = |fault| io::Error::new(ErrorKind::InvalidInput, fault);
            let socket = Socket::from(descriptor);
            let kind = socket.r#type().map_err(|_| unfit("it is no socket"))?;
            if kind != Type::STREAM {
                return Err(unfit("it is a datagram socket; a server needs a stream"));
            }
            let address = socket.local_addr()?;
            if !is_listening(&socket) {
                return Err(unfit("it is a socket that does not listen"));
            }
            socket.set_nonblocking(true)?;
            if let Some(address) = address.as_socket() {
                let listener = Listener::from(TcpListener::from(socket));
                return Ok(Self { listener, place: ListenPlace::Tcp(address) });
            }
            if address.domain() != Domain::UNIX {
                return Err(unfit("it is neither a TCP nor a Unix socket"));
            }
            let path = address.as_pathname().map(Into::into).unwrap_or_default();
            let listener = Listener::from(UnixListener::from(OwnedFd::from(socket)));
            Ok(Self { listener, place: ListenPlace::Unix(path) })
        }
    }

    /// Returns false for a socket that is bound or connected. Apple's systems cannot tell.
    fn is_listening(socket: &Socket) -> bool {
        #[cfg(not(target_vendor = "apple"))]
        let listens = rustix::net::sockopt::socket_acceptconn(socket).unwrap_or(false);
        #[cfg(target_vendor = "apple")]
        let listens = socket.peer_addr().is_err();
        listens
    }
}
