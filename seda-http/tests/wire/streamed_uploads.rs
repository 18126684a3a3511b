//! Request bodies that are streamed to the program: credit, memory, ends, interim responses.

#[cfg(target_os = "linux")]
use crate::bound::client_from;
use crate::client::{Client, LIMIT};
use crate::site::{Plan, Site, until};
use seda_http::h1::RequestHead;
use seda_http::{Body, BodyReadError, BodyReader, BodySender, HttpRequest, Response};
use std::io::Write;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// Bodies to `/upload` are streamed, with at most 1 GiB.
fn most(head: &RequestHead) -> Option<u64> {
    (head.uri().path() == "/upload").then_some(1 << 30)
}

fn plan() -> Plan {
    Plan { stream_bodies: Some(most), ..Plan::default() }
}

/// Sends the head of an upload, and returns the client and the request at its handler.
fn open(site: &Site, fields: &str) -> (Client, Upload) {
    let mut client = site.client();
    client.send(format!("POST /upload HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n"));
    (client, upload(site))
}

struct Upload {
    body: BodyReader,
    call: HttpRequest,
}

/// Returns the next request at its handler.
fn upload(site: &Site) -> Upload {
    let mut call = site.uploads.recv_timeout(LIMIT).unwrap();
    Upload { body: call.stream.take().expect("the body is streamed"), call }
}

impl Upload {
    fn read(&mut self) -> Result<Option<Vec<u8>>, BodyReadError> {
        self.body.read(LIMIT).map(|piece| piece.map(|piece| piece.to_vec()))
    }

    fn read_to_end(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        while let Some(piece) = self.read().unwrap() {
            bytes.extend_from_slice(&piece);
        }
        bytes
    }

    fn respond(self, text: &'static str) {
        self.call.respond(Response::new(Body::from(text)));
    }
}

/// The request is at its handler before its body has arrived, and the next one follows its end.
#[test]
fn a_body_is_read_while_it_arrives_and_the_connection_goes_on() {
    for plan in [plan(), plan().on_reactor()] {
        let site = plan.start();
        for chunked in [false, true] {
            let fields = if chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 10" };
            let (mut client, mut upload) = open(&site, fields);
            assert_eq!(upload.body.read(Duration::ZERO), Err(BodyReadError::NotYet));
            for part in ["hello", "world"] {
                client.send(if chunked { format!("5\r\n{part}\r\n") } else { part.to_owned() });
                assert_eq!(upload.read(), Ok(Some(part.into())));
            }
            if chunked {
                client.send("0\r\nX-Trailer: y\r\n\r\n");
            }
            assert_eq!((upload.read(), upload.read()), (Ok(None), Ok(None)));
            upload.respond("read\n");
            let response = client.response();
            assert_eq!((response.text(), response.closes()), ("read\n", false));
            assert_eq!(client.fetch("/hello").text(), "hello\n");
        }
    }
}

