//! The report: stable names, the named bottleneck, text, picture, and the exported metrics.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;
use seda_core::report::BottleneckKind;
use seda_core::{
    Context, Controller, Graph, GraphConfig, Manual, ManualClock, Report, Responder, Source,
    StageConfig, Wire, WorkerRange,
};
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Returns `fast` (0.1 ms), which feeds `slow` (3 ms); each has one worker and moves the clock.
fn tandem() -> (Manual, Source<u32>, Arc<ManualClock>) {
    let mut graph = Graph::new("tandem");
    graph.apply(GraphConfig { budget: Some(600), ..GraphConfig::default() }).unwrap();
    let fast = graph.stage::<u32>("fast", 512);
    let slow = graph.stage::<u32>("slow", 512);
    let clock = Arc::new(ManualClock::new());
    let (first, second) = (Arc::clone(&clock), Arc::clone(&clock));
    graph
        .attach_each(fast, |wire| {
            let slow = wire.sink(slow);
            move |event, cx| {
                first.advance(Duration::from_micros(100));
                drop(cx.send(&slow, event));
            }
        })
        .unwrap();
    graph
        .attach_each(slow, |_wire| move |_event, _cx| second.advance(Duration::from_millis(3)))
        .unwrap();
    for stage in [fast, slow] {
        let workers = Some(WorkerRange::exactly(1));
        graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    }
    let source = graph.source(fast).unwrap();
    (graph.start_manual(clock.clone()).unwrap(), source, clock)
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[track_caller]
fn assert_keys(value: &Value, expected: &str) {
    assert_eq!(keys(value), expected.split(' ').collect());
}

#[test]
fn the_json_has_exactly_the_stable_names() {
    let (mut graph, source, _clock) = tandem();
    source.send(1).unwrap();
    graph.run_until_idle();
    let json = serde_json::to_value(graph.report()).unwrap();
    assert_keys(
        &json,
        "graph uptime_seconds window_seconds events requests budget response_seconds stages edges \
         journal journal_missed machine locks bottleneck classes heaviest_tenants",
    );
    assert_keys(
        &json["classes"][0],
        "name promised_seconds answered p90_seconds last_ten_seconds stages",
    );
    assert_keys(&json["classes"][0]["stages"][0], "offered accepted handled failed refused shed");
    assert_keys(
        &json["events"],
        "offered accepted refused handled shed failed queued in_hand pending",
    );
    assert_keys(&json["requests"], "admitted answered lost open");
    assert_keys(&json["budget"], "used limit bytes_used bytes_limit");
    assert_keys(&json["response_seconds"]["default"], "p10 p50 p90 p99 p999 max mean count cdf");
    let stage = &json["stages"][0];
    assert_keys(
        stage,
        "name pool queue workers batch arrivals_per_second throughput_per_second utilization hot cpu_share \
         runqueue_share blocked_share occupancy wait_seconds service_seconds offered accepted \
         handled refused shed spared failed queued in_hand pending outstanding held delayed bytes busiest_shard_share \
         gate wasted_seconds limits last_second last_ten_seconds flow blocked_in",
    );
    assert_keys(
        &stage["limits"],
        "cap rate_per_second rate_burst weight pending replica_of keyed hosted sized",
    );
    assert_keys(
        &stage["last_ten_seconds"],
        "seconds offered accepted served failed shed refused turned_away wait service utilization bursts \
         busy_workers holding outside_seconds outside occupancy dispersion parallelism \
         busiest_shard_share",
    );
    assert_keys(&stage["last_second"]["wait"], "count mean p50 p99 p999 variation");
    assert_keys(
        &stage["last_second"]["holding"],
        "total cpu core_wait room_wait lock_wait blocked outside_cpu outside_wait",
    );
    assert_keys(
        &stage["flow"],
        "visits offered_per_second demand_seconds max_rate residence_seconds little_error \
         predicted_wait_seconds",
    );
    assert_keys(&json["machine"], "cores quota throttled process busy others steal reactors");
    assert_keys(
        &json["bottleneck"],
        "kind stage resource load max_rate evidence next action expected tied slo_max_rate \
         one_more_max_rate",
    );
    assert_keys(&stage["queue"], "depth soft capacity");
    assert_keys(&stage["workers"], "now min max stuck");
    assert_keys(&stage["wait_seconds"], "p10 p50 p90 p99 p999 max mean count buckets");
    assert_keys(
        &stage["service_seconds"],
        "p10 p50 p90 p99 p999 max mean count resolution busy_seconds buckets",
    );
    assert_keys(&json["edges"][0], "from to sent refused waits last_second last_ten_seconds");
    assert_keys(&json["edges"][0]["last_second"], "sent refused");
    assert_eq!(json["edges"].as_array().unwrap().len(), 2);
    assert_eq!(json["bottleneck"]["kind"], "cannot_tell");
    // An unknown figure is null, never 0: the workers of this graph have no threads.
    assert_eq!(stage["cpu_share"], Value::Null);
    // A program that reads the JSON gets the same report.
    let read: Report = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), json);
}

