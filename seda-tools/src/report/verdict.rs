//! The limit of a server, derived from its CPU time and its load.
//!
//! The utilization law: a server that answers X requests per second and keeps the share U of its
//! cores busy spends D = U·cores/X seconds of CPU on each request. It cannot answer more than
//! cores/D per second, with any number of threads (Denning, Buzen 1978).

use super::units::{counted, whole_percent};
use crate::watch::{BusyThread, ServerReport};
use serde::{Deserialize, Serialize};

/// The resource that limited a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Limit {
    /// The cores of the server were busy, with its own work or with that of others.
    Cpu,
    /// One thread had no time to spare; the other cores cannot help it.
    OneThread,
    /// The threads together used one core and no more: they take turns, as under one lock.
    OneLock,
    /// The control group of the server allowed no more CPU time.
    Quota,
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
/// 2. The server used 90 % of the time that its control group allows, or the group stopped it for a
///    tenth of the time: **quota**.
/// 3. The server used 90 % of its cores or more, or its threads on some of them used 90 % of those:
///    **CPU**, even if it answered everything. At that utilization a request waits for a core about
///    ten times as long as it uses one (1/(1−U), the M/M/1 queue), and other processes, such as the
///    generator, use the rest.
/// 4. One thread ran for 90 % of the time: **one thread**, likewise.
/// 5. Right answers came at 95 % of the offered rate or more: **none**. The number of a thousand
///    Poisson arrivals varies by 3 %, and the last requests of a window are answered after it; both
///    together stay below 5 %.
/// 6. The threads that ran and those that waited for a core together fill 90 % of the cores, and
///    rule 8 does not hold: **CPU**; others had the rest.
/// 7. One thread ran or waited for a core for 90 % of the time: **one thread**.
/// 8. Several threads together used about one core of several, none of them half of it, and few
///    were ready at once: **one lock**. So does a server in Python, whose threads come and go under
///    the lock of the interpreter.
/// 9. **Not CPU**; the server waits for another resource.
///
/// `throughput_per_second` is that of right answers. `generator_cpu_share` is that of the
/// generator's busiest thread, and only the message uses it. Without `server`, only rules 1 and 5
/// can be decided, and the message tells so.
pub fn verdict(
    server: Option<&ServerReport>,
    offered_per_second: f64,
    throughput_per_second: f64,
    kept_schedule: bool,
    generator_cpu_share: f64,
) -> Verdict {
    let server = server.filter(|server| server.cores > 0);
    let demand_seconds = server.and_then(|server| demand(server, throughput_per_second));
    let answered = throughput_per_second / offered_per_second;
    let lags = throughput_per_second < ANSWERED * offered_per_second;
    let (limit, message) = match server {
        _ if !kept_schedule => (Limit::Generator, describe_generator(generator_cpu_share)),
        Some(server) => {
            let judge = Judge { server, demand_seconds, throughput_per_second, answered };
            judge.busy().unwrap_or_else(|| {
                if lags {
                    judge.behind(generator_cpu_share)
                } else {
                    let (offered, throughput) = (offered_per_second, throughput_per_second);
                    (Limit::None, describe_unlimited(Some(server), offered, throughput))
                }
            })
        }
        None if lags => {
            let share = whole_percent(answered);
            let message = format!(
                "it answered {share} of the offered load; its limit cannot be told without --pid"
            );
            (Limit::None, message)
        }
        None => (Limit::None, describe_unlimited(None, offered_per_second, throughput_per_second)),
    };
    Verdict { limit, demand_seconds, message }
}

/// See [`verdict`], rules 2 to 4 and 6 and 7.
const BUSY: f64 = 0.9;

/// See [`verdict`], rule 2.
const THROTTLED: f64 = 0.1;

/// See [`verdict`], rule 5.
const ANSWERED: f64 = 0.95;

/// See [`verdict`], rule 8: the lock of an interpreter is free for moments, and code outside of it
/// adds a little.
const ONE_CORE: std::ops::Range<f64> = 0.85..1.2;

