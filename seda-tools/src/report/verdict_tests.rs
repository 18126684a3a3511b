//! Verdicts on servers as they were recorded, and at the bounds of the rules.

use super::*;
use crate::watch::PinnedThreads;
use proptest::prelude::*;

fn server(utilization: f64, runqueue_share: Option<f64>) -> ServerReport {
    ServerReport {
        cores: 2,
        utilization,
        runqueue_share,
        threads: 60,
        threads_max: 64,
        ..ServerReport::default()
    }
}

fn judge(utilization: f64, offered: f64, throughput: f64) -> Verdict {
    verdict(Some(&server(utilization, Some(0.0))), offered, throughput, true, 0.3)
}

#[test]
fn thresholds_are_where_the_rules_put_them() {
    let table = [
        // utilization, offered, throughput, limit
        (0.90, 1000.0, 1000.0, Limit::Cpu),
        (0.90, 1000.0, 100.0, Limit::Cpu),
        (1.00, 1000.0, 0.0, Limit::Cpu),
        (0.89, 1000.0, 1000.0, Limit::None),
        (0.89, 1000.0, 950.0, Limit::None),
        (0.89, 1000.0, 949.0, Limit::NotCpu),
        (0.00, 1000.0, 0.0, Limit::NotCpu),
        (0.50, 1000.0, 1010.0, Limit::None),
        (0.50, 0.0, 0.0, Limit::None),
        (0.50, 1000.0, 500.0, Limit::OneLock),
    ];
    for (utilization, offered, throughput, limit) in table {
        let verdict = judge(utilization, offered, throughput);
        assert_eq!(verdict.limit, limit, "{utilization} {offered} {throughput}");
    }
}

#[test]
fn a_generator_that_fell_behind_is_the_first_rule() {
    let verdict = verdict(Some(&server(1.0, None)), 1000.0, 10.0, false, 0.981);
    assert_eq!(verdict.limit, Limit::Generator);
    assert_eq!(
        verdict.message,
        "the generator could not keep its schedule (its busiest thread used 98 % of a core): \
         offer less, or give it more threads or another machine"
    );
}

#[test]
fn the_message_for_a_busy_server_has_the_capacity_of_its_cores() {
    let verdict = judge(0.95, 2000.0, 950.0);
    assert_eq!(verdict.demand_seconds, Some(0.002));
    assert_eq!(
        verdict.message,
        "limited by CPU: it used 95 % of its 2 cores, 2.000 ms for each right answer; at that \
         price it cannot answer more than 1000/s"
    );
}

#[test]
fn without_a_right_answer_there_is_no_demand() {
    let verdict = judge(0.95, 2000.0, 0.0);
    assert_eq!(verdict.demand_seconds, None);
    assert_eq!(
        verdict.message,
        "limited by CPU: it used 95 % of its 2 cores and gave no right answer"
    );
}

#[test]
fn an_idle_server_that_falls_behind_waits_for_another_resource() {
    assert_eq!(
        judge(0.25, 1000.0, 500.0).message,
        "not limited by CPU: it used 25 % of its 2 cores, yet answered 50 % of the \
         offered load; it waits for something else: locks, sleep, disk, a limit of workers or of \
         admission; 64 threads"
    );
}

#[test]
fn threads_without_a_core_do_not_wait_for_another_resource() {
    let crowded = |runqueue| verdict(Some(&server(0.6, Some(runqueue))), 1000.0, 500.0, true, 0.7);
    assert_eq!(
        crowded(0.31).message,
        "limited by CPU that others used: it had 60 % of its 2 cores and answered 50 % of the \
         offered load, while on average 0.6 of its threads stood ready without a core (the \
         generator's busiest thread used 70 % of one): give the server cores of its own"
    );
    assert_eq!(crowded(0.31).limit, Limit::Cpu);
    assert!(crowded(0.29).message.contains("something else"));
}

/// A server with two cores that fell behind, as it was recorded.
fn recorded(utilization: f64, runqueue: f64, threads: u64, busiest: (f64, f64)) -> Verdict {
    let mut server = server(utilization, Some(runqueue));
    server.threads_max = threads;
    server.scheduling.busiest = Some(thread("main", busiest));
    verdict(Some(&server), 4_000.0, 2_000.0, true, 0.3)
}

fn thread(name: &str, (running, waiting): (f64, f64)) -> BusyThread {
    let mut thread = BusyThread::default();
    (thread.name, thread.running, thread.waiting) = (name.to_owned(), running, waiting);
    thread
}

#[test]
fn recorded_servers_have_their_limits() {
    let cases = [
        // node at 100 % of its one thread, 0.09 of it waiting for a core.
        (0.46, 0.05, 11, (0.91, 0.09), Limit::OneThread),
        (0.40, 0.10, 11, (0.76, 0.19), Limit::OneThread),
        // nginx with one worker beside its master.
        (0.47, 0.02, 2, (0.94, 0.04), Limit::OneThread),
        // python: a thread for each connection, under one lock.
        (0.49, 0.01, 40, (0.12, 0.01), Limit::OneLock),
        (0.55, 0.02, 65, (0.05, 0.00), Limit::OneLock),
        // Threads under one lock and in Python, on cores that others use, too.
        (0.47, 1.30, 1645, (0.01, 0.02), Limit::OneLock),
        (0.48, 3.30, 228, (0.05, 0.20), Limit::OneLock),
        // Threads without a lock there.
        (0.47, 63.0, 159, (0.01, 0.90), Limit::Cpu),
        (0.85, 63.0, 159, (0.02, 0.50), Limit::Cpu),
        // Two burning workers beside a generator on the same two cores.
        (0.70, 0.25, 3, (0.70, 0.25), Limit::Cpu),
        (0.93, 0.30, 3, (0.95, 0.20), Limit::Cpu),
        // A sleeping server.
        (0.05, 0.01, 65, (0.04, 0.00), Limit::NotCpu),
        (0.05, 0.01, 1, (0.10, 0.01), Limit::NotCpu),
    ];
    for (utilization, runqueue, threads, busiest, limit) in cases {
        let verdict = recorded(utilization, runqueue, threads, busiest);
        assert_eq!(verdict.limit, limit, "{utilization} {busiest:?}: {}", verdict.message);
    }
}

