//! nginx with a configuration and a directory of its own.

use crate::site::Site;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// `@ADDRESS@` stands for the address to listen on.
const TEMPLATE: &str = include_str!("../nginx.conf.in");

/// Writes the configuration into the site's directory and returns nginx's arguments.
pub(crate) fn configure(site: &Site, address: SocketAddr) -> io::Result<Vec<OsString>> {
    let file = site.directory().join("nginx.conf");
    fs::write(&file, TEMPLATE.replace("@ADDRESS@", &address.to_string()))?;
    // -e, because nginx opens its compiled-in log before it reads the configuration.
    let arguments = ["-e".into(), "stderr".into(), "-p".into(), site.directory().into()];
    Ok(arguments.into_iter().chain(["-c".into(), file.into()]).collect())
}

/// Returns a port that is free now, because nginx cannot tell which port 0 has become. If another
/// process takes it meanwhile, nginx fails to start with a message.
pub(crate) fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
