//! A server that follows a script, on its own port.

#![allow(
    dead_code,
    unreachable_pub,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "support of tests: each file uses its part"
)]

use seda_tools::arrivals::{Process, Profile};
use seda_tools::generator::Retry;
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::workload::Workload;
use seda_tools::{RequestShape, Url};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// The reply to one request.
pub enum Reply {
    /// Sends these bytes and reads the next request.
    Bytes(&'static str),
    /// Sends these bytes and closes the connection.
    Last(&'static str),
    /// Sends nothing until the client closes.
    Silence,
}

pub const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// Serves until the test ends, with a thread for each connection. The script gets the number of the
/// request over all connections, and on its own connection.
pub fn server(script: impl Fn(usize, usize) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (script, count) = (Arc::new(script), Arc::new(AtomicUsize::new(0)));
    let accept = move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (script, count) = (script.clone(), count.clone());
            let serve = move || serve(&stream, script.as_ref(), &count);
            thread::Builder::new().name("connection".to_owned()).spawn(serve).unwrap();
        }
    };
    thread::Builder::new().name("accept".to_owned()).spawn(accept).unwrap();
    address
}

fn serve(stream: &TcpStream, script: &dyn Fn(usize, usize) -> Reply, count: &AtomicUsize) {
    stream.set_nodelay(true).unwrap();
    let (mut lines, mut writer) = (BufReader::new(stream), stream);
    for on_connection in 0.. {
        loop {
            let mut line = String::new();
            match lines.read_line(&mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) if line == "\r\n" => break,
                Ok(_) => {}
            }
        }
        match script(count.fetch_add(1, Ordering::SeqCst), on_connection) {
            Reply::Bytes(bytes) if writer.write_all(bytes.as_bytes()).is_ok() => {}
            Reply::Bytes(_) => return,
            Reply::Last(bytes) => {
                let _ = writer.write_all(bytes.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Both);
                return;
            }
            Reply::Silence => {
                let _ = lines.read_line(&mut String::new());
                return;
            }
        }
    }
}

/// Returns a port that accepts no connection.
pub fn dead_port() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// Returns a plan of uniform arrivals. Its SLO is too long to miss on a slow machine; only silence
/// reaches its deadline.
pub fn plan(address: SocketAddr, rate: f64, duration: Duration) -> LoadPlan {
    let url: Url = format!("http://{address}/").parse().unwrap();
    let shape = RequestShape::new(url.authority());
    LoadPlan {
        workload: Workload::single(&shape, "GET", "/").unwrap(),
        pace: Pace::Open {
            process: Process::Uniform,
            profile: Profile::constant(rate, duration).unwrap(),
        },
        warm_up: Duration::ZERO,
        cool_down: Duration::ZERO,
        slos: vec![Duration::from_secs(30)],
        deadline: Duration::from_secs(60),
        retry: Retry::NONE,
        expected: Vec::new(),
        connections: 100,
        threads: 1,
        seed: 1,
        bin: None,
        address: address.into(),
        url,
    }
}
