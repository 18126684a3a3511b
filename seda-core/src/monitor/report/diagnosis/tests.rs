//! The rule on reports that are built by hand: one for each kind, and its laws.

use super::flow::Flows;
use crate::monitor::report::{
    Bottleneck, BottleneckKind, ClassReport, EdgeReport, EdgeWindow, GraphLoad, Holding,
    LockReport, QueueReport, Report, StageReport, StageWindow, WindowTimes, WorkersReport,
};
use proptest::prelude::*;

const SECONDS: f64 = 10.0;

/// A stage with one worker, offered `rate` events per second of `millis` on a core each.
fn stage(name: &str, rate: f64, millis: f64) -> StageReport {
    let served = (rate * SECONDS) as u64;
    let total = millis / 1e3;
    let service = WindowTimes {
        count: served,
        mean: Some(total),
        p50: Some(total),
        p99: Some(total),
        p999: Some(total),
        variation: Some(0.0),
    };
    let window = StageWindow {
        seconds: SECONDS,
        offered: served,
        accepted: served,
        served,
        service,
        busy_workers: (rate * total).min(1.0),
        utilization: (rate * total).min(1.0),
        holding: on_core(total),
        ..StageWindow::default()
    };
    StageReport {
        name: name.to_owned(),
        pool: name.to_owned(),
        queue: QueueReport { capacity: 100, soft: 100, ..QueueReport::default() },
        workers: WorkersReport { now: 1, min: 1, max: 1, stuck: 0 },
        last_second: window.clone(),
        last_ten_seconds: window,
        ..StageReport::default()
    }
}

fn on_core(seconds: f64) -> Holding {
    Holding {
        total: Some(seconds),
        cpu: Some(seconds),
        core_wait: Some(0.0),
        blocked: Some(0.0),
        ..Holding::default()
    }
}

fn edge(from: Option<&str>, to: &str, rate: f64) -> EdgeReport {
    let sent = (rate * SECONDS) as u64;
    EdgeReport {
        from: from.map(str::to_owned),
        to: to.to_owned(),
        sent,
        last_ten_seconds: EdgeWindow { sent, refused: 0 },
        ..EdgeReport::default()
    }
}

/// A graph of these stages; events enter at the first and go through all in order.
fn chain(stages: Vec<StageReport>) -> Report {
    let mut report = empty();
    let mut from = None;
    for stage in &stages {
        let rate = stage.last_ten_seconds.offered as f64 / SECONDS;
        report.edges.push(edge(from, &stage.name, rate));
        from = Some(&stage.name);
    }
    report.stages = stages;
    report.machine.cores = 64;
    report
}

fn empty() -> Report {
    let old = r#"{
        "graph": "g", "uptime_seconds": 60.0, "window_seconds": 1.0,
        "events": {"offered": 0, "accepted": 0, "refused": 0, "handled": 0, "shed": 0,
            "failed": 0, "queued": 0, "in_hand": 0, "pending": 0},
        "requests": {"admitted": 0, "answered": 0, "lost": {}, "open": 0},
        "budget": {"used": 0, "limit": 100, "bytes_used": 0, "bytes_limit": 0},
        "response_seconds": {}, "classes": [], "stages": [], "edges": [], "journal": [],
        "bottleneck": null
    }"#;
    serde_json::from_str(old).unwrap()
}

#[track_caller]
fn assert_found(report: &Report, kind: BottleneckKind, stage: Option<&str>) -> Bottleneck {
    let found = report.diagnose();
    assert_eq!((found.kind, found.stage.as_deref()), (kind, stage), "{found}");
    found
}

#[test]
fn a_stage_that_is_busy_on_cores_is_cpu_and_the_next_one_is_told() {
    let found = assert_found(
        &chain(vec![stage("a", 100.0, 7.0), stage("b", 100.0, 9.0)]),
        BottleneckKind::Cpu,
        Some("b"),
    );
    assert!((found.load - 0.9).abs() < 1e-9 && found.resource == "pool b", "{found}");
    assert_eq!(found.next.unwrap().stage.as_deref(), Some("a"));
    assert!((found.max_rate.unwrap().per_second - 1000.0 / 9.0).abs() < 1e-6);
    assert!((found.expected.unwrap().max_rate.per_second - 1000.0 / 7.0).abs() < 1e-6);
    assert!(found.tied.is_empty() && found.one_more_max_rate.is_some());
}

