//! Builds a report from the monitor's sums.

use crate::config::{Class, PerClass, StageIndex};
use crate::event::request::RequestCounts;
use crate::event::{LossCounts, RefusalCounts};
use crate::gate::{GateCounts, TenantName};
use crate::monitor::report::measure::{Measure, busiest_shard, per_second, times};
use crate::monitor::report::{
    Bottleneck, BudgetReport, ClassCounts, ClassReport, EdgeReport, EventLedger, GateReport,
    QueueReport, Report, RequestLedger, Resolution, ResponseReport, ServiceReport, StageFlow,
    StageReport, TenantReport, WorkersReport,
};
use crate::monitor::{Monitor, Sample, StageSums, Topology, between};
use crate::platform::Time;
use crate::pool::StageFigures;
use crate::queue::ClassLedger;
use crate::stage::QueueFigures;
use crate::stats::Quantiles;
use std::collections::BTreeMap;

/// The number of tenants in a report: they fit on one screen with the stages.
const HEAVIEST: usize = 5;

/// The part of its busy time from which a stage's wait for room is more than chance.
const NOTABLE: f64 = 0.05;

impl Report {
    /// Returns the report with rates over the last second or so.
    pub(crate) fn of_window(topology: &Topology, monitor: &Monitor) -> Report {
        Self::since(topology, monitor, monitor.window_start())
    }

    /// Returns the report with rates over the graph's whole life.
    pub(crate) fn of_life(topology: &Topology, monitor: &Monitor) -> Report {
        Self::since(topology, monitor, &monitor.first)
    }

    fn since(topology: &Topology, monitor: &Monitor, then: &Sample) -> Report {
        let now = &monitor.now;
        let mut total = ClassLedger::default();
        now.stages.iter().for_each(|stage| total.add(&stage.ledger));
        let since = monitor.recent.seconds.last_ten().map_or(then, |window| window.start);
        let waits_for_room =
            now.stages.map(|stage, sums| waits_for_room(sums, &since.stages[stage]));
        let blocked = monitor.recent.blocked.since(since.at, &waits_for_room);
        let measure = Measure { topology, monitor, blocked: &blocked };
        let mut report = Report {
            graph: topology.core.name.to_string(),
            uptime_seconds: now.at.since(monitor.first.at).as_secs_f64(),
            window_seconds: now.at.since(then.at).as_secs_f64(),
            events: events(&total),
            requests: requests(&monitor.requests),
            budget: BudgetReport {
                used: monitor.budget.used,
                limit: monitor.budget.limit,
                bytes_used: monitor.bytes.used,
                bytes_limit: monitor.bytes.limit,
            },
            response_seconds: responses(topology, &monitor.now.response),
            classes: classes(topology, monitor, then),
            stages: topology.stages.indices().map(|n| stage(measure, then, n)).collect(),
            edges: edges(measure),
            journal: topology.core.journal.entries(),
            journal_missed: topology.core.journal.missed(),
            machine: measure.machine(),
            locks: measure.locks(),
            bottleneck: Bottleneck::default(),
            heaviest_tenants: heaviest_tenants(topology, now.at),
        };
        report.fill_flows();
        report.bottleneck = report.diagnose();
        report
    }
}

/// Returns whether workers wait for room for a notable part of their time.
fn waits_for_room(now: &StageSums, then: &StageSums) -> bool {
    let (room, busy) = (now.windowed.room_wait - then.windowed.room_wait, now.busy - then.busy);
    room as f64 > NOTABLE * busy as f64
}

fn heaviest_tenants(topology: &Topology, now: Time) -> Vec<TenantReport> {
    let heaviest = topology.core.admission.heaviest_tenants(HEAVIEST, now).into_iter();
    let tenants = heaviest.map(|(name, rate)| TenantReport {
        tenant: match name {
            TenantName::Key(key) => format!("{key:016x}"),
            TenantName::Keyless => "none".to_owned(),
            TenantName::New => "new".to_owned(),
        },
        offered_per_second: rate.offered_per_second,
        refused_share: rate.refused_share,
    });
    tenants.collect()
}

fn events(total: &ClassLedger) -> EventLedger {
    EventLedger {
        offered: total.offered,
        accepted: total.accepted,
        refused: total.refused.total(),
        handled: total.handled,
        shed: total.shed.total(),
        failed: total.failed,
        queued: total.queued,
        in_hand: total.in_hand,
        pending: total.pending,
    }
}

