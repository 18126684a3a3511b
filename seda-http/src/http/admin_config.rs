//! The settings of the admin side: where its pages are, and the probes.

use crate::server::{ConfigError, UNIX, address};
use seda_admin::{AdminAccess, AdminPath};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use thiserror::Error;

/// The settings of the admin side.
///
/// ```
/// use seda_http::{AdminPlace, HttpConfig};
///
/// let mut config = HttpConfig::default();
/// config.admin.at = "127.0.0.1:9090".parse()?;
/// config.admin.probes = false;
///
/// // The same from a file.
/// let file = r#"{ "admin": { "at": "127.0.0.1:9090", "probes": false } }"#;
/// assert_eq!(serde_json::from_str::<HttpConfig>(file)?, config);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminConfig {
    /// The place of report and graph. Default [`AdminPlace::Auto`]: nothing is shown to other
    /// machines unless the operator decides otherwise.
    pub at: AdminPlace,
    /// True if the public listener answers `/livez` and `/readyz` itself. They pass no queue and
    /// no gate, so an overloaded server is not restarted for being busy.
    ///
    /// Default true. A program with such routes of its own sets it to false and gets these
    /// requests like all others; a listener of the admin side answers them in any case.
    pub probes: bool,
    /// The names, without a port, under which `auto` and a TCP listener show the pages besides IP
    /// addresses and `localhost`. Default none.
    ///
    /// A scraper that knows the server by name needs it, such as `web` in a composed network.
    pub hosts: Vec<String>,
}

/// The place of report and graph. It is written as one word:
///
/// | text | place |
/// | --- | --- |
/// | `auto` | `/_seda` if `listen` has loopback addresses alone and no proxy is set, else `off` |
/// | `off` | nowhere |
/// | `/internal/status` | below this path of the public listener |
/// | `127.0.0.1:9090`, or `9090` | a listener of its own; a port alone is on 127.0.0.1 |
/// | `unix:/run/site/admin.sock` | a listener of its own at a Unix socket, for this user only |
///
/// A listener of its own has a thread of its own, and shows the pages below `/_seda`. It accepts
/// 128 connections, however many the public listener holds.
///
/// Loopback is not private: by DNS rebinding a web page in a browser on this machine can reach it.
/// So `auto` and a TCP listener show the pages only to requests whose Host is an IP address,
/// `localhost` or one of [`AdminConfig::hosts`], and answer 421 to others. Under a path that the
/// program has chosen the Host is not checked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[non_exhaustive]
pub enum AdminPlace {
    /// `/_seda` on the public listeners if all are on loopback addresses, and the settings name no
    /// proxy that passes on requests of others; else nowhere.
    #[default]
    Auto,
    /// Nowhere.
    Off,
    /// Below this path of the public listener.
    Path(AdminPath),
    /// At a TCP listener of its own. Port 0 takes a free port.
    Tcp(SocketAddr),
    /// At a listener of its own at a Unix socket. The file is made with mode 0600, in place of one
    /// that no process listens at, and is removed at the end.
    Unix(PathBuf),
}

/// A text that is no place for the admin side.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`admin.at` is {text}; allowed: auto, off, a path like /_seda (of A-Z a-z 0-9 - . _ ~), an \
     address like 127.0.0.1:9090, a port, or unix:FILE"
)]
pub struct AdminPlaceError {
    text: String,
}

impl Default for AdminConfig {
    fn default() -> Self {
        Self { at: AdminPlace::Auto, probes: true, hosts: Vec::new() }
    }
}

impl AdminConfig {
    /// Fails with the first of `hosts` that no Host can be equal to.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.hosts.iter().find(|name| !is_name(name)) {
            None => Ok(()),
            Some(name) => Err(ConfigError::OutOfRange {
                key: "admin.hosts",
                value: name.clone(),
                allowed: "names of A-Z a-z 0-9 - . _ without a port, like status.internal".into(),
            }),
        }
    }

    /// Returns the part of the admin side that the public listener shows. `is_loopback` is true if
    /// only this machine reaches it.
    pub(super) fn public_access(&self, is_loopback: bool) -> AdminAccess {
        let closed = AdminAccess::closed();
        let access = if self.probes { closed.with_probes() } else { closed };
        match &self.at {
            AdminPlace::Auto if is_loopback => {
                access.with_pages(AdminPath::default()).for_hosts(self.hosts.clone())
            }
            AdminPlace::Path(path) => access.with_pages(path.clone()),
            AdminPlace::Auto | AdminPlace::Off | AdminPlace::Tcp(_) | AdminPlace::Unix(_) => access,
        }
    }
}

