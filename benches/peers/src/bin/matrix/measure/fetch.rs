//! One request on a connection of its own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Time limit of an answer.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Size limit of an answer in bytes, above that of any refusal and of a report.
const MAX_ANSWER: u64 = 4 * 1_024 * 1_024;

/// Sends a request that closes the connection, and returns the whole answer, head and body.
pub(crate) fn fetch(server: SocketAddr, request: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(request)?;
    let mut answer = String::new();
    stream.take(MAX_ANSWER).read_to_string(&mut answer)?;
    Ok(answer)
}
