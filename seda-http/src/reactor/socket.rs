//! The two calls that every request takes: one read, one write.
//!
//! On Linux they go to the kernel directly. The C library's are points where a thread may be
//! cancelled, which takes atomic operations around each; nobody cancels a reactor, and for a request
//! that is refused these calls are most of what it costs.

use mio::net::TcpStream;
use std::io;

#[cfg(target_os = "linux")]
pub(super) fn receive(socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    let (received, _) = rustix::net::recv(socket, buffer, rustix::net::RecvFlags::empty())?;
    Ok(received)
}

#[cfg(target_os = "linux")]
pub(super) fn send(socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(socket, bytes, rustix::net::SendFlags::NOSIGNAL)?)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn receive(mut socket: &TcpStream, buffer: &mut [u8]) -> io::Result<usize> {
    io::Read::read(&mut socket, buffer)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn send(mut socket: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    io::Write::write(&mut socket, bytes)
}
