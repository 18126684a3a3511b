//! A user's protocol on the reactor: it has the bounds, refusals and drain of HTTP.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use parking_lot::{Condvar, Mutex};
use seda_core::{Context, Graph, LossReason, RefusalReason, Responder, StageConfig, WorkerRange};
use seda_http::BytesMut;
use seda_http::tcp::{Protocol, Tcp, TcpConfig, TcpServer, Unserved};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

/// Each byte is a request, and its answer is one byte. Four byte values make user code fail.
#[derive(Clone)]
struct Bytewise;

/// A byte at which `decode` panics.
const POISON: u8 = 0xEE;
/// A byte at which the function that makes events panics.
const POISONED_EVENT: u8 = 0xED;
/// A byte that begins an endless request.
const ENDLESS: u8 = 0xEC;
/// A byte that `decode` rejects with a last answer.
const WRONG: u8 = 0xEB;

impl Protocol for Bytewise {
    type Request = u8;
    type Answer = u8;

    fn decode(&self, input: &mut BytesMut) -> Result<Option<u8>, u8> {
        match input.first() {
            None | Some(&ENDLESS) => Ok(None),
            Some(&POISON) => panic!("on purpose"),
            Some(&WRONG) => Err(b'w'),
            Some(_) => Ok(Some(input.split_to(1)[0])),
        }
    }

    fn encode(&mut self, answer: u8, output: &mut BytesMut) {
        output.extend_from_slice(&[answer]);
    }

    fn refuse(&self, why: Unserved) -> u8 {
        match why {
            Unserved::Refused(RefusalReason::Full) => b'F',
            Unserved::Lost(LossReason::Panicked) => b'P',
            Unserved::Lost(_) => b'L',
            Unserved::TooLong => b'T',
            _ => b'?',
        }
    }
}

/// Blocks handlers until it is opened.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn pass(&self) {
        let mut open = self.0.lock();
        while !*open {
            self.1.wait(&mut open);
        }
    }

    fn open(&self) {
        *self.0.lock() = true;
        self.1.notify_all();
    }
}

struct Served {
    server: TcpServer<u8>,
    gate: Arc<Gate>,
    begun: Arc<AtomicUsize>,
}

/// Serves an echo stage: one worker at a gate, behind a queue of `capacity`.
fn serve(capacity: usize, config: TcpConfig) -> Served {
    let mut graph = Graph::new("bytewise");
    // Large enough that only the bound of the queue is reached.
    graph.budget(64);
    let mut tcp = Tcp::bind(config, Bytewise).unwrap();
    let echo = graph.stage::<(u8, Responder<u8>)>("echo", capacity);
    let workers = Some(WorkerRange::exactly(1));
    graph.configure(echo, StageConfig { workers, ..StageConfig::default() }).unwrap();
    let gate = Arc::new(Gate::default());
    let begun = Arc::new(AtomicUsize::new(0));
    let worker_gate = Arc::clone(&gate);
    let worker_begun = Arc::clone(&begun);
    graph
        .attach_each(echo, |_wire| {
            move |(byte, reply): (u8, Responder<u8>), _cx: &mut Context| {
                worker_begun.fetch_add(1, Ordering::SeqCst);
                worker_gate.pass();
                reply.respond(byte);
            }
        })
        .unwrap();
    tcp.entry(&mut graph, echo, |byte, _peer, reply| {
        assert!(byte != POISONED_EVENT, "on purpose");
        (byte, reply)
    })
    .unwrap();
    let server = tcp.serve(graph.start().unwrap()).unwrap();
    Served { server, gate, begun }
}

fn any_port() -> TcpConfig {
    TcpConfig::at(([127, 0, 0, 1], 0).into())
}

impl Served {
    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.server.local_addr()).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        stream
    }

    /// Polls until `ready`; fails after a minute.
    fn wait_until(&self, ready: impl Fn(&Served) -> bool) {
        let (_keep, never) = std::sync::mpsc::channel::<()>();
        for _ in 0..60_000 {
            if ready(self) {
                return;
            }
            let _ = never.recv_timeout(Duration::from_millis(1));
        }
        panic!("the condition did not come true: {}", self.server.graph().report());
    }
}