#[test]
fn the_json_of_an_older_program_is_read_and_its_bottleneck_is_unknown() {
    let (graph, _source, _clock) = tandem();
    let mut old = serde_json::to_value(graph.report()).unwrap();
    old["bottleneck"] = Value::Null;
    old.as_object_mut().unwrap().remove("machine");
    for new in ["limits", "last_second", "last_ten_seconds", "flow", "blocked_in"] {
        old["stages"][0].as_object_mut().unwrap().remove(new);
    }
    let read: Report = serde_json::from_value(old).unwrap();
    assert_eq!(read.bottleneck.kind, BottleneckKind::CannotTell);
    assert_eq!(read.diagnose().kind, BottleneckKind::CannotTell);
}

#[test]
fn the_stage_that_the_offered_events_overload_is_named_with_its_evidence() {
    let (mut graph, source, clock) = tandem();
    assert!(!graph.report().bottleneck.kind.is_found());
    for _ in 0..12 {
        // 40 arrive in the time of 25 services.
        source.send_all(vec![0; 40]).unwrap();
        (0..25).for_each(|_| assert!(graph.step() > 0));
        graph.tick();
    }
    let report = graph.report();
    let bottleneck = &report.bottleneck;
    assert!(bottleneck.names("slow") && !bottleneck.names("fast"), "{report}");
    assert_eq!((bottleneck.kind, &*bottleneck.resource), (BottleneckKind::Cpu, "pool slow"));
    // 40 requests of 3 ms each in 25 times 3.1 ms or so.
    assert!((1.4..1.6).contains(&bottleneck.load), "{report}");
    assert!((bottleneck.max_rate.unwrap().per_second - 333.0).abs() < 10.0, "{report}");
    assert!(bottleneck.evidence.iter().any(|why| why.contains("takes 3.0 ms")), "{report}");
    assert!(report.to_dot().contains("color=red"));
    // An idle graph has no bottleneck.
    graph.run_until_idle();
    for _ in 0..120 {
        clock.advance(Duration::from_millis(100));
        graph.tick();
    }
    assert!(!graph.report().bottleneck.kind.is_found());
}

#[test]
fn the_text_has_a_line_for_each_stage_and_the_picture_an_arrow_for_each_edge() {
    let (mut graph, source, _clock) = tandem();
    source.send_all(vec![0; 3]).unwrap();
    graph.run_until_idle();
    let report = graph.report();
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("tandem up 0.0 s; events 6 offered, 6 handled, 0 refused"));
    assert!(lines[2].starts_with("fast ") && lines[3].starts_with("slow "), "{text}");
    assert_eq!(
        lines[4..],
        ["bottleneck: cannot tell", "  because 3 events came from outside in 0.0 s"]
    );
    let dot = report.to_dot();
    assert!(dot.contains("outside -> s0 [label=\"3\"];"), "{dot}");
    assert!(dot.contains("s0 -> s1 [label=\"3\"];"), "{dot}");
    assert!(dot.starts_with("digraph \"tandem\" {\n") && dot.ends_with("}\n"));
}

#[test]
fn the_text_has_the_last_ten_seconds_of_a_class_and_no_tail_of_too_few_answers() {
    let mut graph = Graph::new("pages");
    let page = graph.stage::<Responder<u32>>("page", 8);
    graph.attach_each(page, |_wire| |reply: Responder<u32>, _cx| reply.respond(1)).unwrap();
    let pages = graph.source(page).unwrap();
    let clock = Arc::new(ManualClock::new());
    let mut graph = graph.start_manual(clock.clone()).unwrap();
    let line = |report: &Report| {
        let text = report.to_string();
        text.lines().find(|line| line.starts_with("  in the last 10 s")).map(str::to_owned)
    };
    assert_eq!(line(&graph.report()), None);
    let _response = pages.request(|reply| reply).unwrap();
    clock.advance(Duration::from_millis(2));
    graph.run_until_idle();
    let mut report = graph.report();
    let times = "  in the last 10 s: p50 2.0 ms p99 2.0 ms p99.9";
    assert_eq!(line(&report), Some(format!("{times} too few")));
    report.classes[0].last_ten_seconds.count = 3_688;
    assert_eq!(line(&report), Some(format!("{times} 2.0 ms")));
}

