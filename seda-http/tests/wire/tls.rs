//! TLS: handshakes, bytes in both directions, ends, certificates.

use crate::client::{Client, LIMIT};
use crate::exposition::Scrape;
use crate::site::{Plan, Site, until};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion, version,
};
use seda_http::{
    BindError, CertificateFiles, HandshakeCounts, Http, HttpConfig, ListenPlace, ListenerConfig,
    PeerList, TlsConfig, TlsError,
};
use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

type TlsStream<S = TcpStream> = StreamOwned<ClientConnection, S>;

const MEGABYTE: usize = 1024 * 1024;

/// A certificate for `localhost` in files, which end with this.
struct Certificate {
    files: CertificateFiles,
    directory: PathBuf,
}

impl Certificate {
    fn new() -> Self {
        static MADE: AtomicUsize = AtomicUsize::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("seda-wire-tls-{}-{number}", std::process::id());
        let directory = std::env::temp_dir().join(name);
        fs::create_dir_all(&directory).unwrap();
        let files = CertificateFiles::new(directory.join("chain"), directory.join("key"));
        let certificate = Self { files, directory };
        certificate.renew();
        certificate
    }

    /// Replaces certificate and key.
    fn renew(&self) {
        let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        fs::write(&self.files.chain, made.cert.pem()).unwrap();
        fs::write(&self.files.key, made.signing_key.serialize_pem()).unwrap();
    }

    /// Returns a listener with this certificate.
    fn listener(&self, at: &str) -> ListenerConfig {
        let mut tls = TlsConfig::default();
        tls.certificates.push(self.files.clone());
        let mut listener = ListenerConfig::at(at.parse().unwrap());
        listener.tls = Some(tls);
        listener
    }

    /// Returns the settings of a client that trusts this certificate alone.
    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(&self.files.chain).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider);
        let builder = builder.with_protocol_versions(versions).unwrap();
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}

/// A site with TLS, and the certificate that it shows.
struct TlsSite {
    site: Site,
    certificate: Certificate,
    /// The settings of its clients.
    client: Arc<ClientConfig>,
}

impl TlsSite {
    fn start(plan: Plan) -> Self {
        let certificate = Certificate::new();
        let mut plan = plan;
        plan.http.listen = certificate.listener("127.0.0.1:0").into();
        let client = certificate.client(rustls::ALL_VERSIONS);
        Self { site: plan.start(), certificate, client }
    }

    fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(self.site.address()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        socket.set_write_timeout(Some(LIMIT)).unwrap();
        socket.set_nodelay(true).unwrap();
        socket
    }

    fn client(&self) -> Client<TlsStream> {
        self.client_over(&self.client, self.socket())
    }

    fn client_over<S: Read + Write>(
        &self,
        config: &Arc<ClientConfig>,
        socket: S,
    ) -> Client<TlsStream<S>> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
        Client::over(StreamOwned::new(connection, socket))
    }
}

#[test]
fn requests_are_answered_in_both_versions_on_the_reactor_and_on_workers() {
    for plan in [Plan::default(), Plan::default().on_reactor(), Plan::with(|it| it.reactors = 3)] {
        let site = TlsSite::start(plan);
        for version in [&version::TLS12, &version::TLS13] {
            for _ in 0..3 {
                let config = site.certificate.client(&[version]);
                let mut client = site.client_over(&config, site.socket());
                assert_eq!(client.fetch("/hello").text(), "hello\n");
                assert_eq!(client.fetch("/scheme").text(), "https");
                assert_eq!(client.stream().conn.protocol_version(), Some(version.version));
            }
        }
    }
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client();
    let request = |body: usize| {
        format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\n{body:04}")
    };
    client.send((0..1_000).map(request).collect::<String>());
    for body in 0..1_000 {
        assert_eq!(client.response().text(), format!("{body:04}"));
    }
}