#[test]
fn a_stage_that_mostly_blocks_is_blocked() {
    let mut a = stage("a", 90.0, 10.0);
    a.last_ten_seconds.holding.cpu = Some(0.001);
    a.last_ten_seconds.holding.blocked = Some(0.009);
    assert_found(&chain(vec![a]), BottleneckKind::Blocked, Some("a"));
}

#[test]
fn a_pool_that_waits_for_cores_is_not_named_but_the_stage_that_takes_them() {
    let mut victim = stage("victim", 100.0, 9.5);
    victim.last_ten_seconds.holding.cpu = Some(0.001);
    victim.last_ten_seconds.holding.core_wait = Some(0.0085);
    let mut hog = stage("hog", 100.0, 17.0);
    hog.workers.now = 12;
    let mut report = chain(vec![victim, hog]);
    report.machine.cores = 2;
    let found = assert_found(&report, BottleneckKind::Cores, Some("hog"));
    assert!((found.load - 0.9).abs() < 1e-9, "{found}");
    // The same with a quota of two of eight cores, and with six of eight taken by others.
    report.machine.cores = 8;
    report.machine.quota = Some(2.0);
    assert_found(&report, BottleneckKind::Quota, Some("hog"));
    report.machine.quota = None;
    report.machine.others = Some(6.0);
    assert_found(&report, BottleneckKind::Cores, Some("hog"));
}

#[test]
fn the_threads_of_a_hosted_pool_are_a_reactor_and_its_sockets_count() {
    let mut a = stage("a", 100.0, 5.0);
    a.limits.hosted = true;
    let mut report = chain(vec![a]);
    report.machine.reactors = Some(0.4);
    let found = assert_found(&report, BottleneckKind::Reactor, Some("a"));
    assert!((found.load - 0.9).abs() < 1e-9, "{found}");
}

#[test]
fn two_stages_that_fill_a_shared_pool_together_are_a_pool_limit() {
    let (mut a, mut b) = (stage("a", 100.0, 4.0), stage("b", 100.0, 5.0));
    (a.pool, b.pool) = ("both".to_owned(), "both".to_owned());
    let found = assert_found(&chain(vec![a, b]), BottleneckKind::PoolLimit, Some("b"));
    assert_eq!(found.resource, "pool both");
}

#[test]
fn a_cap_below_the_pools_workers_is_a_pool_limit() {
    let mut a = stage("a", 90.0, 10.0);
    a.workers.now = 6;
    a.limits.cap = Some(1);
    let found = assert_found(&chain(vec![a]), BottleneckKind::PoolLimit, Some("a"));
    assert_eq!(found.resource, "cap of a");
    assert!(found.action.contains("Raise the cap"), "{found}");
}

#[test]
fn a_hot_key_limits_a_stage_whose_workers_are_idle() {
    let mut a = stage("a", 120.0, 10.0);
    a.workers.now = 4;
    a.last_ten_seconds.busiest_shard_share = Some(0.75);
    let found = assert_found(&chain(vec![a]), BottleneckKind::Key, Some("a"));
    assert!((found.load - 0.9).abs() < 1e-9, "{found}");
}

#[test]
fn the_places_outside_limit_a_stage_that_defers() {
    let mut a = stage("a", 90.0, 0.1);
    a.outstanding = Some(10);
    a.last_ten_seconds.outside_seconds = Some(0.1);
    a.last_ten_seconds.outside = 9.0;
    let found = assert_found(&chain(vec![a]), BottleneckKind::Outside, Some("a"));
    assert_eq!(found.resource, "places outside of a");
}

