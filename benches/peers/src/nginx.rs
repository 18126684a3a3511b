//! nginx with a configuration and a directory of its own.

use crate::site::Site;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// `@ADDRESS@` is where to listen.
const TEMPLATE: &str = include_str!("../nginx.conf.in");

/// Writes the configuration into the site's directory; gives the words to start nginx with.
pub(crate) fn configure(site: &Site, address: SocketAddr) -> io::Result<Vec<OsString>> {
    let file = site.directory().join("nginx.conf");
    fs::write(&file, TEMPLATE.replace("@ADDRESS@", &address.to_string()))?;
    // -e: the log that is compiled in is opened before the configuration is read.
    let words = ["-e".into(), "stderr".into(), "-p".into(), site.directory().into()];
    Ok(words.into_iter().chain(["-c".into(), file.into()]).collect())
}

/// A free port of this moment: nginx cannot say which one port 0 has become. Should somebody else
/// take it meanwhile, nginx does not start, and says so.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
