//! The reactor with a protocol of text lines instead of HTTP, stepped by hand. The line codec has
//! forty lines, which shows that the reactor knows no protocol.

mod proxied;
mod streams;
#[cfg(feature = "tls")]
mod tls;
mod uploads;

use super::*;
use crate::tls::Handshaker;
use bytes::{Bytes, BytesMut};
use crossbeam_channel::Sender;
use seda_core::{LossReason, ManualClock, Outcome, Park, ReplyAddress, ReplySink, Time};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

struct Lines {
    /// The bodies of the responses `stream`.
    streams: Receiver<Body>,
    /// The readers of the bodies that are streamed.
    readers: Sender<BodyReader>,
}

/// Each piece is a line with its length in front. The last line is a dot.
const FRAMING: PieceFraming = PieceFraming::Framed {
    before: |length, out| out.extend_from_slice(format!("{length} ").as_bytes()),
    after: b"\n",
    last: b".\n",
};

/// A request is a line. A line that ends with `:` is a head, and its body is the next line. The
/// body of the head `up:` is streamed: each line is a piece, up to a dot.
#[derive(Default)]
struct LineDecoder {
    head: Option<String>,
    is_refused: bool,
    is_streamed: bool,
}

impl Codec for Lines {
    type Head = String;
    type Request = String;
    type Response = String;
    type Exchange = bool;
    type Decoder = LineDecoder;
    /// The length of the head.
    type Decision = usize;

    fn decoder(&self, _origin: &Origin) -> LineDecoder {
        LineDecoder::default()
    }

    fn decode(&self, decoder: &mut LineDecoder, input: &mut BytesMut) -> DecodeOutcome<Self> {
        let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
            return DecodeOutcome::Incomplete;
        };
        let line = input.split_to(end + 1);
        let line = String::from_utf8_lossy(&line).trim_end().to_owned();
        if std::mem::take(&mut decoder.is_refused) {
            return DecodeOutcome::Refused(line == "bad");
        }
        if decoder.is_streamed {
            decoder.is_streamed = line != ".";
            return DecodeOutcome::Piece(Bytes::from(line.clone()), line == ".");
        }
        match decoder.head.take() {
            None if line.ends_with(':') => {
                decoder.head = Some(line);
                DecodeOutcome::Head
            }
            head => DecodeOutcome::Request(head.unwrap_or_default() + &line, false),
        }
    }

    fn head(decoder: &LineDecoder) -> Option<&String> {
        decoder.head.as_ref()
    }

    /// A head of six bytes, such as `quick:`, has a body of 5 s at most.
    fn limit_body(_decoder: &mut LineDecoder, decision: &usize) -> Option<Duration> {
        (*decision == 6).then_some(Duration::from_secs(5))
    }

    /// The body behind `up:` is streamed; another head of three bytes is refused.
    fn streams(decision: &usize) -> Option<u64> {
        (*decision == 3).then_some(u64::MAX)
    }

    fn refuse(&self, decoder: &mut LineDecoder, _input: &mut BytesMut) -> bool {
        *decoder = LineDecoder { is_refused: true, ..LineDecoder::default() };
        false
    }

    fn stream(
        &self,
        decoder: &mut LineDecoder,
        _input: &BytesMut,
        _most: u64,
        make: impl FnOnce(Option<&'static [u8]>) -> BodyReader,
    ) -> Option<(String, bool)> {
        decoder.is_streamed = true;
        self.readers.send(make(None)).unwrap();
        Some((decoder.head.take()?, false))
    }

    fn expecting(&self, decoder: &LineDecoder, input: &BytesMut) -> Expecting {
        match decoder {
            LineDecoder { is_refused: true, .. } => Expecting::RefusedBody,
            LineDecoder { head: Some(_), .. } | LineDecoder { is_streamed: true, .. } => {
                Expecting::Body
            }
            _ if input.is_empty() => Expecting::Nothing,
            _ => Expecting::Head,
        }
    }

    fn timeout_response(&self, _expecting: Expecting) -> (String, bool) {
        ("too slow".to_owned(), true)
    }

    fn is_last(last: &bool) -> bool {
        *last
    }

    fn make_last(_last: bool) -> bool {
        true
    }

    fn encode(
        &mut self,
        response: String,
        _last: bool,
        _origin: &Origin,
        _now: Time,
        output: &mut Output,
    ) {
        if response == "stream" {
            return output.put_body(self.streams.try_recv().unwrap(), FRAMING);
        }
        output.buffer().extend_from_slice(response.as_bytes());
        output.put_body(Body::from("\n"), PieceFraming::Plain);
    }
}

/// Records each request with its address. A request that ends with `!` is answered at once, and a
/// head that begins with `no` is refused.
#[derive(Default)]
struct Recorder(Vec<(String, ReplyAddress)>);

