//! The listeners of a server, as a settings file has them.

use super::error::ConfigError;
use super::listen_place::{ListenPlace, ListenPlaceError};
use crate::reactor::{LISTENERS_MOST, PeerList};
#[cfg(feature = "tls")]
use crate::tls::{TlsConfig, TlsError};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

/// What a settings file may have in place of an address.
const EXPECTED: &str = "an address like \"127.0.0.1:8080\", \"unix:FILE\" or \"inherited\", a table \
                        with the key `at`, or a list of these";

/// The listeners of a server, 1 to 64. In a settings file it is one place or a list:
///
/// ```toml
/// listen = "127.0.0.1:8080"
/// listen = ["0.0.0.0:80", "[::]:80", "unix:/run/site/http.sock"]
/// listen = [{ at = "10.0.0.2:8080", proxy_protocol = ["10.0.0.0/8"] }, "127.0.0.1:8081"]
/// ```
///
/// Connections of all listeners share the bounds of the server.
///
/// ```
/// use seda_http::{HttpConfig, ListenPlace, ListenerConfig, PeerList};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut config = HttpConfig::default();
/// // One address.
/// config.listen = ([127, 0, 0, 1], 0).into();
/// config.listen = "[::1]:8080".parse()?;
/// // Several listeners, one of them behind a proxy.
/// let mut proxied = ListenerConfig::at("10.0.0.2:8080".parse()?);
/// proxied.proxy_protocol = Some(PeerList::new(["10.0.0.0/8"])?);
/// config.listen = [proxied, "127.0.0.1:8081".parse()?].into_iter().collect();
/// assert_eq!(config.listen.listeners().len(), 2);
///
/// let file = r#"{ "listen": [
///     { "at": "10.0.0.2:8080", "proxy_protocol": ["10.0.0.0/8"] }, "127.0.0.1:8081"
/// ] }"#;
/// assert_eq!(serde_json::from_str::<HttpConfig>(file)?, config);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "Written")]
pub struct Listen {
    listeners: Vec<ListenerConfig>,
}

/// One listener: its place, and what holds for its connections alone.
///
/// In a settings file it is the text of its place, or a table with the key `at`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(into = "WrittenListener")]
#[non_exhaustive]
pub struct ListenerConfig {
    /// The place.
    pub at: ListenPlace,
    /// The proxies that may connect, each of which sends a header of the PROXY protocol, version 1
    /// or 2, in front of all other bytes. The header names the client.
    ///
    /// Default `None`: every peer may connect, and a header is not expected. With a list the header
    /// is mandatory, because without it a client could send its own; and a peer that is not listed
    /// is closed and counted in [`ServerCounts::refused_proxies`](crate::ServerCounts).
    pub proxy_protocol: Option<PeerList>,
    /// The encryption of its connections with TLS 1.2 or 1.3, and its certificates. With a proxy
    /// that sends a header, it begins behind the header.
    ///
    /// Default `None`: no encryption.
    #[cfg(feature = "tls")]
    pub tls: Option<TlsConfig>,
}

impl Listen {
    /// Returns the listeners, in the order of the settings.
    pub fn listeners(&self) -> &[ListenerConfig] {
        &self.listeners
    }

    /// Sets the port of every TCP address. 0 takes a free port for each, as tests need it.
    pub fn set_port(&mut self, port: u16) {
        for listener in &mut self.listeners {
            if let ListenPlace::Tcp(address) = &mut listener.at {
                address.set_port(port);
            }
        }
    }

    /// Returns the only listener: its settings hold for all sockets that the program gives. `None`
    /// if there are several, and none has settings of its own.
    ///
    /// # Errors
    /// One of several has settings of its own.
    pub(super) fn of_given_sockets(&self) -> Result<Option<&ListenerConfig>, ConfigError> {
        if let [listener] = self.listeners.as_slice() {
            return Ok(Some(listener));
        }
        let Some(listener) = self.listeners.iter().find(|listener| listener.has_rules()) else {
            return Ok(None);
        };
        let (count, at) = (self.listeners.len(), &listener.at);
        Err(ConfigError::OutOfRange {
            key: "listen",
            value: format!("a list of {count} listeners, with settings for {at} alone"),
            allowed: "one listener; its settings hold for all sockets of the program".to_owned(),
        })
    }

