//! Clients that leave, over sockets, with hyper in front of the layer.

use crate::method;
use crate::scripted::{LONG, admission_of};
use axum::Router;
use seda_core::Report;
use seda_tower::Admission;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tonic::transport::Endpoint;

/// The clients that leave.
const LEAVING: usize = 20;

/// A server with one place. Its handler counts the requests that begin, and waits for a word.
struct Server {
    admission: Admission,
    address: SocketAddr,
    begun: Arc<AtomicUsize>,
    word: Arc<Notify>,
}

impl Server {
    async fn start() -> Self {
        let admission = admission_of(1);
        let (begun, word) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let (counts, waits) = (Arc::clone(&begun), Arc::clone(&word));
        let handler = move || {
            let (counts, waits) = (Arc::clone(&counts), Arc::clone(&waits));
            async move {
                counts.fetch_add(1, Ordering::SeqCst);
                waits.notified().await;
                "done"
            }
        };
        let app = Router::new().fallback(handler).layer(admission.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        Self { admission, address, begun, word }
    }

    /// Sends a request over a connection of its own.
    async fn send(&self) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request).await.unwrap();
        stream
    }

    async fn wait_until(&self, is_met: impl Fn(&Report) -> bool) {
        let met = async {
            while !self.admission.report().is_some_and(|report| is_met(&report)) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(LONG, met).await.unwrap();
    }

    /// Ends the request that has the place, and checks that it was the only one to begin.
    async fn assert_no_other_began(self, mut first: TcpStream) {
        self.word.notify_one();
        let mut answer = String::new();
        first.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("done"), "{answer}");
        let drained = tokio::task::spawn_blocking(move || self.admission.drain(LONG)).await;
        let report = drained.unwrap().unwrap().report;
        assert_eq!(self.begun.load(Ordering::SeqCst), 1);
        assert_eq!((report.requests.answered, report.events.handled), (1, 1));
        assert_eq!(report.stages[0].shed["abandoned"], LEAVING as u64, "{report}");
    }
}

fn all_wait(report: &Report) -> bool {
    report.stages[0].queued == LEAVING as u64
}

fn all_have_left(report: &Report) -> bool {
    report.requests.lost.get("abandoned") == Some(&(LEAVING as u64))
}

fn on_two_threads(test: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(test);
}

#[test]
fn no_queued_work_of_clients_that_close_their_connections_is_started() {
    on_two_threads(async {
        let server = Server::start().await;
        let first = server.send().await;
        server.wait_until(|report| report.stages[0].pending == 1).await;
        let mut leaving = Vec::new();
        for _ in 0..LEAVING {
            leaving.push(server.send().await);
        }
        server.wait_until(all_wait).await;
        drop(leaving);
        server.wait_until(all_have_left).await;
        server.assert_no_other_began(first).await;
    });
}

#[test]
fn no_queued_work_of_calls_that_their_client_resets_is_started() {
    on_two_threads(async {
        let server = Server::start().await;
        let first = server.send().await;
        server.wait_until(|report| report.stages[0].pending == 1).await;
        let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let channel = endpoint.connect().await.unwrap();
        let call = || tokio::spawn(method::call(channel.clone(), tonic::Request::new(1)));
        let leaving: Vec<_> = (0..LEAVING).map(|_| call()).collect();
        server.wait_until(all_wait).await;
        leaving.iter().for_each(|call| call.abort());
        server.wait_until(all_have_left).await;
        server.assert_no_other_began(first).await;
    });
}
