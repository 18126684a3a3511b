//! The cost of being watched: the same graph with nothing watching and with everything on, which is
//! a reader of the event stream, a scrape of the metrics each second, and spans of one request in a
//! hundred. The figure is CPU time of the whole process per request, paired round by round.
//!
//! `cargo bench -p benches --bench observers_cost` sends 100,000 requests a second through six
//! stages in a shared pool of one worker: 24 rounds of two seconds.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark paces itself by the real clock, and ends if its setup fails"
)]

use benches::{Rounds, cpu_seconds};
use bytes::Bytes;
use seda_admin::{Admin, AdminAccess, AdminBody, AdminPath, AdminRequest, EventSink};
use seda_core::{
    Graph, GraphConfig, Mode, Responder, ResponseReceiver, Running, Source, WorkerRange, each,
};
use std::thread;
use std::time::{Duration, Instant};
use tracing::subscriber;
use tracing_subscriber::registry;

const STAGES: usize = 6;
const ROUNDS: usize = 24;
const SECONDS: u64 = 2;
/// Requests sent at once, each millisecond.
const EACH_MILLISECOND: u64 = 100;
/// One in this many requests has spans.
const TRACED: u64 = 100;

/// A request on its way through the stages.
struct Job {
    reply: Responder<()>,
}

fn main() {
    let mut rounds = Rounds::new(["nothing watches", "everything on"]);
    for _ in 0..ROUNDS {
        rounds.add(0, run(false));
        rounds.add(1, subscriber::with_default(registry(), || run(true)));
    }
    println!("CPU ns per request through {STAGES} stages, {ROUNDS} rounds (min, median, max)");
    rounds.print("  ");
    rounds.print_ratio(1, 0);
}

/// Returns CPU nanoseconds per request.
fn run(is_watched: bool) -> f64 {
    let (running, source) = start();
    let admin = Admin::new(running.snapshots());
    let access = AdminAccess::closed().with_pages(AdminPath::default());
    if is_watched {
        read_events(&admin, &access);
    }
    let before = cpu_seconds();
    let begun = Instant::now();
    let mut responses = Vec::new();
    for millisecond in 0..SECONDS * 1_000 {
        let due = begun + Duration::from_millis(millisecond);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        responses.extend(send(&source, millisecond, is_watched));
        if is_watched && millisecond % 1_000 == 500 {
            let request = AdminRequest::get("/_seda/metrics");
            let _ = admin.answer(&access, &request, |answer| assert_eq!(answer.status, 200));
        }
    }
    let spent = cpu_seconds() - before;
    let report = running.drain(Duration::from_secs(60)).report;
    let sent = SECONDS * 1_000 * EACH_MILLISECOND;
    assert_eq!(report.requests.answered, sent);
    spent * 1e9 / sent as f64
}

/// Starts a chain of stages without work, and returns the source of its first.
fn start() -> (Running, Source<Job>) {
    let mut graph = Graph::new("watched");
    // A moment in which the machine is slow refuses nothing.
    let mut config = GraphConfig { budget: Some(500_000), ..GraphConfig::default() };
    config.control.admission = Mode::Off;
    graph.apply(config).expect("names nothing");
    let pool = graph.pool("all", WorkerRange::exactly(1));
    let stages: Vec<_> =
        (0..STAGES).map(|n| graph.stage::<Job>(&format!("s{n}"), 65_536)).collect();
    for (n, stage) in stages.iter().enumerate() {
        let next = stages.get(n + 1).copied();
        let wire = |wire: &mut seda_core::Wire<'_>| {
            let sink = next.map(|next| wire.sink(next));
            move || {
                let sink = sink.clone();
                Ok(each(move |job: Job, cx: &mut seda_core::Context| match &sink {
                    Some(sink) => cx.send(sink, job).expect("room for all"),
                    None => job.reply.respond(()),
                }))
            }
        };
        graph.attach_in(&pool, *stage, wire).expect("attached once");
    }
    let source = graph.source(stages[0]).expect("own stage");
    (graph.start().expect("a legal graph"), source)
}

/// Sends the requests of a millisecond; one in a hundred has a span.
fn send(
    source: &Source<Job>,
    millisecond: u64,
    is_watched: bool,
) -> impl Iterator<Item = ResponseReceiver<()>> {
    (0..EACH_MILLISECOND).map(move |n| {
        let number = millisecond * EACH_MILLISECOND + n;
        let is_traced = is_watched && number.is_multiple_of(TRACED);
        let _span = is_traced.then(|| tracing::info_span!("request", number).entered());
        source.request(|reply| Job { reply }).expect("room for all")
    })
}

/// Reads the event stream, as the live page does.
fn read_events(admin: &Admin, access: &AdminAccess) {
    let now = admin.answer(access, &AdminRequest::get("/_seda/events"), |_| ());
    let Some(AdminBody::Events(reader)) = now.map(|answer| answer.body) else {
        panic!("the event stream has a place for one reader");
    };
    reader.start(Reader { bytes: 0 });
}

/// Takes events as a socket does: by copying them.
struct Reader {
    bytes: usize,
}

impl EventSink for Reader {
    fn send(&mut self, event: &Bytes) -> bool {
        self.bytes += event.to_vec().len();
        true
    }
}
