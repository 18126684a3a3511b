//! The listening sockets that the parent of this process has passed to it.

use super::adopted::Adopted;
use std::io;
use thiserror::Error;

/// The reason why a socket of the parent is no listener of this process.
#[derive(Debug, Error)]
pub(super) enum InheritFault {
    /// There is none.
    #[error(
        "the parent of this process has passed no such socket (LISTEN_FDS has {passed}); name one \
         of `LISTEN_FDNAMES`, or see that LISTEN_PID, if set, is the id of this process"
    )]
    Missing {
        /// The sockets that are left.
        passed: String,
    },
    /// It is no listening stream socket.
    #[error("socket {index} of LISTEN_FDS: {source}; pass a listening stream socket")]
    Unfit {
        /// The number of the socket, from 0 on.
        index: usize,
        /// The reason.
        source: io::Error,
    },
}

#[cfg(not(unix))]
pub(super) fn take(_name: Option<&str>) -> Result<Vec<Adopted>, InheritFault> {
    Err(InheritFault::Missing { passed: "no meaning on this system".to_owned() })
}

#[cfg(unix)]
pub(super) use self::unix::take;

#[cfg(unix)]
mod unix {
    use super::{Adopted, InheritFault, io};
    use listenfd::ListenFd;
    use parking_lot::Mutex;
    use std::os::fd::OwnedFd;
    use std::sync::LazyLock;

    /// The name of a socket without one, as systemd has it.
    const UNNAMED: &str = "unknown";

    /// The sockets of the process that no server has taken. The environment is read once, because
    /// it belongs to the process and names each socket for one owner.
    static PASSED: LazyLock<Mutex<Passed>> = LazyLock::new(|| Mutex::new(Passed::from_env()));

    struct Passed {
        sockets: ListenFd,
        /// The name of each, and whether it was taken.
        names: Vec<(String, bool)>,
    }

    impl Passed {
        fn from_env() -> Self {
            let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
            let sockets = ListenFd::from_env();
            let names = names.split(':').map(str::to_owned).chain(std::iter::repeat(String::new()));
            let names = names.take(sockets.len()).map(|name| match name.as_str() {
                "" => (UNNAMED.to_owned(), false),
                _ => (name, false),
            });
            Self { names: names.collect(), sockets }
        }

        /// Takes the socket with this index.
        fn take(&mut self, index: usize) -> io::Result<Option<Adopted>> {
            let socket = match self.sockets.take_tcp_listener(index) {
                Ok(socket) => socket.map(OwnedFd::from),
                Err(_) => self.sockets.take_unix_listener(index)?.map(OwnedFd::from),
            };
            socket.map(Adopted::new).transpose()
        }

        fn left(&self) -> String {
            let left = self.names.iter().filter(|(_, is_taken)| !is_taken);
            let left: Vec<_> = left.map(|(name, _)| name.as_str()).collect();
            if left.is_empty() { "none".to_owned() } else { left.join(", ") }
        }
    }

    /// Takes the sockets with this name, or all; at least one.
    pub(in super::super) fn take(name: Option<&str>) -> Result<Vec<Adopted>, InheritFault> {
        let mut passed = PASSED.lock();
        let mut taken = Vec::new();
        for index in 0..passed.names.len() {
            let Some((its_name, is_taken)) = passed.names.get_mut(index) else { continue };
            if *is_taken || name.is_some_and(|name| name != its_name) {
                continue;
            }
            *is_taken = true;
            let socket = passed.take(index);
            taken.extend(socket.map_err(|source| InheritFault::Unfit { index, source })?);
        }
        if taken.is_empty() {
            return Err(InheritFault::Missing { passed: passed.left() });
        }
        Ok(taken)
    }
}
