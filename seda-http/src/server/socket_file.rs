//! The file of a Unix socket.

use crate::reactor::Listener;
use std::io;
use std::path::Path;

#[cfg(unix)]
pub(super) use self::unix::SocketFile;

/// There are no such files on this system.
#[cfg(not(unix))]
#[derive(Debug)]
pub(super) enum SocketFile {}

#[cfg(not(unix))]
impl SocketFile {
    /// Fails with [`io::ErrorKind::Unsupported`].
    pub(super) fn listen(_path: &Path, _mode: u32, _backlog: i32) -> io::Result<(Listener, Self)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

#[cfg(unix)]
mod unix {
    use super::{Listener, Path, io};
    use socket2::{Domain, SockAddr, Socket, Type};
    use std::fs::{self, Permissions};
    use std::io::ErrorKind;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::path::PathBuf;

    /// The file of a listening Unix socket. It is removed when this is dropped, unless another
    /// process has replaced it.
    #[derive(Debug)]
    pub(in super::super) struct SocketFile {
        path: PathBuf,
        /// Device and inode.
        identity: (u64, u64),
    }

    impl SocketFile {
        /// Listens at `path`, and returns the file with this mode. A socket that no process listens
        /// at is replaced: a server that was killed leaves one. Other files are not.
        pub(in super::super) fn listen(
            path: &Path,
            mode: u32,
            backlog: i32,
        ) -> io::Result<(Listener, Self)> {
            if is_left_behind(path) {
                fs::remove_file(path)?;
            }
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            socket.bind(&SockAddr::unix(path)?)?;
            // No client connects before the mode is set, because the socket does not listen yet.
            fs::set_permissions(path, Permissions::from_mode(mode))?;
            let file = Self { path: path.to_owned(), identity: identity(path)? };
            socket.listen(backlog)?;
            Ok((UnixListener::from(OwnedFd::from(socket)).into(), file))
        }
    }

    impl Drop for SocketFile {
        fn drop(&mut self) {
            if identity(&self.path).is_ok_and(|identity| identity == self.identity) {
                // Without the right to remove it, it stays and is replaced by the next server.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        let metadata = fs::symlink_metadata(path)?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Returns true for a socket that no process listens at.
    fn is_left_behind(path: &Path) -> bool {
        let metadata = fs::symlink_metadata(path);
        metadata.is_ok_and(|metadata| metadata.file_type().is_socket())
            && UnixStream::connect(path)
                .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    }
}
