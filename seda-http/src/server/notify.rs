//! Messages to the service manager of this process (sd_notify(3)).

use std::time::Duration;

/// Says that the server accepts connections, if the manager asks for it.
pub(super) fn ready() {
    send("READY=1");
}

/// Says that the server runs, within the interval of [`watchdog`].
pub(super) fn alive() {
    send("WATCHDOG=1");
}

/// Returns the interval within which the manager expects a message, or it restarts the server;
/// `None` if it has no watchdog for this process (sd_watchdog_enabled(3)).
pub(super) fn watchdog() -> Option<Duration> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    let micros = number("WATCHDOG_USEC").filter(|micros| *micros > 0)?;
    let is_ours = number("WATCHDOG_PID").is_none_or(|id| id == u64::from(std::process::id()));
    is_ours.then(|| Duration::from_micros(micros))
}

/// Says that the server ends.
pub(super) fn stopping() {
    send("STOPPING=1");
}

/// Sends to the socket that `NOTIFY_SOCKET` names, if it is set. The manager decides from its own
/// settings what the message means, so a program needs no setting for it.
#[cfg(target_os = "linux")]
fn send(message: &str) {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::{SocketAddr, UnixDatagram};
    let Some(name) = std::env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
        return;
    };
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        _ => SocketAddr::from_pathname(&name),
    };
    let sent = address.and_then(|address| {
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        socket.send_to_addr(message.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, ?name, "cannot send {message} to NOTIFY_SOCKET");
    }
}

/// Other systems have no such manager.
#[cfg(not(target_os = "linux"))]
fn send(_message: &str) {}