impl Service<Lines> for Recorder {
    fn check(&mut self, head: &String, _now: Time) -> Result<usize, String> {
        if head.starts_with("no") {
            return Err("busy".to_owned());
        }
        Ok(head.len())
    }

    fn admit(
        &mut self,
        line: String,
        decision: Option<usize>,
        _origin: &Origin,
        address: ReplyAddress,
    ) -> Admission<String> {
        let head = line.find(':').map(|end| end + 1);
        assert_eq!(decision, head, "the decision about the head");
        let response = line.ends_with('!').then(|| line.clone());
        self.0.push((line, address));
        response.map_or(Admission::External, Admission::Answered)
    }

    fn no_memory(&mut self) -> String {
        "no memory".to_owned()
    }

    fn lost(&mut self, reason: LossReason) -> String {
        reason.to_string()
    }
}

/// A reactor with rounds and a clock that the test steps.
struct Bench {
    reactor: Reactor<Lines, Recorder>,
    mailbox: Arc<Mailbox<String>>,
    clock: Arc<ManualClock>,
    connection_count: Arc<ConnectionCount>,
    address: SocketAddr,
    streams: Sender<Body>,
    readers: Receiver<BodyReader>,
}

impl Bench {
    fn new() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), false)
    }

    fn on(listener: TcpListener, is_shared: bool) -> Self {
        let address = listener.local_addr().unwrap();
        Self::serving(vec![Listening { is_shared, ..listening(listener) }], address)
    }

    fn serving(listeners: Vec<Listening>, address: SocketAddr) -> Self {
        Self::build(listeners, address, usize::MAX, |_| {})
    }

    /// Returns a bench with a budget of this many bytes for bodies.
    fn with(body_bytes: usize, change: impl FnOnce(&mut Settings)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        Self::build(vec![listening(listener)], address, body_bytes, change)
    }

    fn build(
        listeners: Vec<Listening>,
        address: SocketAddr,
        body_bytes: usize,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let is_encrypted = listeners.iter().any(|it| it.rules.tls.is_some());
        let handshaker = is_encrypted.then(|| Handshaker::start("handshakes".to_owned()).unwrap());
        let parts = ReactorParts::new(body_bytes).unwrap().with_handshaker(handshaker);
        let mailbox = Arc::clone(parts.mailbox());
        let connection_count = Arc::new(ConnectionCount::default());
        let reactors = vec![Arc::clone(&mailbox)];
        let count = Arc::clone(&connection_count);
        let acceptor = Acceptor::new(listeners, reactors, 10, count, Arc::default());
        let second = Duration::from_secs(1);
        let mut settings = Settings {
            pipeline: 4,
            write_buffer: 4096,
            idle: second,
            head: second,
            body: second,
            body_total: second * 10,
            body_rate: 4,
            write: second,
            linger: second,
            linger_total: second * 3,
            half_close: false,
        };
        change(&mut settings);
        let clock = Arc::new(ManualClock::new());
        let (streams, bodies) = crossbeam_channel::unbounded();
        let (to_readers, readers) = crossbeam_channel::unbounded();
        let reactor = Reactor::new(
            parts,
            Some(acceptor),
            Lines { streams: bodies, readers: to_readers },
            Recorder::default(),
            settings,
            Arc::default(),
            Arc::clone(&clock) as Arc<dyn seda_core::Clock>,
        );
        Self {
            reactor: reactor.unwrap(),
            mailbox,
            clock,
            connection_count,
            address,
            streams,
            readers,
        }
    }

    fn connect(&self) -> BufReader<TcpStream> {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        BufReader::new(socket)
    }

    /// Runs one round, which sleeps until an event or for at most 100 ms.
    fn round(&mut self) {
        ReactorPark::new(&mut self.reactor, None).park(Some(Duration::from_millis(100)));
    }

    /// Runs rounds until `is_so`; fails after a minute without events.
    fn until(&mut self, mut is_so: impl FnMut(&mut Self) -> bool) {
        for _ in 0..600 {
            if is_so(self) {
                return;
            }
            self.round();
        }
        panic!("the condition did not come true");
    }

    /// Waits for the next request, which must be `line`, and returns its address.
    fn requested(&mut self, line: &str) -> ReplyAddress {
        self.until(|bench| !bench.reactor.service().0.is_empty());
        let (request, address) = self.reactor.service().0.remove(0);
        assert_eq!(request, line);
        address
    }

    fn respond(&self, address: ReplyAddress, response: &str) {
        self.mailbox.deliver(address, Outcome::Answered(response.to_owned()));
    }
}

fn listening(listener: TcpListener) -> Listening {
    listener.set_nonblocking(true).unwrap();
    Listener::from(listener).into()
}

fn line(client: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}

