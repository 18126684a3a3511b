//! The two system calls of every request: one read, one write.
//!
//! On Linux they go to the kernel directly. The functions of the C library are cancellation
//! points, which adds atomic operations around each call. A reactor's thread is never cancelled,
//! and these two calls are most of the cost of a refused request.

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
