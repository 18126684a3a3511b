//! A client and a server back to back in memory.

use super::session::{End, Received};
use super::{CertificateFiles, Handshaker, Session, TlsConfig, TlsError, TlsServer};
use bytes::BytesMut;
use rcgen::generate_simple_self_signed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{AlertDescription, ClientConfig, ClientConnection, RootCertStore};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A limit that only a defect reaches.
const LIMIT: Duration = Duration::from_secs(60);

/// One direction of a socket.
struct Pipe {
    bytes: VecDeque<u8>,
    /// The most bytes on their way.
    capacity: usize,
    /// The most bytes of one read.
    piece: usize,
    has_ended: bool,
}

impl Pipe {
    fn new(capacity: usize, piece: usize) -> Self {
        Self { bytes: VecDeque::new(), capacity, piece, has_ended: false }
    }
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bytes.is_empty() && !self.has_ended {
            return Err(ErrorKind::WouldBlock.into());
        }
        let most = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..most])
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.capacity - self.bytes.len();
        if room == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let taken = bytes.len().min(room);
        self.bytes.extend(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A directory with files, removed at the end.
struct Files(PathBuf);

impl Files {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("seda-tls-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a certificate for `host` and its key.
    fn certificate(&self, host: &str) -> CertificateFiles {
        let made = generate_simple_self_signed(vec![host.to_owned()]).unwrap();
        let files = CertificateFiles::new(self.0.join(host), self.0.join(format!("{host}.key")));
        fs::write(&files.chain, made.cert.pem()).unwrap();
        fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
        files
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn config(certificates: Vec<CertificateFiles>) -> TlsConfig {
    TlsConfig { certificates }
}

/// Returns a client that trusts these certificates and offers these protocols.
fn client(host: &str, trusted: &[&Path], protocols: &[&str]) -> Session {
    let mut roots = RootCertStore::empty();
    for file in trusted {
        roots.add(CertificateDer::from_pem_file(file).unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let name = ServerName::try_from(host.to_owned()).unwrap();
    Session::new(ClientConnection::new(Arc::new(config), name).unwrap())
}

/// One side with what it has yet to send, and what it has got.
struct Side {
    session: Session,
    unsent: Vec<u8>,
    /// It closes after its last byte.
    closes: bool,
    got: BytesMut,
    scratch: Vec<u8>,
}

impl Side {
    fn new(session: Session, unsent: Vec<u8>) -> Self {
        let scratch = vec![0; 64 * 1024];
        Self { session, unsent, closes: true, got: BytesMut::new(), scratch }
    }

    /// Does all that it can without the other side. Returns true if it did anything.
    fn step(&mut self, from: &mut Pipe, to: &mut Pipe, most: usize) -> io::Result<bool> {
        let pushed = self.session.push(to)?.bytes;
        if self.session.is_handshaking() {
            let received = self.session.receive(from, &mut self.scratch)?;
            self.session.proceed()?;
            return Ok(pushed + received.wire > 0);
        }
        let read = self.session.read(from, &mut self.scratch, &mut self.got, most)?;
        let taken = self.session.write(&[IoSlice::new(&self.unsent)])?;
        self.unsent.drain(..taken);
        if self.unsent.is_empty() && self.closes {
            self.session.close();
        }
        Ok(pushed + read.plain + read.wire + taken > 0 || self.session.has_records())
    }
}

/// Lets both sides work until neither can. Returns the first error of each.
fn run(
    client: &mut Side,
    server: &mut Side,
    mut pipes: [Pipe; 2],
    most: usize,
) -> [io::Result<()>; 2] {
    let [to_server, to_client] = &mut pipes;
    let mut results = [Ok(()), Ok(())];
    for _ in 0..1_000_000 {
        let mut works = false;
        if results[0].is_ok() {
            match client.step(to_client, to_server, most) {
                Ok(did) => works |= did,
                Err(error) => results[0] = Err(error),
            }
        }
        if results[1].is_ok() {
            match server.step(to_server, to_client, most) {
                Ok(did) => works |= did,
                Err(error) => {
                    // The alert.
                    let _ = server.session.push(to_client);
                    results[1] = Err(error);
                    works = true;
                }
            }
        }
        if !works {
            return results;
        }
    }
    panic!("the sides do not come to an end");
}

fn bytes(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

fn alert(error: &io::Error) -> Option<AlertDescription> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::AlertReceived(alert) => Some(*alert),
        _ => None,
    }
}

/// The pieces have every length up to that of a record's header and beyond, and the sockets hold a
/// few bytes or many.
#[test]
fn both_directions_carry_their_bytes_and_their_ends_at_every_split() {
    let files = Files::new("splits");
    let certificate = files.certificate("a.example");
    let tls = TlsServer::load(&config(vec![certificate.clone()])).unwrap();
    let sizes = (1..=9).map(|piece| (7, piece, 100)).chain([
        (1, 1, 1),
        (4096, 5, 1),
        (100, 1_000, 3_000),
        (1 << 20, 1 << 20, usize::MAX),
        (1 << 20, 1 << 20, 1),
    ]);
    for (capacity, piece, most) in sizes {
        let sent = [bytes(18_000), bytes(35_000)];
        let session = client("a.example", &[&certificate.chain], &["http/1.1"]);
        let mut client = Side::new(session, sent[0].clone());
        let mut server = Side::new(*tls.session().unwrap(), sent[1].clone());
        let pipes = [Pipe::new(capacity, piece), Pipe::new(capacity, piece)];
        let results = run(&mut client, &mut server, pipes, most);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert!(server.got == sent[0] && client.got == sent[1], "pieces of {piece}");
        let ends = [client.session.end(), server.session.end()];
        assert_eq!(ends, [Some(End::Closed); 2], "pieces of {piece}");
    }
}

/// Brings both sides to the end of their handshake, and returns the pipes.
fn established(files: &Files) -> (Side, Side) {
    let certificate = files.certificate("a.example");
    let tls = TlsServer::load(&config(vec![certificate.clone()])).unwrap();
    let session = client("a.example", &[&certificate.chain], &[]);
    let mut client = Side::new(session, Vec::new());
    let mut server = Side::new(*tls.session().unwrap(), Vec::new());
    (client.closes, server.closes) = (false, false);
    let pipes = [Pipe::new(1 << 20, 1 << 20), Pipe::new(1 << 20, 1 << 20)];
    let results = run(&mut client, &mut server, pipes, usize::MAX);
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    assert!(!client.session.is_handshaking() && !server.session.is_handshaking());
    (client, server)
}

#[test]
fn an_end_without_close_notify_is_a_truncation() {
    let (mut client, mut server) = established(&Files::new("truncated"));
    let mut pipe = Pipe::new(1 << 20, 1 << 20);
    client.session.write(&[IoSlice::new(b"cut")]).unwrap();
    client.session.push(&mut pipe).unwrap();
    pipe.has_ended = true;
    let (scratch, got) = (&mut server.scratch, &mut server.got);
    for end in [None, Some(End::Truncated)] {
        server.session.read(&mut pipe, scratch, got, usize::MAX).unwrap();
        assert_eq!(server.session.end(), end);
    }
    assert_eq!(server.got, "cut");
}

/// The other side sends a megabyte, and this side takes twenty bytes: it reads the socket once.
#[test]
fn plaintext_that_has_no_room_is_bounded() {
    let (mut client, mut server) = established(&Files::new("bounded-in"));
    let mut pipe = Pipe::new(1 << 20, 1 << 20);
    for _ in 0..16 {
        client.session.write(&[IoSlice::new(&bytes(60_000))]).unwrap();
        client.session.push(&mut pipe).unwrap();
    }
    let before = pipe.bytes.len();
    let (scratch, got) = (&mut server.scratch, &mut server.got);
    for taken in 1..=20 {
        server.session.read(&mut pipe, scratch, got, 1).unwrap();
        assert_eq!(got.len(), taken);
    }
    let read = before - pipe.bytes.len();
    assert!(read <= 32 * 1024, "{read} bytes were read for 20 bytes of room");
}

/// A socket that takes nothing gets at most the bound of records.
#[test]
fn records_that_the_socket_does_not_take_are_bounded() {
    let (mut client, _server) = established(&Files::new("bounded-out"));
    let mut full = Pipe::new(1, 1);
    full.write_all(b"x").unwrap();
    let mut taken = 0;
    for _ in 0..100 {
        taken += client.session.write(&[IoSlice::new(&bytes(20_000))]).unwrap();
        assert!(client.session.push(&mut full).unwrap().is_full);
    }
    assert!((48 * 1024..=64 * 1024).contains(&taken), "{taken} bytes were taken");
}

#[test]
fn a_read_says_whether_the_socket_has_more() {
    let (mut client, mut server) = established(&Files::new("drained"));
    let mut pipe = Pipe::new(1 << 20, 1 << 20);
    client.session.write(&[IoSlice::new(b"hi")]).unwrap();
    client.session.push(&mut pipe).unwrap();
    let wire = pipe.bytes.len();
    let (scratch, got) = (&mut server.scratch, &mut server.got);
    let read = server.session.read(&mut pipe, scratch, got, usize::MAX).unwrap();
    assert_eq!(read, Received { plain: 2, wire, is_drained: true });
    assert!(!server.session.has_input());
    let read = server.session.read(&mut pipe, scratch, got, usize::MAX).unwrap();
    assert_eq!(read, Received { plain: 0, wire: 0, is_drained: true });
}

#[test]
fn a_record_that_was_changed_on_its_way_ends_the_session_with_an_alert() {
    let (mut client, mut server) = established(&Files::new("changed"));
    let [mut to_server, mut to_client] = [Pipe::new(1 << 20, 1 << 20), Pipe::new(1 << 20, 1 << 20)];
    client.session.write(&[IoSlice::new(b"hello")]).unwrap();
    client.session.push(&mut to_server).unwrap();
    *to_server.bytes.back_mut().unwrap() ^= 1;
    let (scratch, got) = (&mut server.scratch, &mut server.got);
    let error = server.session.read(&mut to_server, scratch, got, usize::MAX).unwrap_err();
    assert_eq!((error.kind(), server.got.len()), (ErrorKind::InvalidData, 0));
    server.session.push(&mut to_client).unwrap();
    let (scratch, got) = (&mut client.scratch, &mut client.got);
    let error = client.session.read(&mut to_client, scratch, got, usize::MAX).unwrap_err();
    assert_eq!(alert(&error), Some(AlertDescription::BadRecordMac));
}

#[test]
fn a_client_that_offers_other_protocols_alone_gets_the_alert() {
    let files = Files::new("alpn");
    let certificate = files.certificate("a.example");
    let tls = TlsServer::load(&config(vec![certificate.clone()])).unwrap();
    for (protocols, accepted) in [(&["h2"][..], false), (&["h2", "http/1.1"], true), (&[], true)] {
        let session = client("a.example", &[&certificate.chain], protocols);
        let mut client = Side::new(session, b"hi".to_vec());
        let mut server = Side::new(*tls.session().unwrap(), Vec::new());
        let pipes = [Pipe::new(1 << 20, 1 << 20), Pipe::new(1 << 20, 1 << 20)];
        let [result, _] = run(&mut client, &mut server, pipes, usize::MAX);
        let alert = result.as_ref().err().and_then(alert);
        assert_eq!(result.is_ok(), accepted, "{protocols:?}: {result:?}");
        assert_eq!(alert, (!accepted).then_some(AlertDescription::NoApplicationProtocol));
    }
}

/// Returns true if a client that trusts `trusted` alone gets its certificate for `host`.
fn is_served(tls: &TlsServer, host: &str, trusted: &Path) -> bool {
    let mut client = Side::new(client(host, &[trusted], &[]), Vec::new());
    let mut server = Side::new(*tls.session().unwrap(), Vec::new());
    let pipes = [Pipe::new(1 << 20, 1 << 20), Pipe::new(1 << 20, 1 << 20)];
    run(&mut client, &mut server, pipes, usize::MAX).iter().all(Result::is_ok)
}

#[test]
fn the_name_that_a_client_asks_for_chooses_the_certificate() {
    let files = Files::new("sni");
    let [first, second, wild] =
        ["a.example", "b.example", "*.c.example"].map(|host| files.certificate(host));
    let all = vec![first.clone(), second.clone(), wild.clone()];
    let tls = TlsServer::load(&config(all)).unwrap();
    assert!(is_served(&tls, "a.example", &first.chain));
    assert!(is_served(&tls, "b.example", &second.chain));
    assert!(is_served(&tls, "www.c.example", &wild.chain));
    assert!(!is_served(&tls, "b.example", &first.chain));
    // Another name gets the first, which is not for it.
    assert!(!is_served(&tls, "d.example", &first.chain));
    assert!(!is_served(&tls, "d.example", &second.chain));
}

#[test]
fn new_handshakes_use_replaced_files_and_an_error_keeps_the_old_ones() {
    let files = Files::new("reload");
    let certificate = files.certificate("a.example");
    let old = files.0.join("old");
    fs::copy(&certificate.chain, &old).unwrap();
    let tls = TlsServer::load(&config(vec![certificate.clone()])).unwrap();
    // A key of another certificate.
    let other = files.certificate("b.example");
    fs::copy(&other.key, &certificate.key).unwrap();
    let servers = [TlsServer::load(&config(vec![files.certificate("c.example")])).unwrap(), tls];
    let error = TlsServer::reload(&servers).unwrap_err();
    let [beside, tls] = servers;
    assert!(matches!(error, TlsError::Key { .. }), "{error}");
    assert!(error.to_string().contains(&certificate.key.display().to_string()), "{error}");
    assert!(is_served(&tls, "a.example", &old));
    // A new pair.
    files.certificate("a.example");
    TlsServer::reload(std::slice::from_ref(&tls)).unwrap();
    assert!(is_served(&tls, "a.example", &certificate.chain));
    assert!(!is_served(&tls, "a.example", &old));
    // Another listener changes with it, or not at all.
    let renewed = files.certificate("c.example").chain;
    fs::remove_file(&certificate.key).unwrap();
    assert!(TlsServer::reload(&[beside.clone(), tls]).is_err());
    assert!(!is_served(&beside, "c.example", &renewed));
    assert!(matches!(TlsServer::reload(&[]), Err(TlsError::NoTls)));
}

#[test]
fn an_error_names_the_setting_the_file_and_the_reason() {
    let files = Files::new("errors");
    let certificate = files.certificate("a.example");
    let load = |chain: &Path, key: &Path| {
        TlsServer::load(&config(vec![CertificateFiles::new(chain, key)])).unwrap_err().to_string()
    };
    let missing = files.0.join("missing");
    let chain = load(&missing, &certificate.key);
    assert!(chain.starts_with(&format!("cannot read `chain` = {}", missing.display())), "{chain}");
    let key = load(&certificate.chain, &missing);
    assert!(key.starts_with(&format!("cannot read `key` = {}", missing.display())), "{key}");
    // Each file in the place of the other.
    for error in
        [load(&certificate.key, &certificate.key), load(&certificate.chain, &certificate.chain)]
    {
        assert!(error.contains("no items found"), "{error}");
    }
    let error = TlsServer::load(&config(Vec::new())).unwrap_err().to_string();
    assert_eq!(error, "`tls.certificates` has 0 certificates; allowed: 1 to 64");
}

#[test]
fn bytes_that_begin_no_handshake_are_foreign() {
    let files = Files::new("foreign");
    let tls = TlsServer::load(&config(vec![files.certificate("a.example")])).unwrap();
    for (bytes, is_foreign) in [(&b"GET / HTTP/1.1\r\n"[..], true), (&[22, 3, 1], false)] {
        let mut session = tls.session().unwrap();
        let mut pipe = Pipe::new(100, 100);
        pipe.write_all(bytes).unwrap();
        session.receive(&mut pipe, &mut [0; 100]).unwrap();
        assert_eq!(session.is_foreign(), is_foreign);
    }
}

/// The record says that it is longer than any record: it is an error and is not waited for.
#[test]
fn a_record_of_an_impossible_length_is_refused() {
    let files = Files::new("length");
    let tls = TlsServer::load(&config(vec![files.certificate("a.example")])).unwrap();
    let mut session = tls.session().unwrap();
    let mut pipe = Pipe::new(1 << 20, 1 << 20);
    pipe.write_all(&[22, 3, 1, 0xff, 0xff]).unwrap();
    pipe.write_all(&vec![0; 20_000]).unwrap();
    while !session.has_record() {
        session.receive(&mut pipe, &mut vec![0; 64 * 1024]).unwrap();
    }
    assert!(session.proceed().is_err());
}

#[test]
fn a_handshaker_gives_sessions_back_and_skips_those_that_nothing_waits_for() {
    let files = Files::new("handshaker");
    let tls = TlsServer::load(&config(vec![files.certificate("a.example")])).unwrap();
    let handshaker = Handshaker::start("tls-test".to_owned()).unwrap();
    let (sender, results) = crossbeam_channel::unbounded();
    // The first step holds the thread until the mark of the second is dropped.
    let (release, released) = crossbeam_channel::bounded(0);
    let ended = sender.clone();
    let _first = handshaker.submit(tls.session().unwrap(), move |_session, done| {
        released.recv_timeout(LIMIT).unwrap();
        ended.send((1, done.is_ok())).unwrap();
    });
    let ended = sender.clone();
    drop(handshaker.submit(tls.session().unwrap(), move |_session, done| {
        ended.send((2, done.is_ok())).unwrap();
    }));
    let _third = handshaker.submit(tls.session().unwrap(), move |_session, done| {
        sender.send((3, done.is_ok())).unwrap();
    });
    release.send_timeout((), LIMIT).unwrap();
    assert_eq!(results.iter().collect::<Vec<_>>(), [(1, true), (3, true)]);
}
