//! The figures for the `metrics` facade. The recorder that the program installed gets them at every
//! tick. Labels are bounded: stages, classes and reasons are known at the start.
//!
//! | name | kind | labels |
//! | --- | --- | --- |
//! | `seda_stage_queue_depth`, `seda_stage_queue_capacity` | gauge | stage |
//! | `seda_stage_workers`, `seda_stage_workers_stuck` | gauge | stage |
//! | `seda_stage_pending`, `seda_stage_batch_size` | gauge | stage |
//! | `seda_stage_outstanding_limit` (where there is one) | gauge | stage |
//! | `seda_stage_wait_seconds`, `seda_stage_service_seconds` | histogram | stage |
//! | `seda_stage_busy_seconds_total` | counter, whole seconds | stage |
//! | `seda_stage_accepted_total`, `seda_stage_handled_total` | counter | stage, class |
//! | `seda_stage_failed_total` | counter | stage, class |
//! | `seda_stage_refused_total`, `seda_stage_shed_total` | counter | stage, class, reason |
//! | `seda_stage_spared_total` | counter | stage |
//! | `seda_gate_bound`, `seda_gate_limit` | gauge | stage |
//! | `seda_gate_turned_away_total` | counter | stage, class |
//! | `seda_budget_used`, `seda_budget_limit` | gauge | – |
//! | `seda_requests_admitted_total`, `seda_requests_answered_total` | counter | – |
//! | `seda_requests_lost_total` | counter | reason |
//! | `seda_requests_open` | gauge | – |

use crate::config::StageIndex;
use crate::monitor::Monitor;
use crate::monitor::topology::Topology;
use crate::queue::ClassLedger;
use crate::stats::Quantiles;
use metrics::{Label, counter, gauge, histogram};

/// The figures of one tick. They are taken under the monitor's lock and recorded without it,
/// because the recorder is the program's code.
#[derive(Default)]
pub(crate) struct Export {
    figures: Vec<Figure>,
}

struct Figure {
    name: &'static str,
    labels: Vec<Label>,
    value: Value,
}

enum Value {
    Gauge(f64),
    Counter(u64),
    /// Pairs of seconds and the number of durations of that length.
    Histogram(Vec<(f64, usize)>),
}

impl Export {
    pub(crate) fn of(topology: &Topology, monitor: &Monitor) -> Self {
        let mut export = Self::default();
        export.gauge("seda_budget_used", &[], monitor.budget.used);
        export.gauge("seda_budget_limit", &[], monitor.budget.limit);
        export.requests(monitor);
        for index in topology.stages.indices() {
            export.stage(topology, monitor, index);
        }
        export
    }

    /// Passes all figures to the recorder that the program installed.
    pub(crate) fn record(self) {
        for Figure { name, labels, value } in self.figures {
            match value {
                Value::Gauge(value) => gauge!(name, labels).set(value),
                Value::Counter(value) => counter!(name, labels).absolute(value),
                Value::Histogram(runs) => {
                    let histogram = histogram!(name, labels);
                    runs.into_iter().for_each(|(value, n)| histogram.record_many(value, n));
                }
            }
        }
    }

    fn requests(&mut self, monitor: &Monitor) {
        let requests = &monitor.requests;
        self.counter("seda_requests_admitted_total", &[], requests.admitted);
        self.counter("seda_requests_answered_total", &[], requests.answered);
        self.gauge("seda_requests_open", &[], requests.open as usize);
        for (reason, n) in requests.lost.iter() {
            self.counter("seda_requests_lost_total", &[("reason", reason.as_str())], n);
        }
    }

    fn stage(&mut self, topology: &Topology, monitor: &Monitor, index: StageIndex) {
        let (stage, queue) = (&topology.stages[index], &monitor.queues[index]);
        let (_, places) = stage.core.outside();
        let batch = stage.slots.batch_limit();
        let stage: &str = stage.core.name();
        let labels = [("stage", stage)];
        self.gauge("seda_stage_queue_depth", &labels, queue.depth);
        self.gauge("seda_stage_queue_capacity", &labels, queue.capacity);
        self.gauge("seda_stage_pending", &labels, queue.total().pending as usize);
        self.gauge("seda_stage_batch_size", &labels, batch);
        self.counter("seda_stage_spared_total", &labels, queue.aqm.exempt);
        if places < usize::MAX {
            self.gauge("seda_stage_outstanding_limit", &labels, places);
        }
        let pool = topology.pool_of(index);
        self.gauge("seda_stage_workers", &labels, pool.core.live());
        self.gauge("seda_stage_workers_stuck", &labels, pool.core.stuck());
        let tick = &monitor.tick[index];
        self.histogram("seda_stage_wait_seconds", &labels, &tick.wait);
        self.histogram("seda_stage_service_seconds", &labels, &tick.service);
        let busy = monitor.now.stages[index].busy;
        self.counter("seda_stage_busy_seconds_total", &labels, busy / 1_000_000_000);
        if let Some(gate) = monitor.gates[index] {
            self.gauge("seda_gate_bound", &labels, gate.bound);
            self.gauge("seda_gate_limit", &labels, gate.limit.unwrap_or(usize::MAX));
            for (class, n) in topology.classes().iter().zip(gate.turned_away) {
                let labels = [("stage", stage), ("class", class.name.as_str())];
                self.counter("seda_gate_turned_away_total", &labels, n);
            }
        }
        for (class, ledger) in topology.classes().iter().zip(&queue.classes) {
            self.ledger(stage, &class.name, ledger);
        }
    }

    fn ledger(&mut self, stage: &str, class: &str, ledger: &ClassLedger) {
        let labels = [("stage", stage), ("class", class)];
        self.counter("seda_stage_accepted_total", &labels, ledger.accepted);
        self.counter("seda_stage_handled_total", &labels, ledger.handled);
        self.counter("seda_stage_failed_total", &labels, ledger.failed);
        let [stage, class] = labels;
        for (reason, n) in ledger.refused.iter() {
            let labels = [stage, class, ("reason", reason.as_str())];
            self.counter("seda_stage_refused_total", &labels, n);
        }
        for (reason, n) in ledger.shed.iter() {
            let labels = [stage, class, ("reason", reason.as_str())];
            self.counter("seda_stage_shed_total", &labels, n);
        }
    }

    fn gauge(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: usize) {
        self.add(name, labels, Value::Gauge(value as f64));
    }

    fn counter(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: u64) {
        self.add(name, labels, Value::Counter(value));
    }

    fn histogram(
        &mut self,
        name: &'static str,
        labels: &[(&'static str, &str)],
        quantiles: &Quantiles,
    ) {
        let mut before = 0;
        let runs = quantiles.cdf().into_iter().map(|(seconds, cumulative)| {
            let count = usize::try_from(cumulative - before).unwrap_or(usize::MAX);
            before = cumulative;
            (seconds, count)
        });
        let runs: Vec<_> = runs.collect();
        if !runs.is_empty() {
            self.add(name, labels, Value::Histogram(runs));
        }
    }

    fn add(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: Value) {
        let labels = labels.iter().map(|(key, value)| Label::new(*key, (*value).to_owned()));
        self.figures.push(Figure { name, labels: labels.collect(), value });
    }
}
