//! An ordinary axum app, protected by three lines.
//!
//! The admission layer refuses with 503 what cannot be served in time, and lets as many requests
//! run at once as keep the threads busy. `--plain` runs the same app without it.
//!
//! Type: `cargo run --release -p seda-tower --example axum_admission -- --listen 127.0.0.1:0`
//!       (`--slo 200ms` for an SLO, `--by-route` to admit by the cost of routes, `--plain` for
//!       axum alone)
//!       `seda load 'http://ADDRESS/work?micros=1000' --rate 4000`
//!       `curl 'http://ADDRESS/_seda/report?format=text'`
//! See:  its address; under load the answers and refusals in the output of `seda load`; in the
//!       report the queue, the places and the bottleneck. Ctrl-C drains the server and prints the
//!       last report.

use axum::Router;
use axum::extract::{MatchedPath, Path, Query};
use axum::routing::{get, post};
use clap::Parser;
use seda_tower::{Admission, Drain, RequestHead};
use std::collections::HashMap;
use std::error::Error;
use std::future::IntoFuture;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpListener;

/// The time that the server has to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// The longest work or sleep of a request, in microseconds.
const MICROS_MOST: u64 = 10_000_000;

#[derive(Parser)]
struct Flags {
    /// Where to listen; port 0 chooses a free one
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The response time that 99 of 100 answers must not exceed, such as 200ms
    #[arg(long, value_parser = humantime::parse_duration)]
    slo: Option<Duration>,
    /// Measures what each route costs, and admits by cost
    #[arg(long)]
    by_route: bool,
    /// Runs axum alone, without admission
    #[arg(long)]
    plain: bool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let app = Router::new()
        .route("/hello", get(|| async { "hello\n" }))
        .route("/work", get(work))
        .route("/sleep", get(sleep))
        .route("/greet/{name}", get(greet))
        .route("/count", post(count));
    let listener = TcpListener::bind(flags.listen).await?;
    println!("http://{}", listener.local_addr()?);
    if flags.plain {
        return Ok(axum::serve(listener, app).with_graceful_shutdown(interrupt()).await?);
    }

    // The three lines: a layer, its page, and a drain in place of `axum::serve` alone.
    let admission = flags.slo.map_or_else(Admission::new, |slo| Admission::new().slo(slo));
    let admission = if flags.by_route { admission.routes(matched) } else { admission };
    admission.start()?;
    let admin = admission.admin();
    let app = app.layer(admission.clone()).nest_service("/_seda", admin.clone());
    let ended = Drain::new(&admission, DRAIN_LIMIT)
        .admin(&admin)
        .serve(interrupt(), |stop| {
            axum::serve(listener, app).with_graceful_shutdown(stop).into_future()
        })
        .await;
    if let Some(drained) = ended.graph {
        println!("{}", drained.report);
    }
    Ok(ended.server.unwrap_or(Ok(()))?)
}

/// Returns the route that axum has matched, such as `/greet/{name}`.
fn matched<'a>(head: &'a RequestHead<'_>) -> Option<&'a str> {
    head.extensions.get::<MatchedPath>().map(MatchedPath::as_str)
}

/// Resolves at Ctrl-C.
async fn interrupt() {
    // Without a handler of the signal the process ends at once.
    let _ = tokio::signal::ctrl_c().await;
}

type Parameters = Query<HashMap<String, u64>>;

/// Burns CPU time on the thread of the runtime, as a handler that renders or compresses does.
async fn work(Query(parameters): Parameters) -> String {
    let micros = parameters.get("micros").copied().unwrap_or(1_000).min(MICROS_MOST);
    let until = thread_time() + Duration::from_micros(micros);
    let mut sum = 0_u64;
    while thread_time() < until {
        // About 2 us between two reads of the clock, each of which is a system call.
        (0..2_000_u64).for_each(|n| sum = std::hint::black_box(sum.wrapping_mul(31) ^ n));
    }
    format!("burned {micros} us\n")
}

/// Waits as a handler that asks a database does.
async fn sleep(Query(parameters): Parameters) -> String {
    let millis = parameters.get("millis").copied().unwrap_or(20).min(MICROS_MOST / 1_000);
    tokio::time::sleep(Duration::from_millis(millis)).await;
    format!("slept {millis} ms\n")
}

async fn greet(Path(name): Path<String>) -> String {
    format!("hello, {name}\n")
}

async fn count(body: String) -> String {
    format!("{} words\n", body.split_whitespace().count())
}

/// Returns the CPU time of this thread.
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}