    /// Checks the number of listeners, that each accepts from some peer, and the number of its
    /// certificates.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let count = self.listeners.len();
        check_count(count, || format!("a list of {count} listeners"))?;
        let is_empty = |listener: &&ListenerConfig| {
            listener.proxy_protocol.as_ref().is_some_and(PeerList::is_empty)
        };
        if let Some(listener) = self.listeners.iter().find(is_empty) {
            let value = format!("an empty list at {}", listener.at);
            let allowed = "the addresses or networks of the proxies, or no such key".to_owned();
            return Err(ConfigError::OutOfRange { key: "listen.proxy_protocol", value, allowed });
        }
        #[cfg(feature = "tls")]
        for listener in &self.listeners {
            let checked = listener.tls.as_ref().map_or(Ok(()), TlsConfig::check);
            if let Err(TlsError::Number { number, most }) = checked {
                let value = format!("a list of {number} certificates at {}", listener.at);
                let allowed = format!("1 to {most}");
                let key = "listen.tls.certificates";
                return Err(ConfigError::OutOfRange { key, value, allowed });
            }
        }
        Ok(())
    }
}

/// Checks a number of listeners, which an error calls `value`.
pub(super) fn check_count(count: usize, value: impl FnOnce() -> String) -> Result<(), ConfigError> {
    if (1..=LISTENERS_MOST).contains(&count) {
        return Ok(());
    }
    let allowed = format!("1 to {LISTENERS_MOST}");
    Err(ConfigError::OutOfRange { key: "listen", value: value(), allowed })
}

impl ListenerConfig {
    /// Returns a listener at this place, without a proxy in front of it and without encryption.
    pub fn at(place: ListenPlace) -> Self {
        Self {
            at: place,
            proxy_protocol: None,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// Returns true if it has more settings than its place.
    fn has_rules(&self) -> bool {
        *self != Self::at(self.at.clone())
    }
}

impl FromIterator<ListenerConfig> for Listen {
    fn from_iter<I: IntoIterator<Item = ListenerConfig>>(listeners: I) -> Self {
        Self { listeners: listeners.into_iter().collect() }
    }
}

impl From<ListenerConfig> for Listen {
    fn from(listener: ListenerConfig) -> Self {
        Self { listeners: vec![listener] }
    }
}

impl From<ListenPlace> for Listen {
    fn from(place: ListenPlace) -> Self {
        ListenerConfig::at(place).into()
    }
}

impl From<SocketAddr> for Listen {
    fn from(address: SocketAddr) -> Self {
        ListenPlace::Tcp(address).into()
    }
}

impl<A: Into<IpAddr>> From<(A, u16)> for Listen {
    fn from(address: (A, u16)) -> Self {
        SocketAddr::from(address).into()
    }
}

impl FromStr for Listen {
    type Err = ListenPlaceError;

    /// Reads one place.
    fn from_str(text: &str) -> Result<Self, ListenPlaceError> {
        text.parse().map(ListenPlace::into)
    }
}

impl FromStr for ListenerConfig {
    type Err = ListenPlaceError;

    fn from_str(text: &str) -> Result<Self, ListenPlaceError> {
        text.parse().map(Self::at)
    }
}

/// The table of a listener in a settings file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    at: ListenPlace,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proxy_protocol: Option<PeerList>,
    #[cfg(feature = "tls")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tls: Option<TlsConfig>,
}

impl From<Table> for ListenerConfig {
    fn from(table: Table) -> Self {
        Self {
            at: table.at,
            proxy_protocol: table.proxy_protocol,
            #[cfg(feature = "tls")]
            tls: table.tls,
        }
    }
}

impl From<ListenerConfig> for Table {
    fn from(listener: ListenerConfig) -> Self {
        Self {
            at: listener.at,
            proxy_protocol: listener.proxy_protocol,
            #[cfg(feature = "tls")]
            tls: listener.tls,
        }
    }
}

/// A listener as it is written: without settings of its own it is one word.
#[derive(Serialize)]
#[serde(untagged)]
enum WrittenListener {
    Place(ListenPlace),
    Table(Table),
}

impl From<ListenerConfig> for WrittenListener {
    fn from(listener: ListenerConfig) -> Self {
        if listener.has_rules() { Self::Table(listener.into()) } else { Self::Place(listener.at) }
    }
}

/// The listeners as they are written: one without a list.
#[derive(Serialize)]
#[serde(untagged)]
enum Written {
    One(ListenerConfig),
    Several(Vec<ListenerConfig>),
}

impl From<Listen> for Written {
    fn from(Listen { mut listeners }: Listen) -> Self {
        match listeners.pop() {
            Some(listener) if listeners.is_empty() => Self::One(listener),
            last => {
                listeners.extend(last);
                Self::Several(listeners)
            }
        }
    }
}

impl<'de> Deserialize<'de> for Listen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListenVisitor)
    }
}

impl<'de> Deserialize<'de> for ListenerConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListenerVisitor)
    }
}

/// Reads one listener.
struct ListenerVisitor;

