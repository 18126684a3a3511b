//! The cost of TLS: CPU time of the server process per connection with a full handshake, with a
//! resumed one and without TLS, and memory per idle connection. The certificate has a P-256 key.
//!
//! `cargo bench -p benches --bench tls`. The server is a process of its own. A connection sends one
//! request, so what TLS adds is the difference to the connection without it.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use benches::{Rounds, cpu_seconds_of};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned,
    SupportedProtocolVersion, version,
};
use seda::Graph;
use seda::http::{
    Body, CertificateFiles, Http, HttpConfig, HttpRequest, ListenerConfig, Response, TlsConfig,
};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

/// Connections of one figure: 0.2 to 0.4 s of CPU time, against ticks of 10 ms.
const CONNECTIONS: u32 = 2_000;
const IDLE: usize = 2_000;
const ROUNDS: usize = 3;
const CASES: [&str; 5] = ["without TLS", "1.3, full", "1.3, resumed", "1.2, full", "1.2, resumed"];

fn main() {
    let mut words = std::env::args().skip_while(|word| word != "--serve").skip(1);
    match (words.next(), words.next()) {
        (Some(kind), Some(directory)) => serve(&kind, Path::new(&directory)),
        _ => measure(),
    }
}

fn measure() {
    let directory = std::env::temp_dir().join(format!("seda-bench-tls-{}", std::process::id()));
    let [chain, key] = files(&directory);
    let made = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    fs::create_dir_all(&directory).unwrap();
    fs::write(&chain, made.cert.pem()).unwrap();
    fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let mut costs = Rounds::new(CASES);
    for _ in 0..ROUNDS {
        for (case, name) in CASES.into_iter().enumerate() {
            costs.add(case, cost(name, &directory));
        }
    }
    println!("CPU us per connection with one request (min, median, max)");
    costs.print("  ");
    for kind in ["plain", "tls"] {
        println!("{kind}: {:.1} KiB per idle connection", idle_memory(kind, &directory));
    }
    let _ = fs::remove_dir_all(directory);
}

/// Returns microseconds of CPU of the server per connection.
fn cost(case: &str, directory: &Path) -> f64 {
    let server = Server::start(if case == "without TLS" { "plain" } else { "tls" }, directory);
    let version = if case.starts_with("1.2") { &version::TLS12 } else { &version::TLS13 };
    let config = client(version, directory);
    if case != "without TLS" {
        // A session to resume.
        server.connect(&config, HandshakeKind::Full);
    }
    let before = server.cpu_seconds();
    for _ in 0..CONNECTIONS {
        match case {
            "without TLS" => drop(ask(server.socket())),
            _ if case.ends_with("resumed") => server.connect(&config, HandshakeKind::Resumed),
            _ => {
                let mut config = ClientConfig::clone(&config);
                config.resumption = rustls::client::Resumption::disabled();
                server.connect(&Arc::new(config), HandshakeKind::Full);
            }
        }
    }
    (server.cpu_seconds() - before) * 1e6 / f64::from(CONNECTIONS)
}

/// Returns KiB of resident memory per idle connection, after one request on each.
fn idle_memory(kind: &str, directory: &Path) -> f64 {
    let server = Server::start(kind, directory);
    let config = client(&version::TLS13, directory);
    let before = server.rss_kib();
    let plain: Vec<_> =
        (0..IDLE).filter(|_| kind == "plain").map(|_| ask(server.socket())).collect();
    let encrypted: Vec<_> =
        (0..IDLE).filter(|_| kind == "tls").map(|_| ask(server.stream(&config))).collect();
    // Idle buffers are released after a second.
    std::thread::park_timeout(std::time::Duration::from_secs(3));
    let more = server.rss_kib() - before;
    assert_eq!(plain.len() + encrypted.len(), IDLE);
    more / IDLE as f64
}

/// Sends a request, reads its answer and returns the connection.
fn ask<S: Read + Write>(mut stream: S) -> S {
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhello\n") {
        let mut piece = [0; 1024];
        let read = stream.read(&mut piece).expect("read");
        assert!(read > 0, "the server has closed the connection");
        answer.extend_from_slice(piece.get(..read).unwrap_or_default());
    }
    stream
}

fn client(version: &'static SupportedProtocolVersion, directory: &Path) -> Arc<ClientConfig> {
    let [chain, _] = files(directory);
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(chain).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
}

/// Returns the files of the certificate and of its key.
fn files(directory: &Path) -> [PathBuf; 2] {
    ["chain.pem", "key.pem"].map(|name| directory.join(name))
}

struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    fn start(kind: &str, directory: &Path) -> Self {
        let me = std::env::current_exe().expect("this program has a path");
        let mut command = Command::new(me);
        command.arg("--serve").arg(kind).arg(directory);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let address = lines.next().expect("the server prints its address").expect("text");
        Self { child, address: address.parse().expect("an address") }
    }

    fn socket(&self) -> TcpStream {
        let socket = TcpStream::connect(self.address).expect("connected");
        socket.set_nodelay(true).expect("a TCP socket");
        socket
    }

    fn stream(&self, config: &Arc<ClientConfig>) -> StreamOwned<ClientConnection, TcpStream> {
        let name = ServerName::try_from("localhost").unwrap();
        let connection = ClientConnection::new(Arc::clone(config), name).unwrap();
        StreamOwned::new(connection, self.socket())
    }

    /// Makes one connection with one request, whose handshake is of this kind.
    fn connect(&self, config: &Arc<ClientConfig>, kind: HandshakeKind) {
        let stream = ask(self.stream(config));
        assert_eq!(stream.conn.handshake_kind(), Some(kind));
    }

    fn cpu_seconds(&self) -> f64 {
        cpu_seconds_of(self.child.id()).expect("the server runs")
    }

    fn rss_kib(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a system with procfs");
        let rss = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let rss = rss.and_then(|rss| rss.split_ascii_whitespace().next()?.parse().ok());
        rss.expect("a number of KiB")
    }
}

impl Drop for Server {
    /// The server ends with its standard input.
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Serves until standard input ends.
fn serve(kind: &str, directory: &Path) {
    let mut listener = ListenerConfig::at("127.0.0.1:0".parse().unwrap());
    if kind == "tls" {
        let [chain, key] = files(directory);
        let mut tls = TlsConfig::default();
        tls.certificates = vec![CertificateFiles::new(chain, key)];
        listener.tls = Some(tls);
    }
    let mut config = HttpConfig::default();
    config.listen = listener.into();
    let mut graph = Graph::new("tls");
    let mut http = Http::bind(config).unwrap();
    let reactors = http.pool(&mut graph);
    let hello = graph.stage::<HttpRequest>("hello", 1_024);
    http.entry(&mut graph, hello).unwrap();
    graph
        .attach_each_in(&reactors, hello, |_wire| {
            |call: HttpRequest, _cx| call.respond(Response::new(Body::from("hello\n")))
        })
        .unwrap();
    let server = http.serve(graph.start().unwrap()).unwrap();
    println!("{}", server.local_addr());
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}