#[test]
fn the_message_for_one_thread_names_it_and_its_capacity() {
    assert_eq!(
        recorded(0.46, 0.05, 11, (0.91, 0.09)).message,
        "limited by one thread: `main` ran for 91 % of the time and waited for a core for 9 %, and \
         more of the 2 cores cannot help it; with one such thread it cannot answer more than 2198/s"
    );
    let mut whole = server(0.5, Some(0.0));
    whole.scheduling.busiest = Some(thread("node", (0.95, 0.0)));
    let verdict = verdict(Some(&whole), 1000.0, 1000.0, true, 0.3);
    assert_eq!(verdict.limit, Limit::OneThread, "even if it answers everything");
}

#[test]
fn a_quota_and_a_pinned_core_are_named() {
    let mut limited = server(0.24, Some(0.3));
    limited.scheduling.quota_cores = Some(0.5);
    limited.scheduling.throttled_share = 0.4;
    let quota = verdict(Some(&limited), 1000.0, 500.0, true, 0.3);
    assert_eq!(quota.limit, Limit::Quota);
    assert_eq!(
        quota.message,
        "limited by the CPU quota of its control group: it used 0.48 of 0.50 cores, and was \
         stopped for 40 % of the time"
    );
    let mut pinned = server(0.5, Some(0.5));
    let mut threads = PinnedThreads::default();
    (threads.cpus, threads.cores) = ("1".to_owned(), 1);
    (threads.threads, threads.utilization) = (4, 0.98);
    pinned.scheduling.pinned = Some(threads);
    let pinned = verdict(Some(&pinned), 1000.0, 500.0, true, 0.3);
    assert_eq!(pinned.limit, Limit::Cpu);
    assert!(pinned.message.contains("4 threads may run on core 1 alone and used 98 % of it"));
}

#[test]
fn a_host_that_gives_time_to_others_is_named() {
    let mut robbed = server(0.95, None);
    robbed.scheduling.stolen_share = 0.25;
    let message = verdict(Some(&robbed), 1000.0, 500.0, true, 0.3).message;
    assert!(message.ends_with("; the host gave 25 % of the machine's time to others"));
}

#[test]
fn a_late_generator_with_time_to_spare_gets_no_more_threads() {
    let message = verdict(None, 1000.0, 10.0, false, 0.3).message;
    assert!(message.contains("only 30 %") && !message.contains("more threads"), "{message}");
}

#[test]
fn a_server_that_answers_everything_is_not_limited() {
    assert_eq!(
        judge(0.4, 1000.0, 996.0).message,
        "not limited: it answered all of the offered load, with 40 % of its 2 cores"
    );
    assert_eq!(
        verdict(None, 1000.0, 960.0, true, 0.1).message,
        "not limited: it answered 96 % of the offered load"
    );
    assert_eq!(judge(0.0, 0.0, 0.0).message, "nothing was offered");
}

#[test]
fn a_server_that_was_not_watched_has_no_known_limit() {
    let unwatched = verdict(None, 1000.0, 500.0, true, 0.1);
    assert_eq!((unwatched.limit, unwatched.demand_seconds), (Limit::None, None));
    assert_eq!(
        unwatched.message,
        "it answered 50 % of the offered load; its limit cannot be told without --pid"
    );
    let unreadable = ServerReport::default();
    assert_eq!(verdict(Some(&unreadable), 1000.0, 500.0, true, 0.1), unwatched);
}

#[test]
fn limits_are_in_snake_case() {
    assert_eq!(serde_json::to_string(&Limit::NotCpu).unwrap(), "\"not_cpu\"");
}

proptest! {
    #[test]
    fn every_message_is_free_of_infinities(
        utilization in 0.0..=1.0f64,
        runqueue in proptest::option::of(0.0..50.0f64),
        offered in prop_oneof![Just(0.0), 0.0..1e6f64],
        throughput in prop_oneof![Just(0.0), 0.0..1e6f64],
        kept in any::<bool>(),
        watched in any::<bool>(),
    ) {
        let server = server(utilization, runqueue);
        let verdict = verdict(watched.then_some(&server), offered, throughput, kept, 0.5);
        prop_assert!(!verdict.message.contains("inf") && !verdict.message.contains("NaN"));
        prop_assert_eq!(verdict.limit == Limit::Generator, !kept);
        prop_assert_eq!(verdict.demand_seconds.is_some(), watched && throughput > 0.0);
        // X answers of D each keep U of the cores busy.
        if let Some(demand) = verdict.demand_seconds {
            prop_assert!((demand * throughput - utilization * 2.0).abs() < 1e-9);
        }
    }
}
