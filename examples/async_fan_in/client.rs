//! An async client: many requests over one connection, answered in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot};

/// The receiver of one answer.
type Waiting = oneshot::Sender<u64>;

/// A client of the remote service. Clones share its connection.
#[derive(Clone)]
pub(crate) struct Client {
    /// Unbounded, because the stage bounds the number of outstanding requests.
    calls: mpsc::UnboundedSender<(u64, Waiting)>,
    outstanding: Arc<Outstanding>,
}

/// Numbers of outstanding requests: now, and at most so far.
#[derive(Default)]
struct Outstanding {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Client {
    /// Connects to the remote service.
    pub(crate) async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let (reader, writer) = stream.into_split();
        let (calls, called) = mpsc::unbounded_channel();
        let (expect, expected) = mpsc::unbounded_channel();
        tokio::spawn(write(called, writer, expect));
        tokio::spawn(read(reader, expected));
        Ok(Self { calls, outstanding: Arc::default() })
    }

    /// Returns the square of a number, from the remote service.
    pub(crate) async fn square(&self, number: u64) -> io::Result<u64> {
        let (answer, answered) = oneshot::channel();
        let now = self.outstanding.now.fetch_add(1, Ordering::Relaxed) + 1;
        self.outstanding.most.fetch_max(now, Ordering::Relaxed);
        // If the connection has ended, the call and its sender are dropped, and the wait fails.
        let _ = self.calls.send((number, answer));
        let square = answered.await;
        self.outstanding.now.fetch_sub(1, Ordering::Relaxed);
        square.map_err(|_| io::ErrorKind::ConnectionAborted.into())
    }

    /// Returns the largest number of requests that were outstanding at once.
    pub(crate) fn most_outstanding(&self) -> usize {
        self.outstanding.most.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(crate) fn outstanding(&self) -> usize {
        self.outstanding.now.load(Ordering::Relaxed)
    }
}

/// Sends each request, and passes its receiver to `read` in the same order.
async fn write(
    mut called: mpsc::UnboundedReceiver<(u64, Waiting)>,
    mut writer: OwnedWriteHalf,
    expect: mpsc::UnboundedSender<Waiting>,
) {
    while let Some((number, waiting)) = called.recv().await {
        if writer.write_u64(number).await.is_err() || expect.send(waiting).is_err() {
            break;
        }
    }
}

/// Passes each answer to its receiver. When the connection ends, all other receivers are dropped
/// and their requests fail.
async fn read(mut reader: OwnedReadHalf, mut expected: mpsc::UnboundedReceiver<Waiting>) {
    while let Ok(square) = reader.read_u64().await {
        let Some(waiting) = expected.recv().await else { break };
        // A receiver that was dropped needs no answer.
        let _ = waiting.send(square);
    }
}