#[test]
fn the_cores_limit_a_stage_whose_events_compute_outside() {
    // Both places are full, because the threads give no more.
    let mut a = stage("a", 90.0, 0.001);
    a.outstanding = Some(2);
    (a.limits.sized, a.limits.pending) = (true, 1_024);
    a.last_ten_seconds.outside_seconds = Some(0.02);
    a.last_ten_seconds.outside = 2.0;
    a.last_ten_seconds.holding.outside_cpu = Some(0.01);
    let mut report = chain(vec![a]);
    report.machine.cores = 1;
    let found = assert_found(&report, BottleneckKind::Cores, Some("a"));
    assert!((found.load - 0.9).abs() < 1e-3, "{found}");
    assert!(found.evidence.iter().any(|line| line.contains("runs for 10.0 ms outside")), "{found}");
}

#[test]
fn a_lock_is_named_with_the_stage_that_holds_it() {
    let mut waits = stage("waits", 90.0, 11.0);
    waits.last_ten_seconds.holding =
        Holding { lock_wait: 0.010, cpu: Some(0.001), ..on_core(0.011) };
    let mut holds = stage("holds", 90.0, 9.0);
    holds.workers.now = 4;
    let mut report = chain(vec![waits, holds]);
    report.locks = vec![LockReport {
        address: None,
        looks: 250,
        contended: 200,
        held: [("holds".to_owned(), 0.8), ("waits".to_owned(), 0.1)].into(),
        waiting: [("waits".to_owned(), 0.9)].into(),
    }];
    let found = assert_found(&report, BottleneckKind::Lock, Some("holds"));
    assert_eq!(found.resource, "lock of holds");
    assert!(found.evidence.join("\n").contains("`waits` waits for a lock for 91 %"), "{found}");
    // A few samples are chance.
    report.locks[0].contended = 24;
    assert!(!report.diagnose().kind.is_found());
}

#[test]
fn a_declared_rate_a_budget_and_a_gate_are_admission() {
    let mut limited = stage("mail", 100.0, 1.0);
    limited.limits.rate_per_second = Some(110.0);
    assert_found(&chain(vec![limited]), BottleneckKind::Admission, Some("mail"));
    let mut refusing = stage("a", 100.0, 3.0);
    refusing.last_ten_seconds.refused.insert("budget".to_owned(), 300);
    let found = assert_found(&chain(vec![refusing]), BottleneckKind::Admission, None);
    assert_eq!(found.resource, "budget");
    let mut gated = stage("a", 100.0, 3.0);
    gated.last_ten_seconds.turned_away = 300;
    assert_found(&chain(vec![gated]), BottleneckKind::Admission, Some("a"));
}

#[test]
fn refusals_for_a_full_stage_are_not_admission_also_where_a_promise_leaves_no_queue() {
    // 1.3 times what one worker can do, with room for four services: it is used to 89 %.
    let mut a = stage("a", 26.0, 50.0);
    a.last_ten_seconds.turned_away = 80;
    a.last_ten_seconds.busy_workers = 0.88;
    let mut report = chain(vec![a]);
    let class = ClassReport { promised_seconds: Some(0.2), ..ClassReport::default() };
    report.classes.push(class);
    assert_found(&report, BottleneckKind::Cpu, Some("a"));
    // A gate that leaves the worker idle half of the time does more than its promise.
    report.stages[0].last_ten_seconds.busy_workers = 0.5;
    assert_found(&report, BottleneckKind::Admission, Some("a"));
}

#[test]
fn a_sender_that_waits_for_room_is_not_named_but_the_stage_behind_it() {
    let mut read = stage("read", 90.0, 11.0);
    read.last_ten_seconds.holding = Holding { room_wait: 0.010, ..on_core(0.011) };
    read.last_ten_seconds.holding.cpu = Some(0.001);
    let mut report = chain(vec![read, stage("write", 90.0, 10.0)]);
    let found = assert_found(&report, BottleneckKind::Cpu, Some("write"));
    let evidence = found.evidence.join("\n");
    assert!(evidence.contains("`read` waits for room"), "{evidence}");
    // If nothing shows why the stage behind is slow, it is told that senders wait for it.
    report.stages[1].workers.now = 4;
    report.edges[1].waits = true;
    assert_found(&report, BottleneckKind::Downstream, Some("write"));
}