impl<'de> Visitor<'de> for ListenerVisitor {
    type Value = ListenerConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ListenerConfig, E> {
        text.parse().map_err(E::custom)
    }

    /// Reads a port of 127.0.0.1 that is written as a number.
    fn visit_u64<E: de::Error>(self, port: u64) -> Result<ListenerConfig, E> {
        self.visit_str(&port.to_string())
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<ListenerConfig, E> {
        self.visit_str(&port.to_string())
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<ListenerConfig, M::Error> {
        Table::deserialize(MapAccessDeserializer::new(map)).map(ListenerConfig::from)
    }
}

/// Reads one listener, or a list.
struct ListenVisitor;

impl<'de> Visitor<'de> for ListenVisitor {
    type Value = Listen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(EXPECTED)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Listen, E> {
        ListenerVisitor.visit_str(text).map(Listen::from)
    }

    fn visit_u64<E: de::Error>(self, port: u64) -> Result<Listen, E> {
        ListenerVisitor.visit_u64(port).map(Listen::from)
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<Listen, E> {
        ListenerVisitor.visit_i64(port).map(Listen::from)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Listen, M::Error> {
        ListenerVisitor.visit_map(map).map(Listen::from)
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Listen, S::Error> {
        let listeners = std::iter::from_fn(|| list.next_element().transpose());
        listeners.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Listen {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn one_place_or_a_list_is_written_as_it_is_read() {
        for json in [
            r#""127.0.0.1:8080""#,
            r#""[::]:80""#,
            r#""unix:/run/a.sock""#,
            r#""inherited""#,
            r#""inherited:web""#,
            r#"["0.0.0.0:80","unix:/run/a.sock"]"#,
            r#"[{"at":"0.0.0.0:80","proxy_protocol":["10.0.0.0/8"]},"inherited"]"#,
            r#"{"at":"unix:/run/a.sock","proxy_protocol":["unix:"]}"#,
        ] {
            assert_eq!(serde_json::to_string(&read(json)).unwrap(), json);
        }
        // A port, in two forms; a table or a list with one place.
        let place = Listen::from(([127, 0, 0, 1], 8080));
        for json in [r#""8080""#, "8080", r#"{"at":"8080"}"#, r#"["8080"]"#, "[8080]"] {
            assert_eq!(read(json), place);
        }
    }

    #[test]
    fn an_error_names_what_is_wrong_and_what_is_allowed() {
        for (json, fault) in [
            (r#"{"at":"80","mode":1}"#, "unknown field `mode`, expected "),
            (r#"{"proxy_protocol":[]}"#, "missing field `at`"),
            ("true", "expected an address like \"127.0.0.1:8080\", \"unix:FILE\" or \"inherited\""),
            ("[true]", "expected an address like \"127.0.0.1:8080\""),
            ("-1", "`listen` is -1; allowed: "),
            (r#"{"at":"80","proxy_protocol":["10.0.0.1/8"]}"#, "`10.0.0.1/8` is no peer: "),
        ] {
            let error = serde_json::from_str::<Listen>(json).unwrap_err().to_string();
            assert!(error.contains(fault), "{error}");
        }
    }

    #[test]
    fn no_listener_too_many_and_a_proxy_list_without_a_proxy_are_errors() {
        let error = |json| read(json).check().unwrap_err().to_string();
        assert_eq!(error("[]"), "`listen` is a list of 0 listeners; allowed: 1 to 64");
        let many: Listen = (0..65).map(|_| "0".parse::<ListenerConfig>().unwrap()).collect();
        assert!(many.check().unwrap_err().to_string().contains("65 listeners; allowed: 1 to 64"));
        assert_eq!(
            error(r#"{"at":"80","proxy_protocol":[]}"#),
            "`listen.proxy_protocol` is an empty list at 127.0.0.1:80; allowed: the addresses or \
             networks of the proxies, or no such key"
        );
    }

    #[cfg(feature = "tls")]
    #[test]
    fn no_certificates_and_too_many_are_errors() {
        let of_files = |number: usize| {
            let files = vec![r#"{"chain":"a.pem","key":"a.key.pem"}"#; number].join(",");
            read(&format!(r#"["81",{{"at":"80","tls":{{"certificates":[{files}]}}}}]"#)).check()
        };
        assert_eq!((of_files(1), of_files(64)), (Ok(()), Ok(())));
        for number in [0, 65] {
            assert_eq!(
                of_files(number).unwrap_err().to_string(),
                format!(
                    "`listen.tls.certificates` is a list of {number} certificates at \
                     127.0.0.1:80; allowed: 1 to 64"
                )
            );
        }
    }
}