/// The mean number of ready threads up to which they may take turns. On two cores that others used,
/// 1,645 threads under one lock had 2.6 ready ones, 228 threads in Python had 6.6, and 159 threads
/// without a lock had 127.
const FEW_READY: f64 = 16.0;

/// The share of the machine's time from which the host of a virtual machine is named.
const STOLEN: f64 = 0.05;

/// A server and its answers.
struct Judge<'a> {
    server: &'a ServerReport,
    demand_seconds: Option<f64>,
    throughput_per_second: f64,
    /// Share of the offered load that was answered right.
    answered: f64,
}

impl Judge<'_> {
    /// Returns the limit of a server that has no CPU time to spare, even if it answers everything.
    fn busy(&self) -> Option<(Limit, String)> {
        let (server, used_cores) = (self.server, self.used_cores());
        let scheduling = &server.scheduling;
        if let Some(quota) = scheduling.quota_cores
            && (used_cores >= BUSY * quota || scheduling.throttled_share >= THROTTLED)
        {
            return Some((Limit::Quota, self.describe_quota(used_cores, quota)));
        }
        if server.utilization >= BUSY {
            return Some((Limit::Cpu, self.describe_cpu()));
        }
        if let Some(pinned) = scheduling.pinned.as_ref().filter(|p| p.utilization >= BUSY) {
            let (used, threads) = (whole_percent(pinned.utilization), &pinned.threads);
            let message = format!(
                "limited by CPU: {} may run on {} {} alone and used {used} of it, while the server may \
                 use {}",
                counted(*threads, "thread"),
                if pinned.cores == 1 { "core" } else { "cores" },
                pinned.cpus,
                counted(server.cores, "core")
            );
            return Some((Limit::Cpu, message));
        }
        let thread = scheduling.busiest.as_ref().filter(|thread| thread.running >= BUSY)?;
        Some((Limit::OneThread, self.describe_thread(thread)))
    }

    /// Returns the limit of a server that fell behind.
    fn behind(&self, generator_cpu_share: f64) -> (Limit, String) {
        let Self { server, .. } = self;
        // An unknown wait counts as none.
        let waited = server.runqueue_share.unwrap_or_default();
        if server.utilization + waited >= BUSY && !self.takes_turns() {
            return (Limit::Cpu, self.describe_contended(generator_cpu_share));
        }
        let busiest = server.scheduling.busiest.as_ref();
        if let Some(thread) = busiest.filter(|thread| thread.wanted() >= BUSY) {
            return (Limit::OneThread, self.describe_thread(thread));
        }
        if self.takes_turns() {
            return (Limit::OneLock, self.describe_lock(self.used_cores()));
        }
        (Limit::NotCpu, self.describe_not_cpu())
    }

    /// Returns true if several threads together use about one core, and few of them are ready to
    /// run at once: under a lock, a thread is ready only when it is its turn.
    fn takes_turns(&self) -> bool {
        let Self { server, .. } = self;
        let has_several = server.cores > 1 && server.threads_max > 1;
        let busiest = server.scheduling.busiest.as_ref().map_or(0.0, BusyThread::wanted);
        let ready = server.runqueue_share.unwrap_or_default() * server.cores as f64;
        has_several
            && ONE_CORE.contains(&self.used_cores())
            && busiest < BUSY / 2.0
            && ready < FEW_READY
    }

    fn used_cores(&self) -> f64 {
        self.server.utilization * self.server.cores as f64
    }

    fn describe_quota(&self, used_cores: f64, quota: f64) -> String {
        format!(
            "limited by the CPU quota of its control group: it used {used_cores:.2} of {quota:.2} \
             cores, and was stopped for {} of the time",
            whole_percent(self.server.scheduling.throttled_share)
        )
    }

    fn describe_cpu(&self) -> String {
        let (used, stolen) = (used(self.server), self.stolen());
        match self.demand_seconds {
            Some(demand) => {
                let most = self.server.cores as f64 / demand;
                let demand = demand * 1e3;
                format!(
                    "limited by CPU: it used {used}, {demand:.3} ms for each right answer; at that \
                     price it cannot answer more than {most:.0}/s{stolen}"
                )
            }
            None => format!("limited by CPU: it used {used} and gave no right answer{stolen}"),
        }
    }

    fn describe_thread(&self, thread: &BusyThread) -> String {
        let (name, running) = (&thread.name, whole_percent(thread.running));
        let waiting = match thread.waiting {
            waiting if waiting >= 0.005 => {
                format!(" and waited for a core for {}", whole_percent(waiting))
            }
            _ => String::new(),
        };
        // X answers of the thread's running share cost 1/X of it each.
        let most = self.throughput_per_second / thread.running.max(f64::MIN_POSITIVE);
        let most = match self.throughput_per_second {
            throughput if throughput > 0.0 => {
                format!("; with one such thread it cannot answer more than {most:.0}/s")
            }
            _ => String::new(),
        };
        let (cores, stolen) = (counted(self.server.cores, "core"), self.stolen());
        format!(
            "limited by one thread: `{name}` ran for {running} of the time{waiting}, and more of the \
             {cores} cannot help it{most}{stolen}"
        )
    }

    /// Describes a server whose threads were ready to run while others had the cores.
    fn describe_contended(&self, generator_cpu_share: f64) -> String {
        let Self { server, .. } = self;
        let (used, answered) = (used(server), whole_percent(self.answered));
        let waiting = server.runqueue_share.unwrap_or_default() * server.cores as f64;
        let (generator, stolen) = (whole_percent(generator_cpu_share), self.stolen());
        format!(
            "limited by CPU that others used: it had {used} and answered {answered} of the offered \
             load, while on average {waiting:.1} of its threads stood ready without a core (the \
             generator's busiest thread used {generator} of one): give the server cores of its \
             own{stolen}"
        )
    }

    fn describe_lock(&self, used_cores: f64) -> String {
        let threads = self.server.threads_max;
        let cores = counted(self.server.cores, "core");
        let answered = whole_percent(self.answered);
        format!(
            "limited by one core's worth of CPU: its threads ({threads} at most) together used \
             {used_cores:.2} of {cores} and answered {answered} of the offered load; so do threads that \
             take turns under one lock, as in Python"
        )
    }

    fn describe_not_cpu(&self) -> String {
        let (used, answered) = (used(self.server), whole_percent(self.answered));
        let threads = counted(self.server.threads_max, "thread");
        format!(
            "not limited by CPU: it used {used}, yet answered {answered} of the offered load; it waits \
             for something else: locks, sleep, disk, a limit of workers or of admission; {threads}"
        )
    }

    /// Names the host of a virtual machine, if it gave much time to others.
    fn stolen(&self) -> String {
        match self.server.scheduling.stolen_share {
            share if share >= STOLEN => {
                format!("; the host gave {} of the machine's time to others", whole_percent(share))
            }
            _ => String::new(),
        }
    }
}

/// Describes a generator that fell behind.
fn describe_generator(cpu_share: f64) -> String {
    let used = whole_percent(cpu_share);
    // A thread with time to spare is late because it gets no core: more threads would not help.
    if cpu_share >= GENERATOR_BUSY {
        format!(
            "the generator could not keep its schedule (its busiest thread used {used} of a core): \
             offer less, or give it more threads or another machine"
        )
    } else {
        format!(
            "the generator could not keep its schedule although its busiest thread used only {used} of \
             a core: others had the cores; give the generator one of its own"
        )
    }
}

/// The share of a core from which a thread of the generator has no time to spare.
const GENERATOR_BUSY: f64 = 0.8;

/// Returns D in seconds; `None` without right answers.
fn demand(server: &ServerReport, throughput_per_second: f64) -> Option<f64> {
    let busy_cores = server.utilization * server.cores as f64;
    (throughput_per_second > 0.0).then_some(busy_cores / throughput_per_second)
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
#[path = "verdict_tests.rs"]
mod tests;
