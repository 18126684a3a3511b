//! Handshakes under a drain.

use super::*;
use crate::tls::{CertificateFiles, TlsConfig, TlsServer};
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
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let rules = Arc::new(ListenerRules { proxy_protocol: None, tls: Some(tls) });
    let listeners = vec![Listening { rules, ..listening(listener) }];
    let mut bench = Bench::build(listeners, address, usize::MAX, |settings| {
        settings.head = Duration::from_secs(60);
    });
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
