//! Streamed bodies of requests, on a clock that the test steps.

use super::*;
use crate::reactor::body::pipe::PIPE_BYTES;

/// Begins an upload. Returns the client, the address of the request, and the reader of its body.
fn begin(bench: &mut Bench) -> (BufReader<TcpStream>, ReplyAddress, BodyReader) {
    let mut client = bench.connect();
    client.get_mut().write_all(b"up:\n").unwrap();
    let address = bench.requested("up:");
    let reader = bench.readers.try_recv().unwrap();
    (client, address, reader)
}

fn read(reader: &mut BodyReader) -> Result<Option<Bytes>, BodyReadError> {
    reader.read(Duration::ZERO)
}

/// The bench asks for a pause of at most a second, and 10 seconds in all.
#[test]
fn a_client_that_is_slow_is_answered_and_its_reader_is_told() {
    let mut bench = Bench::new();
    let (mut client, address, mut reader) = begin(&mut bench);
    client.get_mut().write_all(b"piece\n").unwrap();
    bench.until(|_| read(&mut reader).is_ok());
    bench.clock.advance(Duration::from_millis(999));
    bench.round();
    assert_eq!(read(&mut reader), Err(BodyReadError::NotYet));
    bench.clock.advance(SWEPT);
    bench.until(|_| read(&mut reader) == Err(BodyReadError::Incomplete));
    bench.respond(address, "late");
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!([line(&mut client), line(&mut client)], ["too slow", ""]);
}

#[test]
fn a_body_that_is_streamed_has_a_total_time_at_any_rate() {
    let mut bench = Bench::new();
    let (mut client, _, mut reader) = begin(&mut bench);
    for _ in 0..20 {
        bench.clock.advance(Duration::from_millis(499));
        client.get_mut().write_all(b"01234567\n").unwrap();
        bench.until(|_| read(&mut reader).is_ok());
    }
    bench.clock.advance(SWEPT);
    bench.until(|_| read(&mut reader) == Err(BodyReadError::Incomplete));
}

/// The program reads nothing for longer than every time limit of a body. Its client goes on then.
#[test]
fn no_time_limit_runs_while_the_program_does_not_read() {
    let mut bench = Bench::new();
    let (mut client, address, mut reader) = begin(&mut bench);
    let piece = "x".repeat(PIPE_BYTES / 2) + "\n";
    // One piece more than there is room for, and the end. The socket has room for them.
    let wire = piece.repeat(3) + ".\n";
    client.get_mut().write_all(wire.as_bytes()).unwrap();
    bench.until(|bench| bench.reactor.waits_for_its_program());
    bench.clock.advance(Duration::from_secs(3600));
    for _ in 0..3 {
        bench.round();
    }
    let mut bytes = 0;
    bench.until(|_| match read(&mut reader) {
        Ok(Some(piece)) => {
            bytes += piece.len();
            false
        }
        Ok(None) => true,
        Err(error) => {
            assert_eq!(error, BodyReadError::NotYet);
            false
        }
    });
    assert_eq!(bytes, 3 * PIPE_BYTES / 2 + 1, "three pieces and the dot");
    bench.respond(address, "read");
    client.get_mut().write_all(b"next!\n").unwrap();
    bench.requested("next!");
    assert_eq!([line(&mut client), line(&mut client)], ["read", "next!"]);
}

#[test]
fn a_client_that_leaves_ends_its_body() {
    let mut bench = Bench::new();
    let (client, _, mut reader) = begin(&mut bench);
    drop(client);
    bench.until(|_| read(&mut reader) == Err(BodyReadError::Incomplete));
    bench.until(|bench| bench.connection_count.get() == 1);
}

/// Returns a bench with room for the pieces of this many uploads, and long time limits.
fn bench_for(uploads: usize) -> Bench {
    Bench::with(uploads * PIPE_BYTES, |settings| {
        settings.body = Duration::from_secs(3600);
        settings.body_total = Duration::from_secs(3600);
    })
}

/// The program keeps the reader of the upload that ends. The memory is free all the same.
#[test]
fn an_upload_that_has_sent_nothing_for_a_second_ends_for_another_one() {
    let mut bench = bench_for(2);
    let (mut silent, _, mut reader) = begin(&mut bench);
    let (mut sending, _, mut other) = begin(&mut bench);
    silent.get_mut().write_all(b"piece\n").unwrap();
    bench.until(|_| read(&mut reader).is_ok());
    bench.clock.advance(Duration::from_millis(600));
    sending.get_mut().write_all(b"piece\n").unwrap();
    bench.until(|_| read(&mut other).is_ok());
    bench.clock.advance(Duration::from_millis(400));
    let (_third, ..) = begin(&mut bench);
    assert_eq!(read(&mut reader), Err(BodyReadError::Incomplete));
    assert_eq!(read(&mut other), Err(BodyReadError::NotYet));
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!([line(&mut silent), line(&mut silent)], ["no memory", ""]);
}

/// The client has sent as much as the program lets it.
#[test]
fn no_upload_ends_because_its_program_does_not_read() {
    let mut bench = bench_for(1);
    let (mut client, _, mut reader) = begin(&mut bench);
    let piece = "x".repeat(PIPE_BYTES / 2) + "\n";
    client.get_mut().write_all(piece.repeat(3).as_bytes()).unwrap();
    bench.until(|bench| bench.reactor.waits_for_its_program());
    bench.clock.advance(Duration::from_secs(10));
    let mut other = bench.connect();
    other.get_mut().write_all(b"up:\n").unwrap();
    bench.until(|bench| bench.reactor.lingers());
    assert_eq!(line(&mut other), "no memory");
    assert!(matches!(read(&mut reader), Ok(Some(piece)) if piece.len() == PIPE_BYTES / 2));
}
