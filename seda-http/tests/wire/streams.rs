//! Bodies that the program sends in pieces: framing, back-pressure, ends.

use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use seda_http::{BodySendError, BodySender, Event, HeaderMap, HeaderValue};
use std::io::ErrorKind;
use std::time::Duration;

/// Opens `path` and returns the client, after the head of the response, with the sender.
fn open(site: &Site, path: &str) -> (Client, BodySender) {
    let mut client = site.client();
    client.get(path);
    (client, site.sender())
}

/// Sends pieces until the client's silence keeps one out. Returns the bytes of those accepted.
fn fill(sender: &mut BodySender, piece: &[u8]) -> usize {
    let mut accepted = 0;
    // The reactor empties the pipe into the socket until the socket is full.
    while sender.send(piece.to_vec(), Duration::from_millis(200)).is_ok() {
        accepted += piece.len();
    }
    accepted
}

/// RFC 9112 §7.1 and §9.3.2: the response behind a stream follows its last chunk.
#[test]
fn a_stream_is_chunked_and_the_next_response_follows_its_last_chunk() {
    for plan in [Plan::default(), Plan::default().on_reactor()] {
        let site = plan.start();
        let (mut client, mut sender) = open(&site, "/stream");
        client.get("/hello");
        let head = client.head();
        assert_eq!((head.status, head.field("transfer-encoding")), (200, Some("chunked")));
        assert_eq!(head.field("content-length"), None);
        for piece in [&b"one"[..], b"", &[b'x'; 70_000]] {
            sender.send(piece.to_vec(), LIMIT).unwrap();
            if !piece.is_empty() {
                assert_eq!(client.chunk(), piece);
            }
        }
        sender.finish().unwrap();
        assert_eq!(client.chunks(), (Vec::new(), Vec::new()));
        assert_eq!(client.response().text(), "hello\n");
    }
}

/// RFC 9110 §6.5: trailers follow the last chunk. Those that would change the framing are left out.
#[test]
fn trailers_follow_the_last_chunk() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream");
    let mut trailers = HeaderMap::new();
    for (name, value) in [("x-sum", "5d41"), ("content-length", "3"), ("transfer-encoding", "x")] {
        trailers.insert(name, HeaderValue::from_static(value));
    }
    sender.try_send("hello").unwrap();
    sender.finish_with(&trailers).unwrap();
    client.head();
    assert_eq!(client.chunks(), (b"hello".to_vec(), vec!["x-sum: 5d41".to_owned()]));
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

/// RFC 9112 §6.3: without chunks the end of the connection ends the body.
#[test]
fn the_end_of_the_connection_ends_a_stream_to_an_http_1_0_client() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    let mut sender = site.sender();
    let head = client.head();
    assert!(head.closes() && head.field("transfer-encoding").is_none());
    sender.send("one", LIMIT).unwrap();
    assert_eq!(client.bytes(3), b"one");
    sender.finish().unwrap();
    client.expect_end();
}

