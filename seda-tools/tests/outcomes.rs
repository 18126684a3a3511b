//! Over real sockets every request has the outcome that the behaviour of the server demands.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "tests"
)]

mod support;

use seda_tools::generator::{self, Observer, Progress, Retry, Stop};
use seda_tools::outcome::Outcomes;
use seda_tools::plan::{LoadPlan, Pace};
use seda_tools::report::LoadReport;
use std::time::Duration;
use support::{OK, Reply, dead_port, plan, server};

/// 50 requests within `LONG`.
const RATE: f64 = 500.0;
const LONG: Duration = Duration::from_millis(100);

fn run(plan: &LoadPlan) -> LoadReport {
    let report = generator::run(plan, &Stop::default(), &mut ()).unwrap().report;
    assert_eq!(report.outcomes.ended(), report.outcomes.scheduled, "{report}");
    report
}

fn all(outcome: impl FnOnce(&mut Outcomes) -> &mut u64) -> Outcomes {
    let mut outcomes = Outcomes { scheduled: 50, ..Outcomes::default() };
    *outcome(&mut outcomes) = 50;
    outcomes
}

fn against(script: impl Fn(usize, usize) -> Reply + Send + Sync + 'static) -> LoadReport {
    run(&plan(server(script), RATE, LONG))
}

#[test]
fn right_answers_are_good() {
    let report = against(|_, _| Reply::Bytes(OK));
    assert_eq!(report.outcomes, all(|o| &mut o.good));
    assert_eq!((report.attempts, report.statuses[&200]), (50, 50));
    assert_eq!(report.bytes_received, 50 * OK.len() as u64);
    assert_eq!(report.response_seconds.count, 50);
}

#[test]
fn answers_of_every_framing_are_parsed() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    let report = against(move |number, _| match number % 4 {
        0 => Reply::Bytes(chunked),
        1 => Reply::Last("HTTP/1.1 200 OK\r\n\r\nok"),
        2 => Reply::Last("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"),
        _ => Reply::Bytes("HTTP/1.1 204 No Content\r\n\r\n"),
    });
    assert_eq!(report.outcomes, all(|o| &mut o.good));
}

#[test]
fn refusals_wrong_statuses_and_expected_ones_are_told_apart() {
    const NO: &str = "HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n";
    const GONE: &str = "HTTP/1.1 404 no\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(against(|_, _| Reply::Bytes(NO)).outcomes, all(|o| &mut o.refused));
    assert_eq!(against(|_, _| Reply::Bytes(GONE)).outcomes, all(|o| &mut o.wrong));
    let mut expecting = plan(server(|_, _| Reply::Bytes(GONE)), RATE, LONG);
    expecting.expected = vec![404];
    assert_eq!(run(&expecting).outcomes, all(|o| &mut o.good));
}

#[test]
fn bytes_that_are_not_an_answer_are_broken() {
    let garbage = against(|_, _| Reply::Last("220 mail.example ESMTP\r\n"));
    assert_eq!(garbage.outcomes, all(|o| &mut o.broken));
    assert_eq!(garbage.failures["the answer is not HTTP/1.x"], 50);
    let cut = against(|_, _| Reply::Last("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"));
    assert_eq!(cut.outcomes, all(|o| &mut o.broken));
    assert_eq!(cut.failures["closed in the middle of the answer"], 50);
    let none = against(|_, _| Reply::Last(""));
    assert_eq!(none.outcomes, all(|o| &mut o.broken));
}

#[test]
fn silence_is_a_timeout_and_closes_the_connection() {
    let mut waiting = plan(server(|_, _| Reply::Silence), RATE, LONG);
    (waiting.slos, waiting.deadline) = (Vec::new(), Duration::from_millis(200));
    let report = run(&waiting);
    assert_eq!(report.outcomes, all(|o| &mut o.timed_out));
    assert_eq!(report.generator.connections_opened, 50, "every connection was closed");
}

#[test]
fn a_dead_port_is_a_connect_error() {
    let report = run(&plan(dead_port(), RATE, LONG));
    assert_eq!(report.outcomes, all(|o| &mut o.connect_error));
    assert_eq!(report.failures["connection refused"], 50);
}

#[test]
fn a_kept_connection_that_was_closed_costs_no_request() {
    // Every connection carries three requests and is then closed without an answer.
    let script = |_: usize, on_connection: usize| match on_connection {
        0..3 => Reply::Bytes(OK),
        _ => Reply::Last(""),
    };
    let mut one = plan(server(script), RATE, LONG);
    one.connections = 1;
    let report = run(&one);
    assert_eq!(report.outcomes, all(|o| &mut o.good));
    assert_eq!((report.generator.resent, report.generator.connections_opened), (16, 17));
}

#[test]
fn a_server_that_closes_every_time_is_retried_once() {
    let script = |_: usize, on_connection: usize| match on_connection {
        0 => Reply::Bytes(OK),
        _ => Reply::Last(""),
    };
    let mut one =
        plan(server(move |n, c| if n < 1 { script(n, c) } else { Reply::Last("") }), RATE, LONG);
    one.connections = 1;
    let report = run(&one);
    assert_eq!((report.outcomes.good, report.outcomes.broken), (1, 49));
    assert_eq!(report.generator.resent, 1);
}

