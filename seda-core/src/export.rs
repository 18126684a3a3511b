//! Figures for the `metrics` facade: whatever recorder the program installed gets them on every
//! tick. Labels are bounded: stages, classes and reasons, all known at the start.
//!
//! | name | kind | labels |
//! | --- | --- | --- |
//! | `seda_stage_queue_depth`, `seda_stage_queue_capacity` | gauge | stage |
//! | `seda_stage_workers`, `seda_stage_workers_stuck` | gauge | stage |
//! | `seda_stage_pending` | gauge | stage |
//! | `seda_stage_wait_seconds`, `seda_stage_service_seconds` | histogram | stage |
//! | `seda_stage_busy_seconds_total` | counter (whole seconds: the facade counts in integers) | stage |
//! | `seda_stage_accepted_total`, `seda_stage_handled_total`, `seda_stage_failed_total` | counter | stage, class |
//! | `seda_stage_refused_total`, `seda_stage_shed_total` | counter | stage, class, reason |
//! | `seda_budget_used`, `seda_budget_limit` | gauge | – |
//! | `seda_requests_admitted_total`, `seda_requests_answered_total` | counter | – |
//! | `seda_requests_lost_total` | counter | reason |
//! | `seda_requests_open` | gauge | – |

use crate::engine::Engine;
use crate::loss::LossReason;
use crate::monitor::Monitor;
use crate::queue::ClassLedger;
use crate::refusal::RefusalReason;
use crate::stats::Quantiles;
use metrics::{counter, gauge, histogram};

/// Exports what was collected since the last tick.
pub(crate) fn export(engine: &Engine, monitor: &mut Monitor) {
    gauge!("seda_budget_used").set(monitor.budget as f64);
    gauge!("seda_budget_limit").set(engine.core.budget.limit() as f64);
    export_requests(monitor);
    for index in 0..engine.stages.len() {
        export_stage(engine, monitor, index);
    }
}

fn export_requests(monitor: &Monitor) {
    let requests = &monitor.requests;
    counter!("seda_requests_admitted_total").absolute(requests.admitted);
    counter!("seda_requests_answered_total").absolute(requests.answered);
    gauge!("seda_requests_open").set(requests.open as f64);
    for (reason, n) in LossReason::ALL.iter().zip(requests.lost) {
        counter!("seda_requests_lost_total", "reason" => reason.as_str()).absolute(n);
    }
}

fn export_stage(engine: &Engine, monitor: &Monitor, index: usize) {
    let Some(stage) = engine.stages.get(index) else {
        return;
    };
    let (Some(queue), Some(tick)) = (monitor.queues.get(index), monitor.tick.get(index)) else {
        return;
    };
    let name = stage.core.name().to_string();
    let gauge = |metric: &'static str, value: usize| {
        gauge!(metric, "stage" => name.clone()).set(value as f64);
    };
    gauge("seda_stage_queue_depth", queue.depth);
    gauge("seda_stage_queue_capacity", queue.capacity);
    gauge("seda_stage_pending", queue.total().pending as usize);
    if let Some((pool, _)) = engine.pool_of(index) {
        gauge("seda_stage_workers", pool.core.live());
        gauge("seda_stage_workers_stuck", pool.core.stuck());
    }
    record("seda_stage_wait_seconds", &name, &tick.wait);
    record("seda_stage_service_seconds", &name, &tick.service);
    if let Some(sums) = monitor.now.stages.get(index) {
        let seconds = sums.busy / 1_000_000_000;
        counter!("seda_stage_busy_seconds_total", "stage" => name.clone()).absolute(seconds);
    }
    for (class, ledger) in engine.classes.iter().zip(&queue.classes) {
        export_ledger(&name, &class.name, ledger);
    }
}

fn export_ledger(stage: &str, class: &str, ledger: &ClassLedger) {
    let labels = [("stage", stage.to_owned()), ("class", class.to_owned())];
    counter!("seda_stage_accepted_total", &labels).absolute(ledger.accepted);
    counter!("seda_stage_handled_total", &labels).absolute(ledger.handled);
    counter!("seda_stage_failed_total", &labels).absolute(ledger.failed);
    let by_reason = |metric: &'static str, reason: &'static str, n: u64| {
        let [stage, class] = labels.clone();
        let labels = [stage, class, ("reason", reason.to_owned())];
        counter!(metric, &labels).absolute(n);
    };
    for (reason, n) in RefusalReason::ALL.iter().zip(ledger.refused) {
        by_reason("seda_stage_refused_total", reason.as_str(), n);
    }
    for (reason, n) in LossReason::ALL.iter().zip(ledger.shed) {
        by_reason("seda_stage_shed_total", reason.as_str(), n);
    }
}

fn record(metric: &'static str, stage: &str, quantiles: &Quantiles) {
    if quantiles.count() == 0 {
        return;
    }
    let histogram = histogram!(metric, "stage" => stage.to_owned());
    let mut before = 0;
    for (seconds, cumulative) in quantiles.cdf() {
        let count = usize::try_from(cumulative - before).unwrap_or(usize::MAX);
        histogram.record_many(seconds, count);
        before = cumulative;
    }
}
