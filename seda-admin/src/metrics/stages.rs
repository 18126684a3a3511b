//! The figures of every stage.

use super::counts::count_of;
use super::writer::{Family, Kind, Number, Writer};
use seda_core::report::{ClassCounts, StageReport};
use seda_core::{LossReason, RefusalReason, Report};

/// A figure of a stage: its family, and its value.
type StageFigure = (&'static str, Kind, &'static str, fn(&StageReport) -> Option<Number>);

const FIGURES: &[StageFigure] = &[
    ("seda_stage_queue_depth", Kind::Gauge, "Events queued.", |stage| {
        Some(stage.queue.depth.into())
    }),
    ("seda_stage_queue_capacity", Kind::Gauge, "The most events that may queue.", |stage| {
        Some(stage.queue.capacity.into())
    }),
    ("seda_stage_pending", Kind::Gauge, "Events deferred, held or delayed.", |stage| {
        Some(stage.pending.into())
    }),
    ("seda_stage_in_hand", Kind::Gauge, "Events that workers handle.", |stage| {
        Some(stage.in_hand.into())
    }),
    (
        "seda_stage_outstanding_limit",
        Kind::Gauge,
        "The number of events outside at which no further event is dequeued.",
        |stage| stage.outstanding.map(Number::from),
    ),
    (
        "seda_stage_batch_size",
        Kind::Gauge,
        "The most events that a worker takes at once.",
        |stage| Some(stage.batch.into()),
    ),
    ("seda_stage_workers", Kind::Gauge, "Workers of the stage's pool.", |stage| {
        Some(stage.workers.now.into())
    }),
    ("seda_stage_workers_limit", Kind::Gauge, "The most workers of the stage's pool.", |stage| {
        Some(stage.workers.max.into())
    }),
    (
        "seda_stage_workers_busy",
        Kind::Gauge,
        "Mean number of workers that ran the stage in the last second.",
        |stage| Some(stage.last_second.busy_workers.into()),
    ),
    (
        "seda_stage_workers_stuck",
        Kind::Gauge,
        "Workers in a handler that does not return.",
        |stage| Some(stage.workers.stuck.into()),
    ),
    (
        "seda_stage_utilization_ratio",
        Kind::Gauge,
        "Share of its pool's time that workers spent in the stage in the last second.",
        |stage| Some(stage.last_second.utilization.into()),
    ),
    (
        "seda_stage_hot",
        Kind::Gauge,
        "1 while the utilization of the stage's pool stays above the threshold.",
        |stage| Some(stage.hot.into()),
    ),
    (
        "seda_stage_offered_per_second",
        Kind::Gauge,
        "Events that would come per second if none were refused on the way.",
        |stage| Some(stage.flow.offered_per_second.into()),
    ),
    ("seda_stage_busy_seconds", Kind::Counter, "Time of workers in the stage.", |stage| {
        Some(stage.service_seconds.busy_seconds.into())
    }),
    (
        "seda_stage_wasted_seconds",
        Kind::Counter,
        "Time of earlier stages for events that were shed here.",
        |stage| Some(stage.wasted_seconds.into()),
    ),
    (
        "seda_stage_spared",
        Kind::Counter,
        "Events handled that CoDel would have shed, because it only observes.",
        |stage| Some(stage.spared.into()),
    ),
    ("seda_gate_bound", Kind::Gauge, "Open requests with the stage on their route.", |stage| {
        stage.gate.as_ref().map(|gate| gate.bound.into())
    }),
    (
        "seda_gate_limit",
        Kind::Gauge,
        "The most open requests with the stage on their route; absent without a limit.",
        |stage| stage.gate.as_ref().and_then(|gate| gate.limit).map(Number::from),
    ),
    (
        "seda_gate_gave_way",
        Kind::Counter,
        "Queued requests that were shed for one of a higher class.",
        |stage| stage.gate.as_ref().map(|gate| gate.gave_way.into()),
    ),
];

pub(super) fn write(report: &Report, writer: &mut Writer) {
    for (name, kind, help, value) in FIGURES {
        let mut samples = writer.family(Family { name, kind: *kind, help });
        for stage in &report.stages {
            let labels = [("stage", stage.name.as_str())];
            value(stage).into_iter().for_each(|value| samples.put(&labels, value));
        }
    }
    write_times(report, writer);
    write_gates(report, writer);
    write_classes(report, writer);
}