/// A FIN would be the end of the body.
#[test]
#[cfg(target_os = "linux")]
fn a_stream_to_an_http_1_0_client_that_is_cut_short_ends_with_a_reset() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    let mut sender = site.sender();
    client.head();
    sender.send("one", LIMIT).unwrap();
    assert_eq!(client.bytes(3), b"one");
    drop(sender);
    assert_eq!(client.end().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// The same at the end of a server that does not wait for its program.
#[test]
#[cfg(target_os = "linux")]
fn a_stream_to_an_http_1_0_client_that_a_drain_cuts_short_ends_with_a_reset() {
    let site = Site::start();
    let mut client = site.client();
    client.send("GET /stream HTTP/1.0\r\n\r\n");
    let _sender = site.sender();
    client.head();
    site.server.drain(Duration::from_millis(100));
    assert_eq!(client.end().unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// The bytes behind a body without a length would be part of it.
#[test]
fn no_response_follows_a_body_that_the_end_of_the_connection_ends() {
    let site = Site::start();
    let mut client = site.client();
    let request = "GET /PATH HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    client.send(request.replace("PATH", "stream") + &request.replace("PATH", "hello"));
    let mut sender = site.sender();
    client.head();
    sender.send("one", LIMIT).unwrap();
    assert_eq!(client.bytes(3), b"one");
    sender.finish().unwrap();
    client.expect_end();
}

/// The end of a stream with a declared length is no byte that the reactor could wait for.
#[test]
fn the_next_response_follows_a_stream_of_declared_length_that_is_finished_late() {
    for plan in [Plan::default(), Plan::default().on_reactor()] {
        let site = plan.start();
        let (mut client, mut sender) = open(&site, "/stream?5");
        client.get("/hello");
        sender.try_send("hello").unwrap();
        assert_eq!(client.response().text(), "hello");
        std::thread::park_timeout(Duration::from_millis(50));
        sender.finish().unwrap();
        assert_eq!(client.response().text(), "hello\n");
    }
}

#[test]
fn a_declared_length_is_kept() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream?5");
    sender.try_send("he").unwrap();
    sender.try_send("llo").unwrap();
    assert_eq!(sender.try_send("!"), Err(BodySendError::TooLong { excess: 1 }));
    drop(sender);
    let response = client.response();
    assert_eq!((response.text(), response.field("transfer-encoding")), ("hello", None));
    assert_eq!(client.rest(), b"");
    // The right length keeps the connection.
    let (mut client, mut sender) = open(&site, "/stream?5");
    sender.try_send("hello").unwrap();
    sender.finish().unwrap();
    assert_eq!(client.response().text(), "hello");
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

#[test]
fn a_body_shorter_than_its_declared_length_is_an_error_and_ends_the_connection() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream?5");
    sender.try_send("hell").unwrap();
    assert_eq!(sender.finish(), Err(BodySendError::TooShort { missing: 1 }));
    client.head();
    assert_eq!(client.rest(), b"hell");
}

/// RFC 9112 §8: a chunked body without its last chunk is incomplete.
#[test]
fn a_sender_that_is_dropped_ends_the_connection_without_the_last_chunk() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream");
    sender.try_send("hello").unwrap();
    drop(sender);
    client.head();
    assert_eq!(client.rest(), b"5\r\nhello\r\n");
}

/// RFC 9110 §9.3.2: no bytes after the head. RFC 9110 §15.3.5: none with 204.
#[test]
fn a_response_to_head_has_no_bytes_and_its_sender_knows() {
    let site = Site::start();
    let mut client = site.client();
    client.send("HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n");
    let mut sender = site.sender();
    assert_eq!(client.response_without_body().status, 200);
    until("the sender knows", || sender.is_gone());
    assert_eq!(sender.try_send("x"), Err(BodySendError::Gone));
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

/// The client reads nothing: what the program can send is bounded by the sockets' buffers and the
/// bound of the sender.
#[test]
fn a_client_that_does_not_read_costs_a_bounded_number_of_bytes() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream");
    let piece = [b'x'; 8 * 1024];
    let accepted = fill(&mut sender, &piece);
    let error = sender.try_send(piece.to_vec());
    assert_eq!(error, Err(BodySendError::Full(piece.to_vec().into())));
    // Loopback itself holds a few MiB.
    assert!(accepted < 16 * 1024 * 1024, "{accepted} bytes were accepted");
    // Further pieces are accepted once the client reads.
    client.head();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| client.chunks().0.len());
        for _ in 0..64 {
            sender.send(piece.to_vec(), LIMIT).unwrap();
        }
        sender.finish().unwrap();
        assert_eq!(reader.join().unwrap(), accepted + 64 * piece.len());
    });
}

#[test]
fn the_sender_learns_that_its_client_has_left() {
    let site = Site::start();
    let (client, mut sender) = open(&site, "/stream");
    sender.try_send("x").unwrap();
    drop(client);
    let is_gone = |sender: &mut BodySender| match sender.try_send("y") {
        Err(error) => error == BodySendError::Gone,
        Ok(()) => false,
    };
    until("the sender is told", || is_gone(&mut sender));
    assert!(sender.is_gone());
    assert_eq!(sender.send("z", LIMIT), Err(BodySendError::Gone));
    assert_eq!(sender.finish(), Err(BodySendError::Gone));
}

