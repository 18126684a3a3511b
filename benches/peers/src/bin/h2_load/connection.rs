//! The connection of the load. It is made anew if the server closes it.

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// The requests that were given up, and that the client still knows: an answer to one that it does
/// not know ends the connection.
const RESETS_KNOWN: usize = 100_000;

type Sender = SendRequest<Empty<Bytes>>;

/// One connection of HTTP/2.
#[derive(Debug)]
pub(crate) struct Connection {
    address: SocketAddr,
    streams: usize,
    /// `None` before the first request.
    sender: Mutex<Option<Sender>>,
}

/// A request without an answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequestError {
    #[error("no connection: {0}")]
    Connect(#[from] io::Error),
    #[error("no answer: {0}")]
    Http(#[from] hyper::Error),
}

impl Connection {
    /// Returns a connection to `address` that is made with the first request, and has as many
    /// streams.
    pub(crate) fn to(address: SocketAddr, streams: usize) -> Self {
        Self { address, streams, sender: Mutex::new(None) }
    }

    /// Sends a request, and returns the status of its answer once that is whole.
    pub(crate) async fn ask(
        &self,
        request: Request<Empty<Bytes>>,
    ) -> Result<StatusCode, RequestError> {
        let mut sender = self.sender().await?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        answer.into_body().collect().await?;
        Ok(status)
    }

    /// Returns the sender of the connection, made anew if it is closed.
    pub(crate) async fn sender(&self) -> Result<Sender, RequestError> {
        let mut place = self.sender.lock().await;
        if let Some(sender) = place.as_ref().filter(|sender| !sender.is_closed()) {
            return Ok(sender.clone());
        }
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .initial_max_send_streams(self.streams)
            .max_concurrent_reset_streams(RESETS_KNOWN);
        let (sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
        // Its end shows at the requests under way.
        tokio::spawn(connection);
        Ok(place.insert(sender).clone())
    }
}