#[test]
fn a_pool_without_a_worker_that_is_not_stuck_is_stuck() {
    let mut a = stage("a", 1.0, 1.0);
    a.workers = WorkersReport { now: 0, min: 1, max: 1, stuck: 1 };
    assert_found(&chain(vec![a]), BottleneckKind::Stuck, Some("a"));
}

#[test]
fn half_a_load_is_none_and_few_events_are_not_told() {
    let found = chain(vec![stage("a", 50.0, 10.0)]).diagnose();
    assert_eq!((found.kind, found.load), (BottleneckKind::None, 0.5));
    assert!(found.to_string().starts_with("bottleneck: none; the fullest is pool a at 50 %"));
    let found = chain(vec![stage("a", 2.0, 500.0)]).diagnose();
    assert_eq!(found.kind, BottleneckKind::CannotTell);
    assert!(found.evidence[0].starts_with("20 events"), "{found}");
    assert_eq!(empty().diagnose().kind, BottleneckKind::CannotTell);
}

/// Returns the load of a graph whose stage serves 100 of `offered` events a second, and whose entry
/// refuses the others.
fn load_at(offered: f64) -> GraphLoad {
    let served = offered.min(100.0);
    let mut report = chain(vec![stage("a", served, 10.0)]);
    report.edges[0].last_ten_seconds.refused = ((offered - served) * SECONDS) as u64;
    report.bottleneck = report.diagnose();
    report.load()
}

#[test]
fn the_load_is_what_is_offered_over_the_capacity_also_beyond_it() {
    for (offered, ratio) in [(50.0, 0.5), (90.0, 0.9), (120.0, 1.2), (1_000.0, 10.0)] {
        let load = load_at(offered);
        assert!((load.ratio - ratio).abs() < 1e-6, "{offered}: {load:?}");
        assert!((load.capacity_per_second.unwrap() - 100.0).abs() < 1e-6, "{load:?}");
        assert!((load.offered_per_second - offered).abs() < 1e-6, "{load:?}");
    }
    // Two events a second tell no capacity, but how busy the worker is.
    let mut few = chain(vec![stage("a", 2.0, 400.0)]);
    few.bottleneck = few.diagnose();
    let load = few.load();
    assert_eq!((load.capacity_per_second, load.offered_per_second), (None, 2.0));
    assert!((load.ratio - 0.8).abs() < 1e-9, "{load:?}");
}

#[test]
fn two_loads_within_their_error_are_both_named() {
    let mut a = stage("a", 100.0, 9.0);
    let mut b = stage("b", 100.0, 8.8);
    for stage in [&mut a, &mut b] {
        stage.last_ten_seconds.service.variation = Some(1.0);
    }
    let found = chain(vec![a, b]).diagnose();
    assert!(found.names("a") && found.names("b"), "{found}");
}

#[test]
fn a_stage_that_no_request_leads_to_is_never_named() {
    let mut report = chain(vec![stage("query", 100.0, 7.0)]);
    report.stages.push(stage("beat", 95.0, 10.0));
    // It feeds itself.
    report.edges.push(edge(Some("beat"), "beat", 95.0));
    assert_found(&report, BottleneckKind::Cpu, Some("query"));
}

#[test]
fn a_change_since_a_second_is_seen_before_ten_seconds_have_passed() {
    let mut a = stage("a", 100.0, 4.0);
    a.last_second.seconds = 1.0;
    a.last_second.served = 50;
    a.last_second.holding = on_core(0.020);
    let found = assert_found(&chain(vec![a]), BottleneckKind::Cpu, Some("a"));
    assert!((found.load - 2.0).abs() < 1e-9, "{found}");
}