/// The client's records have the longest form, and others.
#[test]
fn a_megabyte_arrives_whole_in_both_directions() {
    for fragment in [None, Some(512)] {
        let site = TlsSite::start(Plan::default());
        let mut config = ClientConfig::clone(&site.client);
        config.max_fragment_size = fragment;
        let mut client = site.client_over(&Arc::new(config), site.socket());
        let sent: Vec<u8> = (0..MEGABYTE).map(|at| (at % 251) as u8).collect();
        client
            .send(format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {MEGABYTE}\r\n\r\n"));
        client.send(&sent);
        assert!(client.response().body == sent);
        assert_eq!(client.fetch(&format!("/big?{}", 3 * MEGABYTE)).body.len(), 3 * MEGABYTE);
        assert_eq!(client.fetch("/hello").text(), "hello\n");
    }
}

/// A read stops at the end of a body, and its record goes on: no event announces that rest.
#[test]
fn a_request_in_the_last_record_of_a_body_is_answered() {
    let site = TlsSite::start(Plan::default());
    for length in [10_000, 20_000, 100_000] {
        let mut client = site.client();
        let head = format!("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: {length}\r\n\r\n");
        client.send(&head);
        // The body has no part in the record of its head.
        let mut rest = vec![b'b'; length];
        rest.extend_from_slice(b"GET /hello HTTP/1.1\r\nHost: t\r\n\r\n");
        client.send(rest);
        assert_eq!(client.response().body.len(), length);
        assert_eq!(client.response().text(), "hello\n");
    }
}

/// The client reads nothing at first, so the sender has to wait. Then every byte arrives.
#[test]
fn a_stream_waits_for_its_client() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client();
    client.get("/stream");
    let mut sender = site.site.sender();
    let piece = vec![b'p'; 16 * 1024];
    let mut sent = 0;
    while sender.send(piece.clone(), Duration::from_millis(200)).is_ok() {
        sent += piece.len();
    }
    assert!(sent < 64 * MEGABYTE, "{sent} bytes are on their way");
    assert_eq!(client.head().status, 200);
    let received = std::thread::scope(|scope| {
        let reading = scope.spawn(|| client.chunks().0.len());
        sender.finish().unwrap();
        reading.join().unwrap()
    });
    assert_eq!(received, sent);
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

/// RFC 9110 §7.4.
#[test]
fn an_https_target_is_right_and_an_http_target_is_misdirected() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client();
    assert_eq!(client.fetch("https://t/hello").text(), "hello\n");
    assert_eq!(client.fetch("http://t/hello").status, 421);
    client.expect_end();
}

/// Idle connections, and those with a request, end with `close_notify`: without it reading to the
/// end is an error.
#[test]
fn a_drain_answers_and_closes_in_order() {
    let site = TlsSite::start(Plan::default());
    let mut idle = site.client();
    assert_eq!(idle.fetch("/hello").status, 200);
    let mut held = site.client();
    held.get("/hold");
    assert_eq!(site.site.begun.recv_timeout(LIMIT).unwrap(), "/hello");
    assert_eq!(site.site.begun.recv_timeout(LIMIT).unwrap(), "/hold");
    let release = site.site.release_handle();
    std::thread::scope(|scope| {
        let drain = scope.spawn(|| site.site.server.drain(LIMIT));
        idle.expect_end();
        release.send(()).unwrap();
        let response = held.response();
        assert!(response.closes());
        held.expect_end();
        assert!(drain.join().unwrap().complete);
    });
}

/// A client that says its end gets its answers, and the server's end.
#[test]
fn both_sides_say_their_end() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client();
    client.get("/hello");
    client.stream().conn.send_close_notify();
    client.stream().flush().unwrap();
    assert_eq!(client.response().text(), "hello\n");
    client.expect_end();
}

/// The same with a client that only shuts its side of the socket: its request was whole.
#[test]
fn a_socket_that_ends_without_close_notify_gets_its_answers() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client();
    client.get("/hello");
    client.stream().sock.shutdown(Shutdown::Write).unwrap();
    assert_eq!(client.response().text(), "hello\n");
    client.expect_end();
}

/// Writes byte by byte.
struct Trickle(TcpStream);