fn requests(figures: &RequestCounts) -> RequestLedger {
    RequestLedger {
        admitted: figures.admitted,
        answered: figures.answered,
        lost: by_loss(&figures.lost),
        open: figures.open,
    }
}

fn by_loss(counts: &LossCounts) -> BTreeMap<String, u64> {
    let named = counts.iter().filter(|(_, n)| *n > 0);
    named.map(|(reason, n)| (reason.to_string(), n)).collect()
}

fn by_refusal(counts: &RefusalCounts) -> BTreeMap<String, u64> {
    let named = counts.iter().filter(|(_, n)| *n > 0);
    named.map(|(reason, n)| (reason.to_string(), n)).collect()
}

fn responses(
    topology: &Topology,
    response: &PerClass<Quantiles>,
) -> BTreeMap<String, ResponseReport> {
    let classes = topology.classes().iter().zip(response);
    classes
        .map(|(class, response)| {
            let (quantiles, cdf) = (response.summary_with_buckets(), response.cdf());
            (class.name.clone(), ResponseReport { quantiles, cdf })
        })
        .collect()
}

fn classes(topology: &Topology, monitor: &Monitor, then: &Sample) -> Vec<ClassReport> {
    let slo = topology.settings().slo.clone();
    let now = &monitor.now;
    let ten = monitor.recent.seconds.last_ten().map_or(now, |window| window.start);
    let responses = now.response.iter().zip(&*then.response).zip(&*ten.response);
    let classes = Class::first(topology.classes().len()).zip(topology.classes());
    classes
        .zip(slo)
        .zip(responses)
        .map(|(((number, class), slo), ((now, then), ten))| {
            let lately = now.since(then);
            ClassReport {
                name: class.name.clone(),
                promised_seconds: slo.map(|p99| p99.as_secs_f64()),
                answered: lately.count(),
                p90_seconds: lately.quantile_seconds(0.9),
                last_ten_seconds: times(&now.since(ten)),
                stages: monitor.queues.iter().map(|queue| counts(&queue.classes[number])).collect(),
            }
        })
        .collect()
}

fn counts(ledger: &ClassLedger) -> ClassCounts {
    ClassCounts {
        offered: ledger.offered,
        accepted: ledger.accepted,
        handled: ledger.handled,
        failed: ledger.failed,
        refused: by_refusal(&ledger.refused),
        shed: by_loss(&ledger.shed),
    }
}

fn edges(measure: Measure<'_>) -> Vec<EdgeReport> {
    let Measure { topology, monitor, .. } = measure;
    let edges = topology.edges.iter().filter_map(|edge| {
        let (sent, refused) = *monitor.queues[edge.target()].edges.get(edge.number)?;
        let from = edge.source().map(|from| name(topology, from));
        let seconds = &monitor.recent.seconds;
        Some(EdgeReport {
            from,
            to: name(topology, edge.target()),
            sent,
            refused,
            waits: edge.waits,
            last_second: measure.edge(edge, seconds.last(&monitor.now)),
            last_ten_seconds: measure.edge(edge, seconds.last_ten()),
        })
    });
    edges.collect()
}

fn name(topology: &Topology, stage: StageIndex) -> String {
    topology.stages[stage].core.name().to_string()
}

/// Returns how many events may be outside; `None` where only `pending` bounds them.
fn outstanding(topology: &Topology, stage: StageIndex) -> Option<usize> {
    let (_, limit) = topology.stages[stage].core.outside();
    (limit < usize::MAX).then_some(limit)
}

fn gate(topology: &Topology, monitor: &Monitor, index: StageIndex) -> Option<GateReport> {
    let figures = monitor.gates[index]?;
    let classes = topology.classes().iter().zip(figures.turned_away);
    let turned_away = classes.filter(|(_, n)| *n > 0).map(|(class, n)| (class.name.clone(), n));
    let turned_away = turned_away.collect();
    let violated =
        topology.classes().iter().zip(figures.violated).filter(|(_, violated)| *violated);
    let cannot_keep = violated.map(|(class, _)| class.name.clone()).collect();
    let GateCounts { bound, limit, cost, cost_limit, preempted: gave_way, .. } = figures;
    Some(GateReport { bound, limit, cost, cost_limit, turned_away, gave_way, cannot_keep })
}

