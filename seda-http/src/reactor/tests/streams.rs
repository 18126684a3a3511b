//! Streamed responses, on a clock that the test steps.

use super::*;
use std::io::Read;

/// Sends a request and responds with a stream. Returns the client and the pipe of the stream.
fn stream(bench: &mut Bench, filler: Option<Filler>) -> (BufReader<TcpStream>, Arc<Pipe>) {
    let mut client = bench.connect();
    client.get_mut().write_all(b"a\n").unwrap();
    let address = bench.requested("a");
    let pipe = Arc::new(Pipe::default());
    let body = Body::Stream(BodyStream::new(Arc::clone(&pipe), None, filler));
    bench.streams.send(body).unwrap();
    bench.respond(address, "stream");
    bench.until(|bench| bench.reactor.streams());
    (client, pipe)
}

fn push(pipe: &Pipe, piece: &'static str) {
    pipe.push(Bytes::from_static(piece.as_bytes())).unwrap();
}

/// The program is silent for longer than every time limit of the connection.
#[test]
fn no_time_limit_runs_while_the_program_sends_nothing() {
    let mut bench = Bench::new();
    let (mut client, pipe) = stream(&mut bench, None);
    for piece in ["one", "two", "three"] {
        bench.clock.advance(Duration::from_secs(3600));
        bench.round();
        push(&pipe, piece);
        bench.round();
        assert_eq!(line(&mut client), format!("{} {piece}", piece.len()));
    }
    pipe.end(PipeEnd::Finished(Bytes::from_static(b"end\n")));
    bench.round();
    assert_eq!(line(&mut client), "end");
    // The connection goes on, with its time limits.
    client.get_mut().write_all(b"b!\n").unwrap();
    bench.requested("b!");
    assert_eq!(line(&mut client), "b!");
    bench.clock.advance(Duration::from_secs(2));
    bench.until(|bench| bench.reactor.lingers());
}

/// The client takes a part of the bytes and then none for the time of `write`.
#[test]
fn a_client_that_does_not_read_is_disconnected_and_the_program_is_told() {
    let mut bench = Bench::new();
    let (client, pipe) = stream(&mut bench, None);
    while pipe.push(Bytes::from(vec![b'x'; 32 * 1024])).is_ok() {
        bench.round();
    }
    assert!(!pipe.is_gone());
    bench.clock.advance(Duration::from_millis(999));
    bench.round();
    assert!(!pipe.is_gone());
    bench.until(|bench| {
        // The socket may take a little more, which begins the time anew.
        bench.clock.advance(SWEPT);
        pipe.is_gone()
    });
    bench.until(|bench| bench.connection_count.get() == 1);
    drop(client);
}

/// Bytes that the reactor has taken and the socket has not still hold their place.
#[test]
fn the_bytes_beyond_the_socket_are_bounded() {
    let mut bench = Bench::new();
    let (mut client, pipe) = stream(&mut bench, None);
    let mut pushed = 0;
    let piece = Bytes::from(vec![b'x'; 8 * 1024]);
    while pipe.push(piece.clone()).is_ok() {
        pushed += piece.len();
        bench.round();
    }
    // The client empties the sockets; the program pushes nothing meanwhile.
    client.get_ref().set_read_timeout(Some(Duration::from_secs(1))).unwrap();
    let (mut read, mut buffer) = (0, vec![0; 64 * 1024]);
    while let Ok(bytes) = client.get_mut().read(&mut buffer) {
        read += buffer[..bytes].iter().filter(|byte| **byte == b'x').count();
    }
    assert!(pushed - read <= body::pipe::PIPE_BYTES, "{} bytes are held", pushed - read);
    assert!(pushed > read, "the socket was full");
}

#[test]
fn a_stream_that_is_cut_short_is_written_so_far_and_has_no_end() {
    let mut bench = Bench::new();
    let (mut client, pipe) = stream(&mut bench, None);
    push(&pipe, "one");
    pipe.end(PipeEnd::Cut);
    bench.until(|bench| bench.connection_count.get() == 1);
    assert_eq!([line(&mut client), line(&mut client)], ["3 one", ""]);
}

/// A request behind a stream waits in the socket, however long the stream lasts.
#[test]
fn requests_behind_a_stream_are_taken_after_it() {
    let mut bench = Bench::new();
    let (mut client, pipe) = stream(&mut bench, None);
    client.get_mut().write_all(b"b!\n").unwrap();
    for _ in 0..3 {
        bench.round();
    }
    assert!(bench.reactor.service().0.is_empty());
    pipe.end(PipeEnd::Finished(Bytes::from_static(b"end\n")));
    bench.requested("b!");
    assert_eq!([line(&mut client), line(&mut client)], ["end", "b!"]);
}

/// The filler follows each silence, also the one after a filler, and a drain ends the stream.
#[test]
fn a_silent_stream_with_a_filler_gets_it_until_a_drain_ends_it() {
    let mut bench = Bench::new();
    let filler = Filler { piece: Bytes::from_static(b"?"), after: Duration::from_secs(5) };
    let (mut client, pipe) = stream(&mut bench, Some(filler));
    for _ in 0..2 {
        bench.clock.advance(Duration::from_secs(3));
        bench.round();
        push(&pipe, "one");
        bench.round();
        assert_eq!(line(&mut client), "3 one");
    }
    for _ in 0..2 {
        bench.clock.advance(Duration::from_secs(4));
        bench.round();
        bench.clock.advance(Duration::from_secs(1) + SWEPT);
        bench.round();
        bench.round();
        assert_eq!(line(&mut client), "1 ?");
    }
    bench.mailbox.send(ReactorMessage::Drain);
    bench.until(|_| pipe.is_gone());
    assert_eq!(line(&mut client), ".");
}

/// Without half-close, a client that shuts its sending side has left.
#[test]
fn a_shut_sending_side_ends_a_stream_unless_half_close_is_allowed() {
    let mut bench = Bench::new();
    let (client, pipe) = stream(&mut bench, None);
    client.get_ref().shutdown(std::net::Shutdown::Write).unwrap();
    bench.until(|_| pipe.is_gone());
}
