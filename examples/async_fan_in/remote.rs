//! The remote service: it squares numbers, slowly.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

/// A TCP server for one connection, in this process. Clones are handles of the same server.
#[derive(Clone)]
pub(crate) struct Remote {
    address: SocketAddr,
    phase: Arc<watch::Sender<Phase>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Requests are read, and none is answered.
    Holding,
    Answering,
    #[cfg(test)]
    Gone,
}

impl Remote {
    /// Starts the server, which holds all answers. Once released, it answers each request `delay`
    /// after its arrival.
    pub(crate) async fn start(delay: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let (phase, watched) = watch::channel(Phase::Holding);
        tokio::spawn(async move {
            if let Ok((stream, _)) = listener.accept().await {
                serve(stream, delay, watched).await;
            }
        });
        Ok(Self { address, phase: Arc::new(phase) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes the server answer.
    pub(crate) fn release(&self) {
        self.phase.send_replace(Phase::Answering);
    }

    /// Closes the connection without an answer.
    #[cfg(test)]
    pub(crate) fn hang_up(&self) {
        self.phase.send_replace(Phase::Gone);
    }
}

/// Reads requests as they arrive, and answers them in order, each `delay` after its arrival.
async fn serve(stream: TcpStream, delay: Duration, phase: watch::Receiver<Phase>) {
    let (reader, writer) = stream.into_split();
    let (due, answers) = mpsc::unbounded_channel();
    let reading = tokio::spawn(read(reader, delay, due));
    // The end of `answer` drops the writer; with the reader gone, too, the connection is closed.
    let _ = answer(answers, writer, phase).await;
    reading.abort();
}

async fn read(
    mut reader: OwnedReadHalf,
    delay: Duration,
    due: mpsc::UnboundedSender<(Instant, u64)>,
) {
    while let Ok(number) = reader.read_u64().await {
        if due.send((Instant::now() + delay, number)).is_err() {
            break;
        }
    }
}

async fn answer(
    mut answers: mpsc::UnboundedReceiver<(Instant, u64)>,
    mut writer: OwnedWriteHalf,
    mut phase: watch::Receiver<Phase>,
) -> io::Result<()> {
    while let Some((due, number)) = answers.recv().await {
        let seen = phase.wait_for(|phase| *phase != Phase::Holding).await.map(|phase| *phase);
        if !matches!(seen, Ok(Phase::Answering)) {
            break;
        }
        sleep_until(due).await;
        writer.write_u64(number * number).await?;
    }
    Ok(())
}
