//! The reactor without HTTP: a protocol of lines, turned by hand. That it can be written in forty
//! lines is the test of its being protocol-free.

use super::*;
use bytes::BytesMut;
use seda_core::{Address, Home, LossReason, ManualClock, Outcome, Park, Time};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

struct Lines;

impl Codec for Lines {
    type Request = String;
    type Response = String;
    type Exchange = bool;
    type Decoder = ();

    fn decoder(&self) {}

    fn decode(&self, (): &mut (), input: &mut BytesMut) -> DecodeOutcome<Self> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return DecodeOutcome::Incomplete;
        };
        let line = input.split_to(end + 1);
        DecodeOutcome::Request(String::from_utf8_lossy(&line).trim_end().to_owned(), false)
    }

    fn expecting(&self, (): &(), input: &BytesMut) -> Expecting {
        if input.is_empty() { Expecting::Nothing } else { Expecting::Head }
    }

    fn timeout_response(&self, _owed: Expecting) -> (String, bool) {
        ("too slow".to_owned(), true)
    }

    fn is_last(last: bool) -> bool {
        last
    }

    fn make_last(_last: bool) -> bool {
        true
    }

    fn encode(&mut self, response: String, _last: bool, _now: Time, output: &mut Output) {
        output.buffer().extend_from_slice(response.as_bytes());
        output.put_body(Body::from("\n"));
    }
}

/// Keeps who asked; answers by itself what ends with an exclamation mark.
#[derive(Default)]
struct Asked(Vec<(String, Address)>);

impl Service<Lines> for Asked {
    fn admit(&mut self, line: String, _peer: SocketAddr, address: Address) -> Admission<String> {
        let answer = line.ends_with('!').then(|| line.clone());
        self.0.push((line, address));
        answer.map_or(Admission::Awaited, Admission::Answered)
    }

    fn lost(&mut self, reason: LossReason) -> String {
        reason.to_string()
    }
}

struct Bench {
    reactor: Reactor<Lines, Asked>,
    mailbox: Arc<Mailbox<String>>,
    clock: Arc<ManualClock>,
    connection_count: Arc<ConnectionCount>,
    address: SocketAddr,
}

impl Bench {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let parts = ReactorParts::new().unwrap();
        let mailbox = Arc::clone(parts.mailbox());
        let connection_count = Arc::new(ConnectionCount::default());
        let reactors = vec![Arc::clone(&mailbox)];
        let acceptor = Acceptor::new(listener, reactors, 10, Arc::clone(&connection_count));
        let second = Duration::from_secs(1);
        let settings = Settings {
            pipeline: 4,
            write_buffer: 4096,
            idle: second,
            head: second,
            body: second,
            write: second,
            linger: second,
            half_close: false,
        };
        let clock = Arc::new(ManualClock::new());
        let reactor = Reactor::new(
            parts,
            Some(acceptor),
            Lines,
            Asked::default(),
            settings,
            Arc::clone(&clock) as Arc<dyn seda_core::Clock>,
        );
        Self { reactor: reactor.unwrap(), mailbox, clock, connection_count, address }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        BufReader::new(socket)
    }

    /// One round; its sleep is ended by what happens.
    fn round(&mut self) {
        ReactorPark(&mut self.reactor).park(Some(Duration::from_millis(100)));
    }

    fn until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) {
        // A minute, if nothing at all happens.
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            self.round();
        }
        panic!("waited in vain");
    }

    /// Waits for a request and gives its address.
    fn asked(&mut self, line: &str) -> Address {
        self.until(|bench| !bench.reactor.service().0.is_empty());
        let (asked, address) = self.reactor.service().0.remove(0);
        assert_eq!(asked, line);
        address
    }

    fn answer(&self, address: Address, answer: &str) {
        self.mailbox.deliver(address, Outcome::Answered(answer.to_owned()));
    }
}

fn line(client: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The slot is the same, the generation is not: an answer to a client that has gone is dropped,
/// whatever its sequence number.
#[test]
fn an_answer_to_a_former_client_of_the_slot_is_dropped() {
    let mut bench = Bench::new();
    let mut first = bench.connect();
    first.get_mut().write_all(b"first\n").unwrap();
    let former = bench.asked("first");
    drop(first);
    // One is present: the listener.
    bench.until(|bench| bench.connection_count.get() == 1);
    let mut second = bench.connect();
    second.get_mut().write_all(b"second\n").unwrap();
    let present = bench.asked("second");
    assert_eq!((former.slot, former.sequence), (present.slot, present.sequence));
    assert_ne!(former.generation, present.generation);
    bench.answer(former, "for the first");
    bench.answer(present, "for the second");
    bench.round();
    assert_eq!(line(&mut second), "for the second");
}

#[test]
fn answers_go_out_in_order_and_losses_are_told() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"a\nb\nc\n").unwrap();
    let [a, b, c] = [bench.asked("a"), bench.asked("b"), bench.asked("c")];
    bench.answer(c, "C");
    bench.mailbox.deliver(b, Outcome::Lost(LossReason::Valve));
    bench.round();
    bench.answer(a, "A");
    // A second answer to the same request finds its place taken.
    bench.answer(a, "again");
    bench.round();
    assert_eq!([line(&mut client), line(&mut client), line(&mut client)], ["A", "valve", "C"]);
}

/// While as many requests are in flight as may be, no more are taken; one answer makes room for
/// one.
#[test]
fn the_bound_of_requests_in_flight_holds() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"1\n2\n3\n4\n5\n6\n").unwrap();
    let first = bench.asked("1");
    bench.until(|bench| bench.reactor.service().0.len() == 3);
    bench.answer(first, "one");
    bench.until(|bench| bench.reactor.service().0.len() == 4);
    assert_eq!(bench.reactor.service().0[3].0, "5");
    assert_eq!(line(&mut client), "one");
}

/// One client sends a thousand requests in one piece, ten send one each: none of the ten waits for
/// the thousand.
#[test]
fn connections_take_turns_however_much_one_of_them_sends() {
    let mut bench = Bench::new();
    let mut greedy = bench.connect();
    greedy.get_mut().write_all("greedy!\n".repeat(1_000).as_bytes()).unwrap();
    let mut modest: Vec<_> = (0..8).map(|_| bench.connect()).collect();
    modest.iter_mut().for_each(|client| client.get_mut().write_all(b"modest!\n").unwrap());
    bench.until(|bench| bench.reactor.service().0.len() == 1_008);
    let asked = &bench.reactor.service().0;
    let last = asked.iter().rposition(|(line, _)| line == "modest!").unwrap();
    assert!(last < 3 * 16 + 8, "{last} came before");
    assert!(modest.iter_mut().all(|client| line(client) == "modest!"));
    assert!((0..1_000).all(|_| line(&mut greedy) == "greedy!"));
}

#[test]
fn time_limits_are_those_of_the_injected_clock() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"unfinish").unwrap();
    bench.until(|bench| bench.reactor.awaits_a_head());
    bench.clock.advance(Duration::from_secs(1));
    bench.round();
    assert_eq!(line(&mut client), "too slow");
}