impl AdminPlace {
    /// Returns this place, with the one that [`AdminPlace::Auto`] means.
    pub(super) fn resolved(&self, is_loopback: bool) -> Self {
        match self {
            AdminPlace::Auto if is_loopback => AdminPlace::Path(AdminPath::default()),
            AdminPlace::Auto => AdminPlace::Off,
            place => place.clone(),
        }
    }
}

impl FromStr for AdminPlace {
    type Err = AdminPlaceError;

    fn from_str(text: &str) -> Result<Self, AdminPlaceError> {
        let place = match text {
            "auto" => Some(AdminPlace::Auto),
            "off" => Some(AdminPlace::Off),
            _ if text.starts_with('/') => text.parse().ok().map(AdminPlace::Path),
            _ => match text.strip_prefix(UNIX) {
                Some(path) => (!path.is_empty()).then(|| AdminPlace::Unix(path.into())),
                None => address(text).map(AdminPlace::Tcp),
            },
        };
        place.ok_or_else(|| AdminPlaceError { text: text.to_owned() })
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._".contains(&byte)
}

impl fmt::Display for AdminPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AdminPlace::Auto => f.write_str("auto"),
            AdminPlace::Off => f.write_str("off"),
            AdminPlace::Path(path) => path.fmt(f),
            AdminPlace::Tcp(address) => address.fmt(f),
            AdminPlace::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl TryFrom<String> for AdminPlace {
    type Error = AdminPlaceError;

    fn try_from(text: String) -> Result<Self, AdminPlaceError> {
        text.parse()
    }
}

impl From<AdminPlace> for String {
    fn from(place: AdminPlace) -> Self {
        place.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_one_word_and_is_written_as_it_is_read() {
        let places = ["auto", "off", "/_seda", "/a/b", "[::1]:9090", "unix:/run/a.sock"];
        for text in places {
            assert_eq!(text.parse::<AdminPlace>().unwrap().to_string(), text);
        }
        assert_eq!(
            "9090".parse(),
            Ok::<_, AdminPlaceError>(AdminPlace::Tcp(address("127.0.0.1:9090").unwrap()))
        );
        for text in ["", "on", "_seda", "/", "/a/", "unix:", "localhost:9090", "70000", "1.2.3.4"] {
            let error = text.parse::<AdminPlace>().unwrap_err().to_string();
            assert!(error.starts_with(&format!("`admin.at` is {text}; allowed: auto, off, ")));
        }
    }

    #[test]
    fn a_listed_host_that_no_request_can_have_is_an_error() {
        let hosts = vec!["web".to_owned(), "status.internal".to_owned()];
        let mut config = AdminConfig { hosts, ..AdminConfig::default() };
        assert_eq!(config.check(), Ok(()));
        config.hosts.push("web:9090".to_owned());
        let error = config.check().unwrap_err().to_string();
        assert!(error.starts_with("`admin.hosts` is web:9090; allowed: names of "), "{error}");
    }

    #[test]
    fn without_a_setting_only_this_machine_sees_the_report_and_all_see_the_probes() {
        let config = AdminConfig::default();
        let (local, public) = (config.public_access(true), config.public_access(false));
        assert!(local.takes("/_seda/report") && local.takes("/livez") && local.takes("/readyz"));
        assert!(
            !public.takes("/_seda/report") && public.takes("/livez") && public.takes("/readyz")
        );
        assert_eq!(config.at.resolved(true).to_string(), "/_seda");
        assert_eq!(config.at.resolved(false), AdminPlace::Off);
    }
}