/// The two clients have the same slot and sequence number, and differ in the generation alone.
#[test]
fn a_response_to_a_former_client_of_the_slot_is_dropped() {
    let mut bench = Bench::new();
    let mut first = bench.connect();
    first.get_mut().write_all(b"first\n").unwrap();
    let former = bench.requested("first");
    drop(first);
    // The listener alone is left.
    bench.until(|bench| bench.connection_count.get() == 1);
    let mut second = bench.connect();
    second.get_mut().write_all(b"second\n").unwrap();
    let current = bench.requested("second");
    assert_eq!((former.slot, former.sequence), (current.slot, current.sequence));
    assert_ne!(former.generation, current.generation);
    bench.respond(former, "for the first");
    bench.respond(current, "for the second");
    bench.round();
    assert_eq!(line(&mut second), "for the second");
}

#[test]
fn responses_and_losses_go_out_in_request_order() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"a\nb\nc\n").unwrap();
    let [a, b, c] = [bench.requested("a"), bench.requested("b"), bench.requested("c")];
    bench.respond(c, "C");
    bench.mailbox.deliver(b, Outcome::<String>::Lost(LossReason::Valve));
    bench.round();
    bench.respond(a, "A");
    // A second response to the same request finds its slot filled and is dropped.
    bench.respond(a, "again");
    bench.round();
    assert_eq!([line(&mut client), line(&mut client), line(&mut client)], ["A", "valve", "C"]);
}

/// A client that is in the backlog when the drain begins is accepted by the reactor, or by another
/// owner of the socket.
#[test]
fn a_drain_accepts_its_own_backlog_and_leaves_a_shared_one_to_its_other_owners() {
    for is_shared in [false, true] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other_owner = listener.try_clone().unwrap();
        let mut bench = Bench::on(listener, is_shared);
        let mut client = bench.connect();
        client.get_mut().write_all(b"first\n").unwrap();
        bench.mailbox.send(ReactorMessage::Drain);
        bench.until(|bench| bench.reactor.acceptor.is_none());
        assert_eq!(bench.connection_count.get(), usize::from(!is_shared));
        assert_eq!(other_owner.accept().is_ok(), is_shared);
        // The closed listener wakes the reactor no more, although its socket is open.
        let _client = bench.connect();
        bench.reactor.poll.poll(&mut bench.reactor.events, Some(Duration::ZERO)).unwrap();
        let mut events = bench.reactor.events.iter();
        assert!(!events.any(|event| acceptor::is_of_listener(event.token())));
    }
}

/// The first listener has as many connections as the reactor takes. One at the second does not
/// wait until they are accepted.
#[test]
fn a_full_backlog_keeps_no_other_listener_from_its_turn() {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [full, other] = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    let _waiting: Vec<_> = (0..10).map(|_| TcpStream::connect(full).unwrap()).collect();
    let mut client = TcpStream::connect(other).unwrap();
    client.write_all(b"first\n").unwrap();
    let mut bench = Bench::serving(listeners.map(listening).into(), other);
    bench.round();
    assert!(bench.requested("first").slot < 2);
}

/// Four requests may be in flight. One response makes room for one request.
#[test]
fn the_bound_on_requests_in_flight_holds() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"1\n2\n3\n4\n5\n6\n").unwrap();
    let first = bench.requested("1");
    bench.until(|bench| bench.reactor.service().0.len() == 3);
    bench.respond(first, "one");
    bench.until(|bench| bench.reactor.service().0.len() == 4);
    assert_eq!(bench.reactor.service().0[3].0, "5");
    assert_eq!(line(&mut client), "one");
}

/// One client sends 1,000 requests in one piece, eight clients send one each. None of the eight
/// waits for the 1,000.
#[test]
fn connections_take_turns_regardless_of_their_input() {
    let mut bench = Bench::new();
    let mut greedy = bench.connect();
    greedy.get_mut().write_all("greedy!\n".repeat(1_000).as_bytes()).unwrap();
    let mut modest: Vec<_> = (0..8).map(|_| bench.connect()).collect();
    modest.iter_mut().for_each(|client| client.get_mut().write_all(b"modest!\n").unwrap());
    bench.until(|bench| bench.reactor.service().0.len() == 1_008);
    let requests = &bench.reactor.service().0;
    let last = requests.iter().rposition(|(line, _)| line == "modest!").unwrap();
    assert!(last < 3 * 16 + 8, "{last} requests came before");
    assert!(modest.iter_mut().all(|client| line(client) == "modest!"));
    assert!((0..1_000).all(|_| line(&mut greedy) == "greedy!"));
}

