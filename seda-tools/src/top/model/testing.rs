//! Graphs for tests: reports as a server would give them, second by second.

use super::run::{Phase, RunTape};
use super::tape::Tape;
use crate::generator::Progress;
use seda_core::Report;
use seda_core::report::{
    BottleneckKind, ClassCounts, ClassReport, EdgeReport, RateEstimate, ResponseReport, StageReport,
};
use seda_core::stats::BUCKET_BOUNDS;
use serde_json::json;
use std::time::Duration;

/// A stage of a made-up graph: events per second, and figures that stay the same.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Made<'a> {
    pub(crate) name: &'a str,
    pub(crate) handled: u64,
    pub(crate) refused: u64,
    pub(crate) shed: u64,
    pub(crate) depth: usize,
    pub(crate) capacity: usize,
    /// Busy workers of all; their share is the utilization.
    pub(crate) workers: (f64, usize),
    /// The 99th percentiles of wait and service, in seconds.
    pub(crate) times: (f64, f64),
}

/// Returns the report of an empty graph after `at` seconds.
pub(crate) fn empty(graph: &str, at: f64) -> Report {
    let report = json!({
        "graph": graph,
        "uptime_seconds": at,
        "window_seconds": 1.0,
        "events": {
            "offered": 0, "accepted": 0, "refused": 0, "handled": 0, "shed": 0, "failed": 0,
            "queued": 0, "in_hand": 0, "pending": 0
        },
        "requests": { "admitted": 0, "answered": 0, "lost": {}, "open": 0 },
        "budget": { "used": 0, "limit": 4_096, "bytes_used": 0, "bytes_limit": 0 },
        "response_seconds": {},
        "classes": [],
        "stages": [],
        "edges": [],
        "journal": []
    });
    serde_json::from_value(report).unwrap()
}

/// Returns a stage after `at` seconds.
pub(crate) fn stage(made: &Made<'_>, at: u64) -> StageReport {
    let mut stage = StageReport::default();
    stage.name = made.name.to_owned();
    (stage.queue.depth, stage.queue.capacity) = (made.depth, made.capacity);
    (stage.workers.now, stage.workers.max) = (made.workers.1, made.workers.1);
    stage.handled = made.handled * at;
    stage.offered = (made.handled + made.shed + made.refused) * at;
    stage.accepted = (made.handled + made.shed) * at;
    if made.refused > 0 {
        stage.refused.insert("admission".to_owned(), made.refused * at);
    }
    if made.shed > 0 {
        stage.shed.insert("evicted".to_owned(), made.shed * at);
    }
    let window = &mut stage.last_second;
    window.seconds = 1.0;
    (window.served, window.shed) = (made.handled, made.shed);
    window.offered = made.handled + made.shed + made.refused;
    window.accepted = made.handled + made.shed;
    if made.refused > 0 {
        window.refused.insert("admission".to_owned(), made.refused);
    }
    window.busy_workers = made.workers.0;
    window.utilization = made.workers.0 / made.workers.1 as f64;
    if made.handled > 0 {
        (window.wait.p99, window.service.p99) = (Some(made.times.0), Some(made.times.1));
    }
    stage.last_ten_seconds.seconds = at.clamp(1, 10) as f64;
    stage
}

