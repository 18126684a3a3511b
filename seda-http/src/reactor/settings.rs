//! The bounds and time limits of connections.

use std::time::Duration;

/// Every bound of a reactor's connections. The server's configuration documents each one.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Requests in flight per connection.
    pub(crate) pipeline: usize,
    /// Bytes that wait to be written, per connection, beyond which no further answer is encoded.
    pub(crate) write_buffer: usize,
    /// Between two requests.
    pub(crate) idle: Duration,
    /// From a request's first byte to the end of its head.
    pub(crate) head: Duration,
    /// Between two reads of a body.
    pub(crate) body: Duration,
    /// Between two writes that got something out.
    pub(crate) write: Duration,
    /// From our FIN to the client's.
    pub(crate) linger: Duration,
    /// A client that has shut its sending side still reads.
    pub(crate) half_close: bool,
}
