//! Handshakes under a drain, and their counts at the end of their time.

use super::*;
use crate::tls::{CertificateFiles, HandshakeCounts, TlsConfig, TlsServer};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// Returns the encryption of a listener, and the settings of its clients.
fn tls() -> (TlsServer, Arc<ClientConfig>) {
    let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let folder = std::env::temp_dir().join(format!("seda-reactor-tls-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files = CertificateFiles::new(folder.join("chain"), folder.join("key"));
    std::fs::write(&files.chain, made.cert.pem()).unwrap();
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    let server = TlsServer::load(&TlsConfig { certificates: vec![files] }).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_safe_default_protocol_versions().unwrap();
    (server, Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

/// Returns a bench with TLS on its listener.
fn encrypted(tls: TlsServer, change: impl FnOnce(&mut Settings)) -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let rules = Arc::new(ListenerRules { proxy_protocol: None, tls: Some(tls) });
    let listeners = vec![Listening { rules, ..listening(listener) }];
    Bench::build(listeners, address, usize::MAX, change)
}

fn has_bytes(socket: &TcpStream) -> bool {
    socket.set_nonblocking(true).unwrap();
    let has_bytes = socket.peek(&mut [0]).is_ok_and(|read| read > 0);
    socket.set_nonblocking(false).unwrap();
    has_bytes
}

/// Ends the handshake, sends a request and returns its answer.
fn ask(client: StreamOwned<ClientConnection, TcpStream>) -> String {
    let mut client = BufReader::new(client);
    client.get_mut().write_all(b"first!\n").unwrap();
    let mut line = String::new();
    client.read_line(&mut line).unwrap();
    line
}

/// A client has the time of a head for its handshake, and its request follows that.
#[test]
fn a_drain_waits_for_a_handshake_that_has_begun_and_for_no_silent_client() {
    let (tls, config) = tls();
    let mut bench = encrypted(tls, |settings| settings.head = Duration::from_secs(60));
    let _silent = bench.connect();
    let mut socket = bench.connect().into_inner();
    let name = ServerName::try_from("localhost").unwrap();
    let mut client = ClientConnection::new(config, name).unwrap();
    client.write_tls(&mut socket).unwrap();
    bench.until(|_| has_bytes(&socket));
    // Both clients and the listener are counted.
    bench.until(|bench| bench.connection_count.get() == 3);
    bench.mailbox.send(ReactorMessage::Drain);
    bench.until(|bench| bench.reactor.acceptor.is_none());
    bench.clock.advance(Duration::from_secs(10));
    bench.until(|bench| bench.connection_count.get() == 1);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| ask(StreamOwned::new(client, socket)));
        bench.requested("first!");
        bench.until(|_| asking.is_finished());
        assert_eq!(asking.join().unwrap(), "first!\n");
    });
}

/// The bytes of all clients are here before the reactor accepts them.
#[test]
fn a_handshake_that_the_server_ends_is_counted_as_silent_as_late_or_as_ended_by_the_server() {
    let mut bench = encrypted(tls().0, |_| {});
    let handshakes = Arc::clone(&bench.reactor.bounds.counters.handshakes);
    let _silent = bench.connect();
    let begin = |bench: &Bench| {
        let mut client = bench.connect();
        client.get_mut().write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
        client
    };
    let _late = begin(&bench);
    bench.until(|bench| bench.connection_count.get() == 3);
    assert_eq!(handshakes.get(), HandshakeCounts::default());
    bench.clock.advance(Duration::from_secs(1));
    bench.until(|bench| bench.connection_count.get() == 1);
    let mut expected = HandshakeCounts { silent: 1, timed_out: 1, ..HandshakeCounts::default() };
    assert_eq!(handshakes.get(), expected);
    let _begun = begin(&bench);
    bench.until(|bench| bench.connection_count.get() == 2);
    bench.reactor.shutdown();
    expected.server = 1;
    assert_eq!(handshakes.get(), expected);
}