/// Small and empty bodies arrive with their head. Others than uploads are read whole.
#[test]
fn a_body_that_comes_with_its_head_is_read_in_the_same_way() {
    let site = plan().start();
    let mut client = site.client();
    for body in ["", "hello"] {
        client.send(format!(
            "POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        let mut upload = upload(&site);
        assert_eq!(upload.read_to_end(), body.as_bytes());
        upload.respond("read\n");
        assert_eq!(client.response().text(), "read\n");
    }
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nhi");
    assert_eq!(client.response().text(), "hi");
    // The limit of bodies that are read whole still holds for them.
    client.send(format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {}\r\n\r\n", 2 * MIB));
    assert_eq!(client.response().status, 413);
}

/// The client sends 32 MiB to a program that does not read: what the server takes is bounded.
#[test]
fn a_program_that_does_not_read_stops_its_client() {
    let site = plan().start();
    let (client, mut upload) = open(&site, &format!("Content-Length: {}", 32 * MIB));
    let mut socket = client.socket().try_clone().unwrap();
    socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let piece = vec![b'x'; 64 * 1024];
    let mut sent = 0;
    while let Ok(bytes) = socket.write(&piece) {
        sent += bytes;
    }
    assert!(sent < 24 * MIB, "{sent} bytes were taken");
    assert_eq!(site.server.counts().body_bytes, 64 * 1024);
    socket.set_write_timeout(Some(LIMIT)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || socket.write_all(&vec![b'x'; 32 * MIB - sent]).unwrap());
        assert_eq!(upload.read_to_end().len(), 32 * MIB);
    });
    upload.respond("read\n");
    until("the memory is given back", || site.server.counts().body_bytes == 0);
}

/// RFC 9110 §10.1.1: the client sends its body after `100 Continue`, which is sent once the program
/// reads; a final response instead of it ends the connection.
#[test]
fn the_client_is_told_to_go_on_once_the_program_reads() {
    let site = plan().start();
    let fields = "Content-Length: 5\r\nExpect: 100-continue";
    let (mut client, mut upload) = open(&site, fields);
    assert!(!client.has_bytes());
    assert_eq!(upload.body.read(Duration::ZERO), Err(BodyReadError::NotYet));
    assert_eq!(client.response_without_body().status, 100);
    client.send("hello");
    assert_eq!(upload.read_to_end(), b"hello");
    upload.respond("read\n");
    assert_eq!(client.response().text(), "read\n");
    assert_eq!(client.fetch("/hello").text(), "hello\n");
    // The program answers without reading.
    let (mut client, upload) = open(&site, fields);
    upload.respond("no, thanks\n");
    let response = client.response();
    assert_eq!((response.text(), response.closes()), ("no, thanks\n", true));
    client.expect_end();
}

/// RFC 9112 §9.6: the client writes its whole body and still reads the response.
#[test]
fn a_response_before_the_end_of_the_body_is_the_last_and_is_read() {
    let site = plan().start();
    let (mut client, mut upload) = open(&site, &format!("Content-Length: {}", 4 * MIB));
    client.send(vec![b'x'; 1024]);
    assert!(upload.read().is_ok());
    let Upload { body, call } = upload;
    call.respond(Response::new(Body::from("enough\n")));
    client.send(vec![b'x'; 4 * MIB - 1024]);
    let response = client.response();
    assert_eq!((response.text(), response.closes()), ("enough\n", true));
    client.expect_end();
    drop(body);
}

/// Pieces wait in 64 KiB for each upload, so a budget of 1 MiB is used up by 16 of them. None of
/// these has to send before the program reads, so none ends for another.
#[test]
fn an_upload_without_room_for_its_pieces_is_refused_from_its_head() {
    let plan = Plan::with(|http| http.body.budget = MIB);
    let site = Plan { stream_bodies: Some(most), ..plan }.start();
    let fields = format!("Content-Length: {MIB}");
    let waiting = format!("{fields}\r\nExpect: 100-continue");
    let uploads: Vec<_> = (0..16).map(|_| open(&site, &waiting)).collect();
    let mut refused = site.client();
    refused.send(format!("POST /upload HTTP/1.1\r\nHost: t\r\n{fields}\r\n\r\n"));
    let response = refused.response();
    assert_eq!((response.status, response.closes()), (503, true));
    refused.expect_end();
    drop(uploads);
    until("the memory is given back", || site.server.counts().body_bytes == 0);
    assert_eq!(site.admitted(), 16);
}

/// One client holds the budget with uploads whose bytes do not come, half of them as the last
/// request of its connection. Another one's uploads end some of them.
#[test]
#[cfg(target_os = "linux")]
fn slow_streamed_uploads_lock_no_other_client_out() {
    let plan = Plan::with(|http| http.body.budget = MIB);
    let site = Plan { stream_bodies: Some(most), ..plan }.start();
    let begin = |host, fields: &str| {
        let mut client = client_from(&site, host);
        client.send(format!(
            "POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: {MIB}\r\n{fields}\r\nx"
        ));
        let mut upload = upload(&site);
        assert_eq!(upload.read(), Ok(Some(b"x".to_vec())));
        (client, upload)
    };
    let mut slow: Vec<_> = (0..8).map(|_| begin(1, "")).collect();
    slow.extend((0..8).map(|_| begin(1, "Connection: close\r\n")));
    assert_eq!(site.server.counts().body_bytes, MIB);
    // The ninth would make the other client the greedier one.
    let others: Vec<_> = (0..8).map(|_| begin(2, "")).collect();
    assert_eq!(site.server.counts().ended_uploads, 8);
    let mut ended = Vec::new();
    until("the ended uploads have their answers", || {
        let has_answer = |(client, _): &mut (Client, Upload)| client.has_bytes();
        ended.extend(slow.extract_if(.., has_answer));
        ended.len() == 8
    });
    for (client, upload) in &mut ended {
        assert_eq!(client.response().status, 503);
        assert_eq!(upload.read(), Err(BodyReadError::Incomplete));
    }
    drop((slow, others, ended));
    until("the memory is given back", || site.server.counts().body_bytes == 0);
}

/// RFC 9112 §9.6: `close` ends the connection after the response, and the body is read before.
#[test]
fn the_body_of_the_last_request_is_read_to_its_end() {
    let site = plan().start();
    for version in ["1.0", "1.1"] {
        let mut client = site.client();
        client.send(format!(
            "POST /upload HTTP/{version}\r\nHost: t\r\nConnection: close\r\n\
             Content-Length: {MIB}\r\n\r\n"
        ));
        let mut upload = upload(&site);
        client.send(vec![b'x'; MIB]);
        assert_eq!(upload.read_to_end().len(), MIB);
        upload.respond("read\n");
        let response = client.response();
        assert_eq!((response.text(), response.closes()), ("read\n", true));
        client.expect_end();
    }
}

/// The reader is dropped while its client sends. The program answers later.
#[test]
fn a_dropped_reader_stops_its_client_until_the_answer() {
    let site = plan().start();
    let (mut client, upload) = open(&site, &format!("Content-Length: {}", 32 * MIB));
    client.send(vec![b'x'; 1024]);
    let Upload { mut body, call } = upload;
    assert!(body.read(LIMIT).is_ok());
    drop(body);
    until("the memory is given back", || site.server.counts().body_bytes == 0);
    call.respond(Response::new(Body::from("enough\n")));
    client.try_send(vec![b'x'; 32 * MIB - 1024]);
    let response = client.response();
    assert_eq!((response.text(), response.closes()), ("enough\n", true));
}

/// Each way in which a body can end early is told to the program, and its memory is given back.
#[test]
fn a_body_that_ends_early_is_an_error_for_its_reader() {
    let plan = Plan {
        stream_bodies: Some(most),
        ..Plan::with(|http| http.body.timeout = Duration::from_millis(50))
    };
    let site = plan.start();
    let fails = |upload: &mut Upload| loop {
        match upload.read() {
            Ok(piece) => assert!(piece.is_some(), "the body has no end"),
            Err(error) => break error == BodyReadError::Incomplete,
        }
    };
    // The client leaves.
    let (client, mut left) = open(&site, "Content-Length: 10");
    drop(client);
    assert!(fails(&mut left));
    left.respond("late\n");
    // It stops to send.
    let (mut client, mut slow) = open(&site, "Content-Length: 10");
    client.send("x");
    assert!(fails(&mut slow));
    let response = client.response();
    assert_eq!((response.status, response.closes()), (408, true));
    slow.respond("late\n");
    client.expect_end();
    // It sends garbage in place of a chunk.
    let (mut client, mut garbled) = open(&site, "Transfer-Encoding: chunked");
    client.send("5\r\nhello\r\ngarbage\r\n");
    assert!(fails(&mut garbled));
    assert_eq!(client.response().status, 400);
    drop(garbled);
    client.expect_end();
    until("the memory is given back", || site.server.counts().body_bytes == 0);
}

#[test]
fn a_reset_after_any_byte_of_a_body_is_an_error_for_its_reader() {
    let site = plan().start();
    let body = b"5\r\nhello\r\n5\r\nworld\r\n0\r\nA: b\r\n\r\n";
    for sent in 0..=body.len() {
        let (mut client, mut upload) = open(&site, "Transfer-Encoding: chunked");
        client.send(&body[..sent]);
        drop(client);
        let mut read = Vec::new();
        let end = loop {
            match upload.read() {
                Ok(Some(piece)) => read.extend_from_slice(&piece),
                Ok(None) => break true,
                Err(_) => break false,
            }
        };
        assert_eq!(end, sent == body.len(), "{sent}");
        assert!(!end || read == b"helloworld");
        upload.respond("read\n");
    }
    assert_eq!(site.client().fetch("/hello").text(), "hello\n");
}

/// 413 from the head for a declared length, and in its course for a chunked body.
#[test]
fn a_body_beyond_its_own_limit_is_refused() {
    fn most(_head: &RequestHead) -> Option<u64> {
        Some(10)
    }
    let site = Plan { stream_bodies: Some(most), ..Plan::default() }.start();
    for length in [11, 5 * MIB] {
        let mut client = site.client();
        client
            .send(format!("POST /upload HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n"));
        if length == 11 {
            client.send("hello world");
        }
        assert_eq!(client.response().status, 413);
    }
    let (mut client, mut upload) = open(&site, "Transfer-Encoding: chunked");
    client.send("5\r\nhello\r\n6\r\n world\r\n");
    assert_eq!(client.response().status, 413);
    assert!(upload.read().is_err());
    client.expect_end();
}

/// The response returns the pieces as they are read: both directions at once. Its head comes before
/// the end of the body, so the response is the last.
#[test]
fn a_response_may_be_streamed_while_the_body_arrives() {
    let site = plan().start();
    let (mut client, upload) = open(&site, "Transfer-Encoding: chunked");
    let Upload { mut body, call } = upload;
    let (mut sender, stream) = BodySender::chunked();
    call.respond(Response::new(stream));
    assert!(client.head().closes());
    for part in ["one", "two"] {
        client.send(format!("3\r\n{part}\r\n"));
        let piece = body.read(LIMIT).unwrap().unwrap();
        sender.send(piece, LIMIT).unwrap();
        assert_eq!(client.chunk(), part.as_bytes());
    }
    client.send("0\r\n\r\n");
    assert_eq!(body.read(LIMIT), Ok(None));
    sender.finish().unwrap();
    assert_eq!(client.chunks().0, b"");
    client.expect_end();
}