/// The client resets after each number of bytes that it has read; others are served.
#[test]
fn a_reset_at_any_byte_of_a_stream_costs_its_own_connection_alone() {
    let site = Site::start();
    for read in 0..40 {
        let (mut client, mut sender) = open(&site, "/stream");
        sender.try_send("hello ").unwrap();
        sender.try_send("world").unwrap();
        client.bytes(read);
        // Unread bytes make the close a reset.
        drop(client);
        until("the sender is told", || sender.try_send("x").is_err());
    }
    assert_eq!(site.client().fetch("/hello").text(), "hello\n");
}

/// Its program sends nothing, so the stream has until the end of the drain; then it is cut.
#[test]
fn a_silent_stream_ends_within_the_limit_of_a_drain() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream");
    sender.try_send("hello").unwrap();
    client.head();
    assert_eq!(client.chunk(), b"hello");
    let drained = site.server.drain(Duration::from_millis(100));
    assert!(drained.complete, "the request itself was answered");
    assert_eq!(client.rest(), b"");
    until("the sender is told", || sender.try_send("x") == Err(BodySendError::Gone));
}

#[test]
fn a_stream_that_goes_on_in_a_drain_is_finished() {
    let site = Site::start();
    let (mut client, mut sender) = open(&site, "/stream");
    client.head();
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| site.server.drain(LIMIT));
        for _ in 0..10 {
            sender.send("piece", LIMIT).unwrap();
            assert_eq!(client.chunk(), b"piece");
        }
        sender.finish().unwrap();
        assert_eq!(client.chunks().0, b"");
        client.expect_end();
        assert!(drain.join().unwrap().complete);
    });
}

/// WHATWG HTML §9.2: the type, and comments while there is no event.
#[test]
fn an_event_stream_has_comments_while_it_is_silent_and_ends_with_its_sender() {
    let site = Site::start();
    let mut client = site.client();
    client.get("/events");
    let mut sender = site.events.recv_timeout(LIMIT).unwrap();
    let head = client.head();
    assert_eq!(head.field("content-type"), Some("text/event-stream"));
    assert_eq!(head.field("cache-control"), Some("no-store"));
    assert_eq!([client.chunk(), client.chunk()], [b":\n\n", b":\n\n"]);
    sender.try_send(&Event::new("a\nb").with_id("1").unwrap()).unwrap();
    let mut chunk = client.chunk();
    while chunk == b":\n\n" {
        chunk = client.chunk();
    }
    assert_eq!(chunk, b"id: 1\ndata: a\ndata: b\n\n");
    drop(sender);
    let (rest, _) = client.chunks();
    assert!(rest.chunks(3).all(|comment| comment == b":\n\n"));
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

#[test]
fn a_client_that_leaves_an_event_stream_is_noticed_without_an_event() {
    let site = Site::start();
    let mut client = site.client();
    client.get("/events");
    let sender = site.events.recv_timeout(LIMIT).unwrap();
    client.head();
    drop(client);
    until("the sender is told", || sender.is_gone());
}

/// An event stream has no end of its own, so a drain does not wait for it.
#[test]
fn a_drain_ends_event_streams_whole_and_at_once() {
    let site = Site::start();
    let mut client = site.client();
    client.get("/events");
    let mut sender = site.events.recv_timeout(LIMIT).unwrap();
    sender.try_send(&Event::new("last")).unwrap();
    client.head();
    let drained = site.server.drain(LIMIT);
    assert!(drained.complete);
    let (events, _) = client.chunks();
    assert!(events.ends_with(b":\n\n") || events.ends_with(b"data: last\n\n"));
    client.expect_end();
    assert_eq!(sender.try_send(&Event::new("late")), Err(BodySendError::Gone));
}