#[test]
fn the_limit_of_connections_holds() {
    let mut few = plan(server(|_, _| Reply::Bytes(OK)), 50_000.0, Duration::from_millis(20));
    few.connections = 2;
    let report = run(&few);
    assert_eq!((report.outcomes.good, report.outcomes.scheduled), (1_000, 1_000));
    assert!(report.generator.connections_max <= 2);
    assert!(report.generator.waited_for_connection > 0, "{report}");
}

#[test]
fn retries_count_as_attempts_of_one_request() {
    const NO: &str = "HTTP/1.1 503 no\r\nContent-Length: 0\r\n\r\n";
    let script = |number: usize, _: usize| Reply::Bytes(if number < 60 { NO } else { OK });
    let mut retrying = plan(server(script), RATE, LONG);
    retrying.retry = Retry {
        most: 100,
        least_backoff: Duration::ZERO,
        most_backoff: Duration::ZERO,
        honour_retry_after: true,
    };
    let report = run(&retrying);
    assert_eq!(report.outcomes, all(|o| &mut o.good));
    assert_eq!((report.attempts, report.statuses[&503]), (110, 60));
    assert!((report.amplification - 2.2).abs() < 1e-9);
}

#[test]
fn each_client_of_a_closed_loop_is_counted() {
    let mut closed = plan(server(|_, _| Reply::Bytes(OK)), RATE, LONG);
    let duration = Duration::from_millis(200);
    closed.pace = Pace::Closed { clients: 8, think: Duration::from_millis(5), duration };
    let report = run(&closed);
    let fairness = report.fairness.unwrap();
    assert_eq!(fairness.clients, 8);
    assert!(report.generator.connections_opened == 8 && report.in_flight.max <= 8);
    assert!(fairness.fewest <= fairness.most && !fairness.enough);
    assert_eq!(report.outcomes.good, report.outcomes.scheduled);
}

#[test]
fn threads_share_one_schedule() {
    let mut shared = plan(server(|_, _| Reply::Bytes(OK)), 1_000.0, LONG);
    shared.threads = 3;
    let report = run(&shared);
    assert_eq!((report.outcomes.scheduled, report.outcomes.good), (100, 100));
    assert_eq!(report.generator.threads, 3);
}

#[test]
fn a_stopped_run_reports_its_requests() {
    struct StopAt(Stop, u64);
    impl Observer for StopAt {
        fn progress(&mut self, progress: &Progress) {
            if progress.outcomes.good >= self.1 {
                self.0.ask();
            }
        }
    }
    let long = plan(server(|_, _| Reply::Bytes(OK)), 200.0, Duration::from_secs(3_600));
    let stop = Stop::default();
    let report = generator::run(&long, &stop, &mut StopAt(stop.clone(), 20)).unwrap().report;
    assert!(report.interrupted && report.outcomes.good >= 20);
    assert_eq!(report.outcomes.ended(), report.outcomes.scheduled);
    assert!(report.duration_seconds < 3_600.0 && report.offered_per_second > 0.0);
}

#[test]
fn requests_under_way_when_a_run_is_stopped_do_not_count() {
    struct StopAtOnce(Stop);
    impl Observer for StopAtOnce {
        fn progress(&mut self, progress: &Progress) {
            if progress.under_way > 0 {
                self.0.ask();
                self.0.ask();
            }
        }
    }
    let silent = plan(server(|_, _| Reply::Silence), 200.0, Duration::from_secs(3_600));
    let stop = Stop::default();
    let report = generator::run(&silent, &stop, &mut StopAtOnce(stop.clone())).unwrap().report;
    assert_eq!(report.outcomes, Outcomes::default());
    assert!(report.unfinished > 0);
}

#[test]
fn the_error_of_a_contradictory_plan_names_the_remedy() {
    let base = plan(dead_port(), RATE, LONG);
    let complaint =
        |plan: &LoadPlan| generator::run(plan, &Stop::default(), &mut ()).unwrap_err().to_string();
    let closed = Pace::Closed { clients: 200, think: Duration::ZERO, duration: LONG };
    let clients = complaint(&LoadPlan { pace: closed, ..base.clone() });
    assert!(clients.contains("200 clients") && clients.contains("--connections"), "{clients}");
    let slos = vec![Duration::from_secs(90)];
    let slo = complaint(&LoadPlan { slos, ..base.clone() });
    assert!(slo.contains("90s") && slo.contains("60s"), "{slo}");
    let none = complaint(&LoadPlan { connections: 0, ..base.clone() });
    assert!(none.contains("--connections"), "{none}");
    let bins = complaint(&LoadPlan { bin: Some(Duration::from_nanos(1)), ..base });
    assert!(bins.contains("100000000 bins"), "{bins}");
}