/// The response to a refused request keeps its place in the order and follows its body. The request
/// after its body is taken.
#[test]
fn a_refused_request_is_answered_in_order_once_its_body_is_dropped() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"a\nno:\n").unwrap();
    let a = bench.requested("a");
    bench.respond(a, "A");
    bench.until(|bench| bench.reactor.drops_a_body());
    assert_eq!(line(&mut client), "A");
    client.get_mut().write_all(b"dropped\nyes:\nbody!\n").unwrap();
    bench.requested("yes:body!");
    assert_eq!([line(&mut client), line(&mut client)], ["busy", "yes:body!"]);
}

#[test]
fn a_fault_in_a_refused_body_ends_the_connection_after_its_response() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"no:\nbad\nignored!\n").unwrap();
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!([line(&mut client), line(&mut client)], ["busy", ""]);
    assert!(bench.reactor.service().0.is_empty());
}

/// A client that sends the rest of a refused body byte by byte does not extend its limit, and gets
/// no second response.
#[test]
fn the_rest_of_a_refused_body_has_one_time_limit() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"no:\n").unwrap();
    bench.until(|bench| bench.reactor.drops_a_body());
    bench.clock.advance(Duration::from_millis(600));
    client.get_mut().write_all(b"x").unwrap();
    bench.until(|bench| bench.reactor.has_input());
    bench.clock.advance(Duration::from_millis(400));
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!([line(&mut client), line(&mut client)], ["busy", ""]);
}

#[test]
fn a_drain_does_not_wait_for_the_rest_of_a_refused_body() {
    let mut bench = Bench::new();
    let mut refused = bench.connect();
    refused.get_mut().write_all(b"no:\n").unwrap();
    bench.until(|bench| bench.reactor.drops_a_body());
    bench.mailbox.send(ReactorMessage::Drain);
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!([line(&mut refused), line(&mut refused)], ["busy", ""]);
}

#[test]
fn time_limits_follow_the_injected_clock() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"unfinish").unwrap();
    bench.until(|bench| bench.reactor.awaits_a_head());
    bench.clock.advance(Duration::from_secs(1));
    bench.round();
    assert_eq!(line(&mut client), "too slow");
}

/// Time after which a limit that has passed is enforced.
const SWEPT: Duration = Duration::from_millis(250);

/// The client sends a byte before each pause is over. Four bytes a second are asked for, from one
/// second after the begin on.
#[test]
fn a_body_below_the_least_rate_ends_although_it_never_pauses_for_long() {
    let mut bench = Bench::new();
    let mut client = bench.connect();
    client.get_mut().write_all(b"head:\n").unwrap();
    bench.until(|bench| bench.reactor.awaits_a_body());
    // One byte pays for a quarter of a second, so the limit is at 1.5 s after two of them.
    for byte in 1..=2 {
        bench.clock.advance(Duration::from_millis(500));
        client.get_mut().write_all(b"x").unwrap();
        bench.until(|bench| bench.reactor.input_bytes() == byte);
    }
    bench.clock.advance(Duration::from_millis(499));
    bench.round();
    assert!(bench.reactor.awaits_a_body());
    bench.clock.advance(SWEPT);
    bench.until(|bench| !bench.reactor.awaits_a_body());
    assert_eq!(line(&mut client), "too slow");
}

#[test]
fn a_body_has_a_total_time_at_any_rate_which_a_decision_may_change() {
    for (head, pieces) in [("head:\n", 20), ("quick:\n", 10)] {
        let mut bench = Bench::new();
        let mut client = bench.connect();
        client.get_mut().write_all(head.as_bytes()).unwrap();
        bench.until(|bench| bench.reactor.awaits_a_body());
        for piece in 1..=pieces {
            bench.clock.advance(Duration::from_millis(499));
            client.get_mut().write_all(b"01234567").unwrap();
            bench.until(|bench| bench.reactor.input_bytes() == 8 * piece);
        }
        bench.clock.advance(Duration::from_millis(20));
        bench.until(|bench| !bench.reactor.awaits_a_body());
        assert_eq!(line(&mut client), "too slow");
    }
}

/// The client sends on after the server's FIN: each byte extends the wait, up to its total.
#[test]
fn a_connection_lingers_while_its_client_sends_and_no_longer_than_its_total_time() {
    for ends in [false, true] {
        let mut bench = Bench::new();
        let mut client = bench.connect();
        client.get_mut().write_all(b"no:\nbad\n").unwrap();
        bench.until(|bench| bench.reactor.lingers());
        assert_eq!([line(&mut client), line(&mut client)], ["busy", ""]);
        for piece in 1..=4 {
            bench.clock.advance(Duration::from_millis(700));
            client.get_mut().write_all(b"xx").unwrap();
            bench.until(|bench| bench.reactor.lingered_bytes() == 2 * piece);
        }
        bench.clock.advance(Duration::from_millis(199));
        bench.round();
        assert!(bench.reactor.lingers());
        if ends {
            drop(client);
        } else {
            bench.clock.advance(SWEPT);
        }
        bench.until(|bench| bench.connection_count.get() == 1);
    }
}