#[test]
fn requests_refused_for_a_later_stage_count_as_its_demand() {
    // Half of the requests go to each branch; the gate of `slow` refuses 40 of its 50 at the entry.
    let mut report = chain(vec![stage("entry", 60.0, 1.0)]);
    report.edges[0].last_ten_seconds = EdgeWindow { sent: 600, refused: 400 };
    report.stages[0].last_ten_seconds.refused.insert("admission".to_owned(), 400);
    report.stages.extend([stage("fast", 50.0, 1.0), stage("slow", 10.0, 90.0)]);
    report.edges.push(edge(Some("entry"), "fast", 50.0));
    report.edges.push(edge(Some("entry"), "slow", 10.0));
    report.stages[2].last_ten_seconds.turned_away = 400;
    let flows = Flows::of(&report);
    let close = |a: f64, b: f64| (a - b).abs() < 1e-3;
    let [entry, fast, slow] = *flows.per_second else { panic!("three stages") };
    assert!(close(entry, 100.0) && close(fast, 50.0) && close(slow, 50.0), "{flows:?}");
}

#[test]
fn flows_around_a_cycle_solve_the_traffic_equations() {
    // A third of the events of `a` come back: 100/(1 − 1/3).
    let mut report = chain(vec![stage("a", 150.0, 1.0)]);
    report.edges[0] = edge(None, "a", 100.0);
    report.edges.push(edge(Some("a"), "a", 50.0));
    let flows = Flows::of(&report);
    assert!((flows.per_second[0] - 150.0).abs() < 1e-3, "{flows:?}");
}

proptest! {
    #[test]
    fn loads_do_not_depend_on_the_unit_of_time(
        rates in prop::collection::vec((40.0..200.0_f64, 0.1..8.0_f64), 1..6),
        scale in 0.01..100.0_f64,
    ) {
        let stages = rates.iter().enumerate();
        let report =
            chain(stages.map(|(n, (rate, millis))| stage(&format!("s{n}"), *rate, *millis)).collect());
        let mut scaled = report.clone();
        for stage in &mut scaled.stages {
            for window in [&mut stage.last_second, &mut stage.last_ten_seconds] {
                window.seconds *= scale;
                let Holding { total, cpu, .. } = &mut window.holding;
                *total = total.map(|seconds| seconds * scale);
                *cpu = cpu.map(|seconds| seconds * scale);
            }
        }
        let (one, other) = (report.diagnose(), scaled.diagnose());
        prop_assert_eq!((one.kind, &one.stage), (other.kind, &other.stage));
        prop_assert!((one.load / other.load - 1.0).abs() < 1e-9);
        let rates = one.max_rate.unwrap().per_second / other.max_rate.unwrap().per_second;
        prop_assert!((rates / scale - 1.0).abs() < 1e-9);
    }

    #[test]
    fn the_visits_of_a_feed_forward_graph_are_the_sums_over_its_paths(
        left in 0.0..1.0_f64,
        passes in 0.0..1.0_f64,
    ) {
        // entry -> a (left) or b; a -> c with `passes`, b -> c always.
        let n = 100_000.0;
        let mut report = empty();
        report.machine.cores = 64;
        let at = [n, n * left, n * (1.0 - left), n * (left * passes + 1.0 - left)];
        let names = ["entry", "a", "b", "c"];
        report.stages = names.iter().zip(at).map(|(name, rate)| stage(name, rate, 0.001)).collect();
        report.edges = vec![
            edge(None, "entry", at[0]),
            edge(Some("entry"), "a", at[1]),
            edge(Some("entry"), "b", at[2]),
            edge(Some("a"), "c", at[1] * passes),
            edge(Some("b"), "c", at[2]),
        ];
        report.fill_flows();
        for (stage, rate) in report.stages.iter().zip(at) {
            prop_assert!((stage.flow.visits - rate / n).abs() < 1e-3, "{}", stage.name);
        }
        let ends: f64 = 1.0 - left * (1.0 - passes);
        prop_assert!((report.stages[3].flow.visits - ends).abs() < 1e-3);
    }
}
