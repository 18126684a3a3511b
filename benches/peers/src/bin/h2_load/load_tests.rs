//! A load on a server of hyper in the same process.

use super::*;
use hyper::Response;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::Value;
use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::net::TcpListener;

/// Says 503 at `/busy`, nothing at `/silent`, else 200.
async fn answer(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut response = Response::new(Empty::new());
    match request.uri().path() {
        "/busy" => *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE,
        "/silent" => pending().await,
        _ => {}
    }
    Ok(response)
}

/// Counts the connections that it serves.
async fn serve(listener: TcpListener, connections: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        connections.fetch_add(1, Ordering::Relaxed);
        let http = http2::Builder::new(TokioExecutor::new());
        tokio::spawn(http.serve_connection(TokioIo::new(stream), service_fn(answer)));
    }
}

/// Returns the outcomes of about fifty requests, and the connections that they took.
fn load(path: &str, streams: usize, timeout: Duration) -> (Value, u64) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_all().build().unwrap().block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap()).parse().unwrap();
        let connections = Arc::new(AtomicU64::new(0));
        tokio::spawn(serve(listener, Arc::clone(&connections)));
        let (duration, slo) = (Duration::from_millis(100), Duration::from_secs(60));
        let load = Load { url, rate: 500.0, streams, duration, slo, timeout, seed: 7 };
        let outcomes = load.run().await.unwrap().into_json(duration);
        (outcomes, connections.load(Ordering::Relaxed))
    })
}

#[test]
fn all_requests_share_a_connection_and_each_has_an_outcome() {
    let (minute, moment) = (Duration::from_secs(60), Duration::from_millis(20));
    for (path, streams, timeout, outcome) in [
        ("/", 100, minute, "good"),
        ("/", 1, minute, "good"),
        ("/busy", 100, minute, "refused"),
        ("/silent", 100, moment, "timed_out"),
        ("/silent", 1, moment, "timed_out"),
    ] {
        let (outcomes, connections) = load(path, streams, timeout);
        assert!(outcomes["offered"].as_u64() > Some(10), "{outcomes}");
        assert_eq!((&outcomes[outcome], connections), (&outcomes["offered"], 1), "{path}");
    }
}

#[test]
fn a_server_that_is_not_there_and_a_rate_that_is_no_load_are_named() {
    let duration = Duration::from_secs(1);
    let run = |url: &str, rate: f64| {
        let (url, slo, timeout) = (url.parse().unwrap(), duration, duration);
        let load = Load { url, rate, streams: 1, duration, slo, timeout, seed: 1 };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.unwrap().block_on(load.run()).unwrap_err().to_string()
    };
    let refused = run("http://127.0.0.1:1/", 1.0);
    assert!(refused.contains("is the server up"), "{refused}");
    let rate = run("http://127.0.0.1:1/", f64::NAN);
    assert!(rate.contains("--rate"), "{rate}");
}