/// Returns a chain of stages, of which the first is entered from outside.
pub(crate) fn chain(graph: &str, stages: &[Made<'_>], at: u64) -> Report {
    let mut report = empty(graph, at as f64);
    report.stages = stages.iter().map(|made| stage(made, at)).collect();
    let mut from = None;
    for made in stages {
        report.edges.push(edge(from, made.name, (made.handled, made.refused), at));
        from = Some(made.name);
    }
    report
}

fn edge(from: Option<&str>, to: &str, (sent, refused): (u64, u64), at: u64) -> EdgeReport {
    let mut edge = EdgeReport::default();
    (edge.from, edge.to) = (from.map(str::to_owned), to.to_owned());
    (edge.sent, edge.refused) = (sent * at, refused * at);
    (edge.last_second.sent, edge.last_second.refused) = (sent, refused);
    let ten = at.min(10);
    (edge.last_ten_seconds.sent, edge.last_ten_seconds.refused) = (sent * ten, refused * ten);
    edge
}

/// The stages of the shop, on its busiest second.
const SHOP: [Made<'static>; 5] = [
    Made {
        name: "accept",
        handled: 2_000,
        refused: 540,
        shed: 0,
        depth: 3,
        capacity: 1_024,
        workers: (0.2, 1),
        times: (45e-6, 21e-6),
    },
    Made {
        name: "parse",
        handled: 2_000,
        refused: 0,
        shed: 0,
        depth: 0,
        capacity: 4_096,
        workers: (0.4, 1),
        times: (180e-6, 60e-6),
    },
    Made {
        name: "cache",
        handled: 1_200,
        refused: 0,
        shed: 0,
        depth: 0,
        capacity: 256,
        workers: (0.5, 2),
        times: (1.2e-3, 400e-6),
    },
    Made {
        name: "render-pages",
        handled: 780,
        refused: 12,
        shed: 20,
        depth: 243,
        capacity: 256,
        workers: (3.96, 4),
        times: (0.182, 5.1e-3),
    },
    Made {
        name: "reply",
        handled: 1_980,
        refused: 0,
        shed: 0,
        depth: 0,
        capacity: 4_096,
        workers: (0.1, 1),
        times: (38e-6, 9e-6),
    },
];

/// Returns the report of a shop after `at` seconds: pages are rendered or come from a cache, and
/// the rate rises over a minute to more than rendering can serve.
pub(crate) fn shop(at: u64) -> Report {
    let mut report = empty("shop", at as f64);
    report.stages = SHOP.iter().map(|made| stage(made, at)).collect();
    // The rate rises, so the count is the sum of 1 to `at` sixtieths.
    for (stage, made) in report.stages.iter_mut().zip(SHOP) {
        stage.handled = made.handled * at * (at + 1) / 120;
        stage.last_second.served = made.handled * at.min(60) / 60;
    }
    report.edges = vec![
        edge(None, "accept", (2_000, 540), at),
        edge(Some("accept"), "parse", (2_000, 0), at),
        edge(Some("parse"), "cache", (1_200, 0), at),
        edge(Some("parse"), "render-pages", (800, 12), at),
        edge(Some("cache"), "reply", (1_200, 0), at),
        edge(Some("render-pages"), "reply", (780, 0), at),
    ];
    report.requests.admitted = 2_000 * at;
    report.requests.answered = 1_980 * at;
    report.requests.lost.insert("shed".to_owned(), 20 * at);
    report.requests.open = 246;
    report.budget.used = 246;
    (report.machine.cores, report.machine.busy) = (4, Some(3.86));
    for (name, refused, slo, p99) in
        [("gold", 0, Some(0.2), 0.182), ("basic", 540, Some(0.2), 0.244), ("batch", 0, None, 1.3)]
    {
        class(&mut report, name, (refused, at), slo, p99);
    }
    limit(&mut report);
    let decisions = json!([
        {
            "at_seconds": 3.2, "controller": "pool_size", "stage": "render-pages",
            "seen": "51 queued", "action": "grew the pool", "changed": "workers 1 → 4",
            "acted": true
        },
        {
            "at_seconds": 41.0, "controller": "admission", "stage": "render-pages",
            "seen": "p99 244 ms of 200 ms", "action": "lowered the limit",
            "changed": "300 → 246", "acted": true
        },
        {
            "at_seconds": 58.5, "controller": "hotspot", "stage": "render-pages",
            "seen": "99 % busy", "action": "marked it hot", "changed": "", "acted": false
        }
    ]);
    report.journal = serde_json::from_value(decisions).unwrap();
    report.journal.retain(|decision| decision.at_seconds <= at as f64);
    report
}

/// Adds a class with 660 answers a second, and with events at every stage.
fn class(report: &mut Report, name: &str, (refused, at): (u64, u64), slo: Option<f64>, p99: f64) {
    let mut class = ClassReport::default();
    class.name = name.to_owned();
    class.promised_seconds = slo;
    (class.last_ten_seconds.p50, class.last_ten_seconds.p99) = (Some(0.012), Some(p99));
    for (n, _) in report.stages.iter().enumerate() {
        let mut counts = ClassCounts::default();
        counts.handled = 660 * at;
        counts.accepted = 660 * at;
        counts.offered = 660 * at;
        if n == 0 && refused > 0 {
            counts.offered += refused * at;
            counts.refused.insert("admission".to_owned(), refused * at);
        }
        class.stages.push(counts);
    }
    report.classes.push(class);
    let mut responses = ResponseReport::default();
    responses.quantiles.buckets = vec![0; BUCKET_BOUNDS.len() + 1];
    // Half of them take up to 25 ms, and half up to 250 ms.
    responses.quantiles.buckets[10] = 330 * at;
    responses.quantiles.buckets[14] = 330 * at;
    report.response_seconds.insert(name.to_owned(), responses);
}

/// Makes rendering the bottleneck.
fn limit(report: &mut Report) {
    let found = &mut report.bottleneck;
    found.kind = BottleneckKind::Cpu;
    found.stage = Some("render-pages".to_owned());
    found.resource = "pool render-pages".to_owned();
    found.load = 1.27;
    let mut full = RateEstimate::default();
    (full.per_second, full.low, full.high) = (2_000.0, 1_950.0, 2_050.0);
    found.max_rate = Some(full);
    found.evidence = vec!["its workers are busy for 99 % of the time".to_owned()];
    found.action = "Give `render-pages` more workers.".to_owned();
}

/// Returns the shop after its first minute.
pub(crate) fn shop_after_a_minute() -> Tape {
    let mut tape = Tape::live(Box::new(shop(1)), None);
    (2..=60).for_each(|at| tape.push(Box::new(shop(at))));
    tape
}

/// Returns a graph of many stages in a chain after ten seconds.
pub(crate) fn many_stages(count: usize) -> Tape {
    let names: Vec<String> = (0..count).map(|n| format!("stage-{n:02}")).collect();
    let stages: Vec<Made<'_>> = names
        .iter()
        .enumerate()
        .map(|(n, name)| Made {
            name,
            handled: 1_000,
            refused: 0,
            shed: 0,
            depth: n,
            capacity: 64,
            workers: (n as f64 / count as f64, 1),
            times: (1e-3, 1e-4),
        })
        .collect();
    let mut tape = Tape::live(Box::new(chain("long", &stages, 1)), None);
    (2..=10).for_each(|at| tape.push(Box::new(chain("long", &stages, at))));
    tape
}

/// Returns a run of 900/s over `seconds`: from the 20th second on the server is overloaded, and
/// the generator itself is late once.
pub(crate) fn overloaded_run(seconds: u64) -> RunTape {
    let mut tape = RunTape::default();
    tape.phase = Phase::Measured;
    let mut progress =
        Progress { planned: Duration::from_secs(seconds + 20), ..Progress::default() };
    for second in 1..=seconds {
        let is_over = second >= 20;
        let (good, late, refused, lost) = if is_over { (540, 90, 180, 90) } else { (900, 0, 0, 0) };
        progress.outcomes.scheduled += 900;
        progress.outcomes.good += good;
        progress.outcomes.late += late;
        progress.outcomes.refused += refused;
        progress.outcomes.timed_out += lost;
        for n in 0..good + late {
            let micros = if is_over { 40_000 + n * 400 } else { 900 + n * 2 };
            progress.answered.record(micros * 1_000, 1);
        }
        let lag = if second == 30 { 14_000_000 } else { 60_000 };
        progress.lag.record(lag, 900);
        progress.under_way = if is_over { 140 } else { 2 };
        progress.elapsed = Duration::from_millis(second * 1_000 + 40);
        tape.take(&progress);
    }
    tape
}
