//! The limit of a server, derived from its CPU time and its load.
//!
//! The utilization law: a server that answers X requests per second and keeps the share U of its
//! cores busy spends D = U·cores/X seconds of CPU on each request. It cannot answer more than
//! cores/D per second, with any number of threads (Denning, Buzen 1978).

use super::units::{counted, whole_percent};
use crate::watch::ServerReport;
use serde::{Deserialize, Serialize};

/// The resource that limited a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The cores of the server were busy.
    Cpu,
    /// The server fell behind although it did not keep its cores busy.
    NotCpu,
    /// The generator did not offer the load asked for: the limit of the server is unknown.
    Generator,
    /// No limit was seen: the server answered the offered load, or fell behind and was not watched.
    None,
}

/// A limit, with its reason.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verdict {
    /// The limit.
    pub limit: Limit,
    /// D: CPU seconds for each right answer, including the cost of wrong and refused answers.
    /// `None` if the server was not watched, or gave no right answer.
    pub demand_seconds: Option<f64>,
    /// The reason: one sentence without a full stop.
    #[serde(rename = "words")]
    pub message: String,
}

/// Finds the limit of one run. The first rule that holds decides:
///
/// 1. The schedule was not kept: the **generator** was the limit.
/// 2. The server used 90 % of its cores or more: **CPU**, even if it answered everything. At that
///    utilization a request waits for a core about ten times as long as it uses one (1/(1−U), the
///    M/M/1 queue), and other processes, such as the generator, use the rest.
/// 3. Right answers came at less than 95 % of the offered rate: **not CPU**; the server waits for
///    another resource. The number of a thousand Poisson arrivals varies by 3 %, and the last
///    requests of a window are answered after it; both together stay below 5 %.
/// 4. **None**.
///
/// `throughput_per_second` is that of right answers. `generator_cpu_share` is that of the
/// generator's busiest thread, and only the message uses it. Without `server`, rules 2 and 3 cannot
/// be decided, and the message tells so.
pub fn verdict(
    server: Option<&ServerReport>,
    offered_per_second: f64,
    throughput_per_second: f64,
    kept_schedule: bool,
    generator_cpu_share: f64,
) -> Verdict {
    let server = server.filter(|server| server.cores > 0);
    let demand_seconds = server.and_then(|server| demand(server, throughput_per_second));
    let lags = throughput_per_second < ANSWERED * offered_per_second;
    let generator = whole_percent(generator_cpu_share);
    let (limit, message) = match server {
        _ if !kept_schedule => (
            Limit::Generator,
            format!(
                "the generator could not keep its schedule (its busiest thread used {generator} of \
                 a core): offer less, or give it more threads or another machine"
            ),
        ),
        Some(server) if server.utilization >= BUSY => {
            (Limit::Cpu, describe_cpu(server, demand_seconds))
        }
        Some(server) if lags => {
            let share = throughput_per_second / offered_per_second;
            (Limit::NotCpu, describe_not_cpu(server, share, &generator))
        }
        None if lags => {
            let share = whole_percent(throughput_per_second / offered_per_second);
            let message = format!(
                "it answered {share} of the offered load; its limit cannot be told without --pid"
            );
            (Limit::None, message)
        }
        _ => (Limit::None, describe_unlimited(server, offered_per_second, throughput_per_second)),
    };
    Verdict { limit, demand_seconds, message }
}

/// See [`verdict`], rule 2.
const BUSY: f64 = 0.9;

/// See [`verdict`], rule 3.
const ANSWERED: f64 = 0.95;

/// Returns D in seconds; `None` without right answers.
fn demand(server: &ServerReport, throughput_per_second: f64) -> Option<f64> {
    let busy_cores = server.utilization * server.cores as f64;
    (throughput_per_second > 0.0).then_some(busy_cores / throughput_per_second)
}

/// Describes the limit CPU.
fn describe_cpu(server: &ServerReport, demand_seconds: Option<f64>) -> String {
    let used = used(server);
    match demand_seconds {
        Some(demand) => {
            let most = server.cores as f64 / demand;
            let demand = demand * 1e3;
            format!(
                "limited by CPU: it used {used}, {demand:.3} ms for each right answer; at that \
                 price it cannot answer more than {most:.0}/s"
            )
        }
        None => format!("limited by CPU: it used {used} and gave no right answer"),
    }
}

/// Describes the limit of a server that fell behind without busy cores.
fn describe_not_cpu(server: &ServerReport, answered: f64, generator: &str) -> String {
    let (used, answered) = (used(server), whole_percent(answered));
    // An unknown wait counts as none.
    let waited = server.runqueue_share.unwrap_or_default();
    // If used and awaited CPU time together fill the cores, other processes may have had them. With
    // less, the server would have had cores to spare even without any wait.
    if server.utilization + waited >= 1.0 {
        return format!(
            "not limited by CPU of its own: it used {used} and answered {answered} of the \
             offered load, but on average {ready:.1} of its threads stood ready without a core, which \
             others may have had (the generator's busiest thread used {generator} of one): give \
             the server cores of its own",
            ready = waited * server.cores as f64,
        );
    }
    let threads = counted(server.threads_max, "thread");
    format!(
        "not limited by CPU: it used {used}, yet answered {answered} of the offered load; it waits \
         for something else: locks, sleep, disk, a limit of workers or of admission; {threads}"
    )
}

/// Describes a run without a limit.
fn describe_unlimited(server: Option<&ServerReport>, offered: f64, throughput: f64) -> String {
    let share = throughput / offered;
    if offered <= 0.0 {
        return "nothing was offered".to_owned();
    }
    // From here on the share rounds to 100 %.
    let answered = if share >= 0.995 {
        "all of the offered load".to_owned()
    } else {
        format!("{} of the offered load", whole_percent(share))
    };
    match server {
        Some(server) => format!("not limited: it answered {answered}, with {}", used(server)),
        None => format!("not limited: it answered {answered}"),
    }
}

/// Describes the used share of the cores.
fn used(server: &ServerReport) -> String {
    format!("{} of its {}", whole_percent(server.utilization), counted(server.cores, "core"))
}

#[cfg(test)]
mod tests {
    use super::*;
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
        let crowded =
            |runqueue| verdict(Some(&server(0.5, Some(runqueue))), 1000.0, 500.0, true, 0.7);
        assert_eq!(
            crowded(0.5).message,
            "not limited by CPU of its own: it used 50 % of its 2 cores and answered 50 % of the \
             offered load, but on average 1.0 of its threads stood ready without a core, which \
             others may have had (the generator's busiest thread used 70 % of one): give the \
             server cores of its own"
        );
        assert_eq!(crowded(0.5).limit, Limit::NotCpu);
        assert!(crowded(0.49).message.contains("something else"));
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
}
