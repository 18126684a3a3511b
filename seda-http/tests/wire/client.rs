//! An HTTP client that checks every byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A limit that only a defect reaches, even on a slow machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Client<S = TcpStream> {
    reader: BufReader<S>,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Response {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn closes(&self) -> bool {
        self.field("connection") == Some("close")
    }
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::of(TcpStream::connect(address).unwrap())
    }

    pub(crate) fn of(socket: TcpStream) -> Self {
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.set_write_timeout(Some(LIMIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        Self { reader: BufReader::new(socket) }
    }

    pub(crate) fn socket(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Returns true if there are bytes to read.
    pub(crate) fn has_bytes(&mut self) -> bool {
        let socket = self.reader.get_ref();
        socket.set_nonblocking(true).unwrap();
        let has_bytes = socket.peek(&mut [0]).is_ok_and(|read| read > 0);
        socket.set_nonblocking(false).unwrap();
        has_bytes
    }
}

impl<S: Read + Write> Client<S> {
    #[cfg(feature = "tls")]
    pub(crate) fn over(stream: S) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    #[cfg(feature = "tls")]
    pub(crate) fn stream(&mut self) -> &mut S {
        self.reader.get_mut()
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends into a connection that may have ended.
    pub(crate) fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.reader.get_mut().write_all(bytes.as_ref());
    }

    pub(crate) fn get(&mut self, path: &str) {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    }

    /// Reads the next response; `None` if the connection ends before its first byte.
    pub(crate) fn next_response(&mut self) -> Option<Response> {
        self.read_response(true)
    }

    pub(crate) fn response(&mut self) -> Response {
        self.read_response(true).expect("the connection ended without a response")
    }

    /// Reads the response to a HEAD request.
    pub(crate) fn response_without_body(&mut self) -> Response {
        self.read_response(false).expect("the connection ended without a response")
    }

    pub(crate) fn fetch(&mut self, path: &str) -> Response {
        self.get(path);
        self.response()
    }

    /// Asserts that the server closes the connection without a further byte and without a reset.
    pub(crate) fn expect_end(&mut self) {
        let mut rest = Vec::new();
        self.reader.read_to_end(&mut rest).unwrap();
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Reads the head of the next response. Its body is not read.
    pub(crate) fn head(&mut self) -> Response {
        self.read_response(false).expect("the connection ended without a response")
    }

    /// Reads this number of bytes.
    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Reads a line without its CRLF.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").expect("a line of chunks ends in CRLF").to_owned()
    }

    /// Reads the next chunk; the last one is empty.
    pub(crate) fn chunk(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(&self.line(), 16).unwrap();
        let chunk = self.bytes(size);
        if size > 0 {
            assert_eq!(self.line(), "");
        }
        chunk
    }

    /// Reads the chunks up to the last one, and returns the trailers.
    pub(crate) fn chunks(&mut self) -> (Vec<u8>, Vec<String>) {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk();
            if chunk.is_empty() {
                return (body, self.trailers());
            }
            body.extend_from_slice(&chunk);
        }
    }

    /// Reads the lines behind the last chunk.
    pub(crate) fn trailers(&mut self) -> Vec<String> {
        std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty())).collect()
    }

    /// Reads to the end of the connection; a reset is an error.
    pub(crate) fn end(&mut self) -> std::io::Result<usize> {
        self.reader.read_to_end(&mut Vec::new())
    }

    /// Reads to the end of the connection, in order or by a reset.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
        rest
    }

    fn read_response(&mut self, with_body: bool) -> Option<Response> {
        let mut head = String::new();
        loop {
            let before = head.len();
            let read = match self.reader.read_line(&mut head) {
                Ok(read) => read,
                // The client wrote into a closed connection, which resets it.
                Err(_) if head.is_empty() => 0,
                Err(error) => panic!("{error} after {head:?}"),
            };
            if read == 0 {
                assert_eq!(head, "", "the connection ended inside a head");
                return None;
            }
            if &head[before..] == "\r\n" {
                break;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut response = Response { status, head, body: Vec::new() };
        let length = response.field("content-length").map_or(0, |length| length.parse().unwrap());
        if with_body {
            response.body.resize(length, 0);
            self.reader.read_exact(&mut response.body).unwrap();
        }
        Some(response)
    }
}