fn write_times(report: &Report, writer: &mut Writer) {
    let help = "Time in the queue of the stage.";
    let name = "seda_stage_wait_seconds";
    let mut waits = writer.family(Family { name, kind: Kind::Histogram, help });
    for stage in &report.stages {
        let wait = &stage.wait_seconds;
        let sum = wait.mean.unwrap_or(0.0) * wait.count as f64;
        waits.put_histogram(&[("stage", &stage.name)], &wait.buckets, sum);
    }
    let help = "Time in the handler of the stage; of deferred events, to their completion.";
    let name = "seda_stage_service_seconds";
    let mut services = writer.family(Family { name, kind: Kind::Histogram, help });
    for stage in &report.stages {
        let service = &stage.service_seconds.quantiles;
        let sum = service.mean.unwrap_or(0.0) * service.count as f64;
        services.put_histogram(&[("stage", &stage.name)], &service.buckets, sum);
    }
}

fn write_gates(report: &Report, writer: &mut Writer) {
    let gates = report.stages.iter().filter_map(|stage| Some((&*stage.name, stage.gate.as_ref()?)));
    let gates: Vec<_> = gates.collect();
    let help = "Requests refused at an entry on behalf of the stage.";
    let name = "seda_gate_turned_away";
    let mut away = writer.family(Family { name, kind: Kind::Counter, help });
    for (stage, gate) in &gates {
        for class in &report.classes {
            let count = count_of(&gate.turned_away, &class.name);
            away.put(&[("stage", stage), ("class", &class.name)], count);
        }
    }
    let help = "1 if the services of the stage alone take longer than the SLO of the class.";
    let name = "seda_gate_slo_infeasible";
    let mut infeasible = writer.family(Family { name, kind: Kind::Gauge, help });
    for (stage, gate) in &gates {
        for class in report.classes.iter().filter(|class| class.promised_seconds.is_some()) {
            let labels = [("stage", *stage), ("class", class.name.as_str())];
            infeasible.put(&labels, gate.cannot_keep.contains(&class.name));
        }
    }
}

/// A count of a class at a stage: its family, and its value.
type ClassFigure = (&'static str, &'static str, fn(&ClassCounts) -> u64);

const COUNTS: &[ClassFigure] = &[
    ("seda_stage_offered", "Events sent to the stage.", |counts| counts.offered),
    ("seda_stage_accepted", "Events that entered the stage.", |counts| counts.accepted),
    ("seda_stage_handled", "Events handled to the end.", |counts| counts.handled),
    ("seda_stage_failed", "Events lost to a panic, or deferred and dropped.", |c| c.failed),
];

fn write_classes(report: &Report, writer: &mut Writer) {
    // Each class with each stage, in the order of the stages.
    let stages = report.stages.iter().enumerate().flat_map(|(n, stage)| {
        let classes = report.classes.iter();
        classes.filter_map(move |class| Some((&*stage.name, &*class.name, class.stages.get(n)?)))
    });
    let stages: Vec<_> = stages.collect();
    for (name, help, count) in COUNTS {
        let mut samples = writer.family(Family { name, kind: Kind::Counter, help });
        for (stage, class, counts) in &stages {
            samples.put(&[("stage", stage), ("class", class)], count(counts));
        }
    }
    // A count that begins with zero has a rate from its first event on.
    let help = "Events given back to the sender, by reason.";
    let name = "seda_stage_refused";
    let mut refused = writer.family(Family { name, kind: Kind::Counter, help });
    for (stage, class, counts) in &stages {
        for reason in RefusalReason::ALL.map(RefusalReason::as_str) {
            let labels = [("stage", *stage), ("class", *class), ("reason", reason)];
            refused.put(&labels, count_of(&counts.refused, reason));
        }
    }
    let help = "Events accepted and given up, by reason.";
    let mut shed = writer.family(Family { name: "seda_stage_shed", kind: Kind::Counter, help });
    for (stage, class, counts) in &stages {
        for reason in LossReason::ALL.map(LossReason::as_str) {
            let labels = [("stage", *stage), ("class", *class), ("reason", reason)];
            shed.put(&labels, count_of(&counts.shed, reason));
        }
    }
}
