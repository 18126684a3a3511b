//! The report: stable names, the named bottleneck, text, picture, and the exported metrics.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod support;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use parking_lot::Mutex;
use seda_core::{
    Controller, Graph, GraphConfig, Manual, ManualClock, Report, Source, StageConfig, WorkerRange,
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
         journal journal_missed bottleneck classes heaviest_tenants",
    );
    assert_keys(&json["classes"][0], "name promised_seconds answered p90_seconds");
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
         gate wasted_seconds",
    );
    assert_keys(&stage["queue"], "depth soft capacity");
    assert_keys(&stage["workers"], "now min max stuck");
    assert_keys(&stage["wait_seconds"], "p10 p50 p90 p99 p999 max mean count");
    assert_keys(&stage["service_seconds"], "p10 p50 p90 p99 p999 max mean count resolution");
    assert_keys(&json["edges"][0], "from to sent refused");
    assert_eq!(json["edges"].as_array().unwrap().len(), 2);
    assert_eq!(json["bottleneck"], Value::Null);
    // An unknown figure is null, never 0: the workers of this graph have no threads.
    assert_eq!(stage["cpu_share"], Value::Null);
    // A program that reads the JSON gets the same report.
    let read: Report = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), json);
}

#[test]
fn the_stage_whose_wait_grows_is_named_as_the_bottleneck_with_its_evidence() {
    let (mut graph, source, clock) = tandem();
    assert_eq!(graph.report().bottleneck, None);
    for _ in 0..12 {
        // 40 arrive in the time of 25 services.
        source.send_all(vec![0; 40]).unwrap();
        (0..25).for_each(|_| assert!(graph.step() > 0));
        graph.tick();
    }
    let bottleneck = graph.report().bottleneck.expect("a bottleneck");
    assert_eq!(bottleneck.stage, "slow");
    assert!(bottleneck.why.contains("3.0 ms of service"), "{}", bottleneck.why);
    // An idle graph has no bottleneck.
    graph.run_until_idle();
    for _ in 0..12 {
        clock.advance(Duration::from_millis(100));
        graph.tick();
    }
    assert_eq!(graph.report().bottleneck, None);
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
    assert_eq!(lines[4], "bottleneck: none");
    let dot = report.to_dot();
    assert!(dot.contains("outside -> s0 [label=\"3\"];"), "{dot}");
    assert!(dot.contains("s0 -> s1 [label=\"3\"];"), "{dot}");
    assert!(dot.starts_with("digraph \"tandem\" {\n") && dot.ends_with("}\n"));
}

#[test]
fn the_text_ends_with_the_last_decisions_of_several_controllers() {
    let (mut graph, _source, clock) = tandem();
    assert!(graph.report().to_string().ends_with("bottleneck: none\n"));
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