fn read<const N: usize>(stream: &mut TcpStream) -> [u8; N] {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_request_to_a_full_queue_is_refused_at_once_in_request_order_and_counted() {
    let served = serve(2, any_port());
    let mut first = served.connect();
    first.write_all(b"a").unwrap();
    served.wait_until(|served| served.begun.load(Ordering::SeqCst) == 1);
    // One request is at the gate and two are queued, so those of a second client are refused.
    first.write_all(b"bc").unwrap();
    served.wait_until(|served| served.server.graph().report().requests.open == 3);
    let mut second = served.connect();
    second.write_all(b"xyz").unwrap();
    assert_eq!(&read::<3>(&mut second), b"FFF");
    // On the first connection the refusal goes out after the admitted requests before it.
    first.write_all(b"d").unwrap();
    served.wait_until(|served| served.server.graph().report().events.refused == 4);
    served.gate.open();
    assert_eq!(&read::<4>(&mut first), b"abcF");
    drop((first, second));
    let drained = served.server.drain(LONG);
    let events = &drained.report.events;
    let requests = &drained.report.requests;
    assert_eq!((events.offered, events.accepted, events.refused), (7, 3, 4));
    assert_eq!((requests.admitted, requests.answered, requests.open), (3, 3, 0));
    assert!(drained.complete);
}

#[test]
fn a_request_of_a_disconnected_client_is_not_begun() {
    let served = serve(8, any_port());
    let mut stays = served.connect();
    stays.write_all(b"a").unwrap();
    served.wait_until(|served| served.begun.load(Ordering::SeqCst) == 1);
    let mut goes = served.connect();
    goes.write_all(b"xyz").unwrap();
    served.wait_until(|served| served.server.graph().report().requests.open == 4);
    // A linger time of zero makes the close a reset.
    rustix::net::sockopt::set_socket_linger(&goes, Some(Duration::ZERO)).unwrap();
    drop(goes);
    served.wait_until(|served| served.server.graph().report().requests.open == 1);
    served.gate.open();
    assert_eq!(&read::<1>(&mut stays), b"a");
    drop(stays);
    let drained = served.server.drain(LONG);
    assert_eq!(drained.report.requests.lost.get("abandoned"), Some(&3));
    assert_eq!(served.begun.load(Ordering::SeqCst), 1);
}

#[test]
fn a_panic_in_user_code_costs_one_connection_or_one_answer() {
    let served = serve(8, any_port());
    served.gate.open();
    let mut poisoned = served.connect();
    poisoned.write_all(&[b'a', POISON, b'b']).unwrap();
    let mut all = Vec::new();
    poisoned.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"a");
    let mut event = served.connect();
    event.write_all(&[b'a', POISONED_EVENT, b'b']).unwrap();
    assert_eq!(&read::<3>(&mut event), b"aPb");
    drop(event);
    let drained = served.server.drain(LONG);
    assert_eq!(drained.report.requests.lost.get("panicked"), Some(&1));
    assert_eq!(drained.report.requests.open, 0);
}

#[test]
fn a_malformed_or_endless_request_ends_its_connection_with_an_answer() {
    let mut config = any_port();
    config.request_bytes = 10;
    let served = serve(8, config);
    served.gate.open();
    let cases: [(Vec<u8>, &[u8]); 2] =
        [(vec![b'a', WRONG, b'b'], b"aw"), (vec![ENDLESS; 20], b"T")];
    for (sent, answers) in cases {
        let mut stream = served.connect();
        stream.write_all(&sent).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, answers);
    }
}

#[test]
fn connections_beyond_the_bound_wait_until_another_ends() {
    let mut config = any_port();
    config.connections = 1;
    let served = serve(8, config);
    let mut first = served.connect();
    first.write_all(b"a").unwrap();
    served.wait_until(|served| served.begun.load(Ordering::SeqCst) == 1);
    let mut second = served.connect();
    second.write_all(b"b").unwrap();
    // The first has a request in the graph and keeps its place: no byte of the second is read.
    first.write_all(b"c").unwrap();
    served.wait_until(|served| served.server.graph().report().requests.admitted == 2);
    served.gate.open();
    assert_eq!(&read::<2>(&mut first), b"ac");
    assert_eq!(&read::<1>(&mut second), b"b");
}

#[test]
fn a_drain_answers_every_received_request() {
    let served = serve(8, any_port());
    let mut stream = served.connect();
    stream.write_all(b"abc").unwrap();
    served.wait_until(|served| served.server.graph().report().requests.open == 3);
    let Served { server, gate, .. } = served;
    let opening = std::thread::Builder::new().spawn(move || gate.open()).unwrap();
    let drained = server.drain(LONG);
    opening.join().unwrap();
    assert!(drained.complete);
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"abc");
}