fn stage(measure: Measure<'_>, then: &Sample, index: StageIndex) -> StageReport {
    let Measure { topology, monitor, .. } = measure;
    let (queue, life) = (&monitor.queues[index], &monitor.life[index]);
    let (now, past) = (&monitor.now.stages[index], &then.stages[index]);
    let (plan, pool) = (&topology.stages[index], topology.pool_of(index));
    let seconds = monitor.now.at.since(then.at).as_secs_f64();
    let busy = now.busy - past.busy;
    let cpu_share = share_of(between(past.cpu, now.cpu), busy);
    let runqueue_share = share_of(between(past.run_queue, now.run_queue), busy);
    let blocked = cpu_share.zip(runqueue_share).map(|(cpu, wait)| (1.0 - cpu - wait).max(0.0));
    let workers = now.workers - past.workers;
    let range = pool.core.range();
    StageReport {
        name: name(topology, index),
        pool: pool.core.name.to_string(),
        queue: QueueReport { depth: queue.depth, soft: queue.soft, capacity: queue.capacity },
        workers: WorkersReport {
            now: monitor.live(plan.pool),
            min: range.min,
            max: range.max,
            stuck: pool.core.stuck(),
        },
        batch: plan.slots.batch_limit(),
        arrivals_per_second: per_second(
            (now.ledger.accepted - past.ledger.accepted) as f64,
            seconds,
        ),
        throughput_per_second: per_second((left(&now.ledger) - left(&past.ledger)) as f64, seconds),
        utilization: if workers > 0 { (busy as f64 / workers as f64).min(1.0) } else { 0.0 },
        hot: pool.core.is_hot(),
        cpu_share,
        runqueue_share,
        blocked_share: blocked,
        occupancy: per_second(
            (now.windowed.occupancy - past.windowed.occupancy) as f64 / 1e9,
            seconds,
        ),
        wait_seconds: life.wait.summary_with_buckets(),
        service_seconds: service(life, queue, now),
        offered: now.ledger.offered,
        accepted: now.ledger.accepted,
        handled: now.ledger.handled,
        refused: by_refusal(&now.ledger.refused),
        shed: by_loss(&now.ledger.shed),
        spared: queue.aqm.exempt,
        failed: now.ledger.failed,
        queued: now.ledger.queued,
        in_hand: now.ledger.in_hand,
        pending: now.ledger.pending,
        outstanding: outstanding(topology, index),
        held: queue.held as u64,
        delayed: queue.delayed as u64,
        bytes: queue.bytes,
        busiest_shard_share: busiest_shard_ever(&queue.shards),
        gate: gate(topology, monitor, index),
        wasted_seconds: queue.wasted_nanos as f64 / 1e9,
        limits: measure.limits(index),
        last_second: measure.stage(index, monitor.recent.seconds.last(&monitor.now)),
        last_ten_seconds: measure.stage(index, monitor.recent.seconds.last_ten()),
        flow: StageFlow::default(),
        blocked_in: measure.blocked_in(index),
    }
}

/// Returns the service times of a stage, those of deferred events included.
fn service(life: &StageFigures, queue: &QueueFigures, now: &StageSums) -> ServiceReport {
    let mut service = life.service.clone();
    service.add(&queue.deferred.times);
    let has_means = life.batch_means > 0;
    ServiceReport {
        quantiles: service.summary_with_buckets(),
        resolution: if has_means { Resolution::BatchMean } else { Resolution::Event },
        busy_seconds: now.busy as f64 / 1e9,
    }
}

/// Returns the share of the busiest shard since the graph began; `None` unless the stage is keyed.
fn busiest_shard_ever(shards: &[u64]) -> Option<f64> {
    (!shards.is_empty()).then(|| busiest_shard(shards, &[]).unwrap_or(0.0))
}

/// Returns how many events have left a stage: handled, failed or shed.
fn left(ledger: &ClassLedger) -> u64 {
    ledger.handled + ledger.failed + ledger.shed.total()
}

/// Returns a part of busy time as a share, 0 to 1; `None` if it is unknown or no time was busy.
fn share_of(part: Option<u64>, busy: u64) -> Option<f64> {
    if busy == 0 {
        return None;
    }
    part.map(|part| (part as f64 / busy as f64).min(1.0))
}