impl Read for Trickle {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Trickle {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes.get(..1).unwrap_or_default())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

#[test]
fn a_handshake_that_comes_byte_by_byte_is_whole() {
    let site = TlsSite::start(Plan::default());
    let mut client = site.client_over(&site.client, Trickle(site.socket()));
    assert_eq!(client.fetch("/hello").text(), "hello\n");
}

/// The client never goes on. The limit on idle connections is far away.
#[test]
fn a_handshake_has_the_time_of_a_head() {
    let site = TlsSite::start(Plan::with(|it| {
        it.head_timeout = Duration::from_millis(50);
        it.idle_timeout = 60 * LIMIT;
    }));
    for sent in [&[][..], &[22], &[22, 3, 1, 2, 0, 1]] {
        let mut socket = site.socket();
        socket.write_all(sent).unwrap();
        assert_eq!(socket.read(&mut [0]).unwrap(), 0, "after {sent:?}");
    }
}

#[test]
#[cfg(target_os = "linux")]
fn two_thousand_half_open_handshakes_lock_no_other_out() {
    for bound in [10_000, 100] {
        let site = TlsSite::start(Plan::with(|it| it.connections = bound).on_reactor());
        let half_open: Vec<_> = (0..2_000)
            .map(|_| {
                let mut socket = site.socket();
                let _ = socket.write_all(&[22, 3, 1, 2, 0, 1]);
                socket
            })
            .collect();
        for _ in 0..5 {
            assert_eq!(site.client().fetch("/hello").text(), "hello\n");
        }
        drop(half_open);
    }
}

#[test]
fn each_port_answers_400_to_the_bytes_of_the_other_kind() {
    let site = TlsSite::start(Plan::default());
    let mut plain = site.site.client();
    plain.get("/hello");
    let response = plain.response();
    assert_eq!((response.status, response.closes()), (400, true));
    assert_eq!(response.text(), "this port speaks HTTPS: ask for an https address\n");
    plain.expect_end();
    // The other way round.
    let plain = Site::start();
    let mut client = plain.client();
    let name = ServerName::try_from("localhost").unwrap();
    let mut hello = ClientConnection::new(Arc::clone(&site.client), name).unwrap();
    let mut bytes = Vec::new();
    hello.write_tls(&mut bytes).unwrap();
    client.send(bytes);
    assert_eq!(client.response().status, 400);
}

/// Sessions are resumed by tickets, also after the certificates were read again.
#[test]
fn sessions_are_resumed_also_after_a_reload() {
    let site = TlsSite::start(Plan::default());
    for version in [&version::TLS12, &version::TLS13] {
        let config = site.certificate.client(&[version]);
        let mut kinds = Vec::new();
        for _ in 0..3 {
            let mut client = site.client_over(&config, site.socket());
            assert_eq!(client.fetch("/hello").status, 200);
            kinds.push(client.stream().conn.handshake_kind().unwrap());
            site.site.server.reload_tls().unwrap();
        }
        let [full, resumed] = [HandshakeKind::Full, HandshakeKind::Resumed];
        assert_eq!(kinds, [full, resumed, resumed], "{version:?}");
    }
}

#[test]
fn a_reload_changes_new_handshakes_and_no_connection() {
    let site = TlsSite::start(Plan::default());
    let mut before = site.client();
    assert_eq!(before.fetch("/hello").status, 200);
    site.certificate.renew();
    site.site.server.reload_tls().unwrap();
    let config = site.certificate.client(rustls::ALL_VERSIONS);
    let mut after = site.client_over(&config, site.socket());
    assert_eq!(after.fetch("/hello").status, 200);
    assert_eq!(before.fetch("/hello").status, 200);
    // A key that cannot be read: the error names it, and handshakes go on.
    fs::remove_file(&site.certificate.files.key).unwrap();
    let error = site.site.server.reload_tls().unwrap_err();
    assert!(matches!(error, TlsError::File { key: "key", .. }), "{error}");
    let mut after = site.client_over(&config, site.socket());
    assert_eq!(after.fetch("/hello").status, 200);
}

/// The client does not trust the certificate, or offers another protocol alone.
#[test]
fn a_handshake_that_fails_ends_alone() {
    let site = TlsSite::start(Plan::default());
    let other = Certificate::new();
    let untrusting = other.client(rustls::ALL_VERSIONS);
    let mut h2 = ClientConfig::clone(&site.client);
    h2.alpn_protocols = vec![b"h2".to_vec()];
    for (config, alert) in [(untrusting, None), (Arc::new(h2), Some("NoApplicationProtocol"))] {
        let mut client = site.client_over(&config, site.socket());
        let error = client.stream().write(b"GET").unwrap_err().to_string();
        assert!(alert.is_none_or(|alert| error.contains(alert)), "{error}");
        assert_eq!(site.client().fetch("/hello").text(), "hello\n");
    }
}

/// A hello of TLS 1.1 with one cipher suite and no extensions.
fn old_hello() -> Vec<u8> {
    let body = [&[3, 2][..], &[7; 32], &[0, 0, 2, 0, 0x2f, 1, 0]].concat();
    let length = u8::try_from(body.len()).unwrap();
    [&[22, 3, 1, 0, length + 4, 1, 0, 0, length][..], &body].concat()
}

/// Waits until one more handshake has ended, and checks that all counts are as expected.
#[track_caller]
fn expect_counts(site: &Site, expected: &HandshakeCounts) {
    let ended = |counts: &HandshakeCounts| counts.completed + counts.failed();
    until("the handshake has ended", || ended(&site.server.handshakes()) >= ended(expected));
    assert_eq!(site.server.handshakes(), *expected);
}

#[test]
fn each_handshake_is_counted_once_by_its_end() {
    let site = TlsSite::start(Plan::default());
    let mut expected = HandshakeCounts::default();
    assert_eq!(site.client().fetch("/hello").status, 200);
    expected.completed += 1;
    expect_counts(&site.site, &expected);
    // The first bytes are those of other protocols, or of none.
    let mut plain = site.site.client();
    plain.get("/hello");
    assert_eq!(plain.response().status, 400);
    expected.not_tls += 1;
    expect_counts(&site.site, &expected);
    let ends_after = |bytes: &[u8]| {
        let mut socket = site.socket();
        socket.write_all(bytes).unwrap();
        socket.read_to_end(&mut Vec::new()).unwrap();
    };
    ends_after(&[22, 3, 1, 0, 5, 1, 0, 0, 1, 0]);
    expected.malformed += 1;
    expect_counts(&site.site, &expected);
    ends_after(&old_hello());
    expected.incompatible += 1;
    expect_counts(&site.site, &expected);
    // The client offers another protocol alone, or does not trust the certificate.
    let mut h2 = ClientConfig::clone(&site.client);
    h2.alpn_protocols = vec![b"h2".to_vec()];
    let fails = |config: &Arc<ClientConfig>| {
        assert!(site.client_over(config, site.socket()).stream().write(b"GET").is_err());
    };
    fails(&Arc::new(h2));
    expected.incompatible += 1;
    expect_counts(&site.site, &expected);
    let other = Certificate::new();
    for version in [&version::TLS12, &version::TLS13] {
        fails(&other.client(&[version]));
        expected.alert += 1;
        expect_counts(&site.site, &expected);
    }
    // The client leaves.
    drop(site.socket());
    expected.silent += 1;
    expect_counts(&site.site, &expected);
    site.socket().write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    expected.closed += 1;
    expect_counts(&site.site, &expected);
    // The metrics have the same.
    let page = site.client().fetch("/_seda/metrics");
    expected.completed += 1;
    let scrape = Scrape::of_text(page.text());
    assert_eq!(scrape.value("seda_http_handshakes_total"), expected.completed as f64);
    for (cause, count) in expected.failures() {
        let series = format!("seda_http_failed_handshakes_total{{cause=\"{cause}\"}}");
        assert_eq!(scrape.value(&series), count as f64, "{cause}");
    }
    expect_counts(&site.site, &expected);
}

#[test]
fn a_handshake_that_ends_for_a_newcomer_is_counted_as_such() {
    let site = TlsSite::start(Plan::with(|it| it.connections = 2).on_reactor());
    let half_open: Vec<_> = (0..2)
        .map(|_| {
            let mut socket = site.socket();
            socket.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
            socket
        })
        .collect();
    assert_eq!(site.client().fetch("/hello").text(), "hello\n");
    let mut expected = HandshakeCounts::default();
    (expected.completed, expected.evicted) = (1, 1);
    expect_counts(&site.site, &expected);
    drop(half_open);
    expected.closed += 1;
    expect_counts(&site.site, &expected);
}

#[test]
fn a_server_without_tls_has_no_series_of_handshakes() {
    let site = Site::start();
    let scrape = Scrape::of_text(site.client().fetch("/_seda/metrics").text());
    assert!(scrape.names.contains("seda_http_connections"));
    assert!(!scrape.names.iter().any(|name| name.contains("handshakes")));
    assert_eq!(site.server.handshakes(), HandshakeCounts::default());
}

/// One server, two ports.
#[test]
fn a_listener_without_tls_beside_one_with_it() {
    let certificate = Certificate::new();
    let mut plan = Plan::default();
    let plain = ListenerConfig::at("127.0.0.1:0".parse().unwrap());
    plan.http.listen = [certificate.listener("127.0.0.1:0"), plain].into_iter().collect();
    let client = certificate.client(rustls::ALL_VERSIONS);
    let site = TlsSite { site: plan.start(), certificate, client };
    assert_eq!(site.client().fetch("/scheme").text(), "https");
    let [_, ListenPlace::Tcp(plain)] = site.site.server.local_addrs() else { panic!("two ports") };
    assert_eq!(Client::connect(*plain).fetch("/scheme").text(), "http");
}

#[cfg(unix)]
#[test]
fn sockets_of_the_program_have_the_encryption_of_the_only_listener() {
    let certificate = Certificate::new();
    let client = certificate.client(rustls::ALL_VERSIONS);
    let mut config = HttpConfig::default();
    config.listen = certificate.listener("127.0.0.1:0").into();
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let site = Plan::default().start_on(Http::bind_on(config, [socket]).unwrap());
    let site = TlsSite { site, certificate, client };
    assert_eq!(site.client().fetch("/scheme").text(), "https");
    site.site.server.reload_tls().unwrap();
}

/// The header comes first, in plain text, in one piece with the handshake or before it.
#[test]
fn behind_a_proxy_the_handshake_follows_its_header() {
    let certificate = Certificate::new();
    let mut plan = Plan::default();
    let mut listener = certificate.listener("127.0.0.1:0");
    listener.proxy_protocol = Some(PeerList::new(["127.0.0.1"]).unwrap());
    plan.http.listen = listener.into();
    let client = certificate.client(rustls::ALL_VERSIONS);
    let site = TlsSite { site: plan.start(), certificate, client };
    let mut socket = site.socket();
    socket.write_all(b"PROXY TCP4 192.0.2.7 192.0.2.1 5000 443\r\n").unwrap();
    let mut client = site.client_over(&site.client, socket);
    assert_eq!(client.fetch("/client").text(), "192.0.2.7");
    assert_eq!(client.fetch("/scheme").text(), "https");
}

#[test]
fn a_file_of_settings_has_the_certificates_of_a_listener() {
    let certificate = Certificate::new();
    let mut config = HttpConfig::default();
    config.listen = certificate.listener("127.0.0.1:0").into();
    let CertificateFiles { chain, key, .. } = &certificate.files;
    let file = format!(
        r#"{{"listen":{{"at":"127.0.0.1:0","tls":{{"certificates":[{{"chain":{chain:?},"key":{key:?}}}]}}}}}}"#
    );
    assert_eq!(serde_json::from_str::<HttpConfig>(&file).unwrap(), config);
    let written = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<HttpConfig>(&written).unwrap(), config);
    // A certificate that cannot be read is known before any thread runs.
    fs::remove_file(chain).unwrap();
    let error = Http::bind(config).unwrap_err();
    assert!(matches!(error, BindError::Tls(TlsError::File { key: "chain", .. })), "{error}");
}

#[test]
fn a_server_without_tls_has_no_certificates_to_reload() {
    assert!(matches!(Site::start().server.reload_tls(), Err(TlsError::NoTls)));
}