#[test]
fn the_text_ends_with_the_last_decisions_of_several_controllers() {
    let (mut graph, _source, clock) = tandem();
    assert!(graph.report().to_string().contains("\nbottleneck: cannot tell\n"));
    let set = |tick| format!("budget = 600\n[control]\ntick = '{tick}ms'\nvalve = 'off'");
    for tick in 11..20 {
        clock.advance(Duration::from_secs(1));
        graph.reconfigure(&toml::from_str(&set(tick)).unwrap()).unwrap();
    }
    let mut report = graph.report();
    let mut pool = report.journal[0].clone();
    pool.controller = Controller::PoolSize;
    report.journal.insert(0, pool.clone());
    report.journal_missed = 3;
    let text = report.to_string();
    let lines: Vec<&str> = text.lines().skip_while(|line| *line != "decided last:").collect();
    assert_eq!((lines.len(), lines[1]), (5, pool.to_string().as_str()), "{text}");
    assert!(lines[3].starts_with("    9.000s settings: "), "{text}");
    assert!(lines[3].contains("19ms"), "{text}");
    assert_eq!(lines[4], "subscribers of the journal missed 3 decisions");
}

/// Records the names and labels of registered metrics.
#[derive(Default)]
struct Names(Mutex<BTreeSet<String>>);

impl Names {
    fn note(&self, key: &Key) {
        let labels: Vec<&str> = key.labels().map(metrics::Label::key).collect();
        self.0.lock().insert(format!("{}{{{}}}", key.name(), labels.join(",")));
    }
}

impl Recorder for Names {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.note(key);
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.note(key);
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.note(key);
        Histogram::noop()
    }
}

#[test]
fn every_metric_is_exported_under_its_name_with_bounded_labels() {
    let (mut graph, source, _clock) = tandem();
    source.send_all(vec![0; 3]).unwrap();
    graph.run_until_idle();
    let names = Names::default();
    metrics::with_local_recorder(&names, || graph.tick());
    let expected = [
        "seda_budget_limit{}",
        "seda_budget_used{}",
        "seda_gate_bound{stage}",
        "seda_gate_limit{stage}",
        "seda_gate_turned_away_total{stage,class}",
        "seda_requests_admitted_total{}",
        "seda_requests_answered_total{}",
        "seda_requests_lost_total{reason}",
        "seda_requests_open{}",
        "seda_stage_accepted_total{stage,class}",
        "seda_stage_batch_size{stage}",
        "seda_stage_busy_seconds_total{stage}",
        "seda_stage_failed_total{stage,class}",
        "seda_stage_handled_total{stage,class}",
        "seda_stage_pending{stage}",
        "seda_stage_queue_capacity{stage}",
        "seda_stage_queue_depth{stage}",
        "seda_stage_refused_total{stage,class,reason}",
        "seda_stage_service_seconds{stage}",
        "seda_stage_shed_total{stage,class,reason}",
        "seda_stage_spared_total{stage}",
        "seda_stage_wait_seconds{stage}",
        "seda_stage_workers_stuck{stage}",
        "seda_stage_workers{stage}",
    ];
    assert_eq!(*names.0.lock(), expected.map(str::to_owned).into());
}

#[test]
fn a_wait_for_room_is_apart_from_the_senders_own_time_and_the_parts_add_up() {
    let mut graph = Graph::new("waiting");
    let read = graph.stage::<u32>("read", 64);
    let write = graph.stage::<u32>("write", 1);
    graph
        .attach_each(read, |wire| {
            let write = wire.waiting_sink(write, Duration::from_secs(60));
            move |event, cx| cx.send_waiting(&write, event).unwrap()
        })
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "the handler has to be slow")]
    let slow = |_wire: &mut Wire<'_>| {
        |_event: u32, _cx: &mut Context| std::thread::sleep(Duration::from_millis(2))
    };
    graph.attach_each(write, slow).unwrap();
    for stage in [read, write] {
        let workers = Some(WorkerRange::exactly(1));
        graph.configure(stage, StageConfig { workers, ..StageConfig::default() }).unwrap();
    }
    let source = graph.source(read).unwrap();
    let running = graph.start().unwrap();
    (0..40).for_each(|n| source.send(n).unwrap());
    let report = running.drain(Duration::from_secs(60)).report;
    let [read, write] = &*report.stages else { panic!("two stages") };
    assert_eq!(report.edges.iter().map(|edge| edge.waits).collect::<Vec<_>>(), [true, false]);
    // 40 events pass through a queue of one while each is written for 2 ms.
    let held = read.last_ten_seconds.holding;
    assert!(held.room_wait > 0.5 * held.total.unwrap(), "{held:?}");
    assert_eq!(write.last_ten_seconds.holding.room_wait, 0.0);
    for held in [held, write.last_ten_seconds.holding] {
        let known = held.cpu.zip(held.core_wait).zip(held.blocked);
        if let Some(((cpu, core_wait), blocked)) = known {
            let sum = cpu + core_wait + held.room_wait + held.lock_wait + blocked;
            assert!((sum / held.total.unwrap() - 1.0).abs() < 1e-9, "{held:?}");
        }
    }
}
