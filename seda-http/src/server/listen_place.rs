//! The place of a listener, as one word.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;

/// What precedes the path of a Unix socket.
pub(crate) const UNIX: &str = "unix:";

/// A socket that the parent of this process has opened; a name may follow behind a colon.
const INHERITED: &str = "inherited";

/// The place of a listener. It is written as one word:
///
/// | text | place |
/// | --- | --- |
/// | `127.0.0.1:8080`, `[::]:80` | a TCP address; port 0 takes a free port |
/// | `8080` | this port of 127.0.0.1 |
/// | `unix:/run/site/http.sock` | a Unix socket, for this user and this group |
/// | `inherited` | all sockets that the parent of this process has passed to it |
/// | `inherited:web` | those with this name |
///
/// `[::]` accepts IPv4 clients, too, unless another listener has the same port and an IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum ListenPlace {
    /// A TCP address. Port 0 takes a free port.
    Tcp(SocketAddr),
    /// A Unix socket. The file is made with mode 0660, in place of one that no process listens at,
    /// and is removed at the end.
    Unix(PathBuf),
    /// The listening sockets that the parent has passed by the protocol of systemd (`LISTEN_FDS`,
    /// `LISTEN_PID`, `LISTEN_FDNAMES`): those with this name, or all. At least one has to be there.
    ///
    /// Each socket is taken once in the life of a process. It is not closed for others when the
    /// server ends.
    Inherited(Option<String>),
}

/// A text that is no place to listen at.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`listen` is {text}; allowed: an IP address with a port like 127.0.0.1:8080 or [::]:80, a port \
     of 127.0.0.1, unix:FILE, inherited, or inherited:NAME"
)]
pub struct ListenPlaceError {
    text: String,
}

impl FromStr for ListenPlace {
    type Err = ListenPlaceError;

    fn from_str(text: &str) -> Result<Self, ListenPlaceError> {
        let place = if let Some(path) = text.strip_prefix(UNIX) {
            (!path.is_empty()).then(|| Self::Unix(path.into()))
        } else if let Some(name) = text.strip_prefix(INHERITED) {
            match name.strip_prefix(':') {
                Some(name) => (!name.is_empty()).then(|| Self::Inherited(Some(name.to_owned()))),
                None => name.is_empty().then_some(Self::Inherited(None)),
            }
        } else {
            address(text).map(Self::Tcp)
        };
        place.ok_or_else(|| ListenPlaceError { text: text.to_owned() })
    }
}

impl fmt::Display for ListenPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "{UNIX}{}", path.display()),
            Self::Inherited(None) => f.write_str(INHERITED),
            Self::Inherited(Some(name)) => write!(f, "{INHERITED}:{name}"),
        }
    }
}

impl TryFrom<String> for ListenPlace {
    type Error = ListenPlaceError;

    fn try_from(text: String) -> Result<Self, ListenPlaceError> {
        text.parse()
    }
}

impl From<ListenPlace> for String {
    fn from(place: ListenPlace) -> Self {
        place.to_string()
    }
}

/// Reads an address with a port, or a port on 127.0.0.1.
pub(crate) fn address(text: &str) -> Option<SocketAddr> {
    let port = text.parse().ok().map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    port.or_else(|| text.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_text_and_what_is_allowed() {
        for text in ["", "localhost:80", ":80", "*:80", "1.2.3.4", "70000", "unix:", "inherited:"] {
            let error = text.parse::<ListenPlace>().unwrap_err().to_string();
            let begin = format!("`listen` is {text}; allowed: an IP address with a port like ");
            assert!(error.starts_with(&begin), "{error}");
        }
    }
}
