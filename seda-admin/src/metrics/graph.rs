//! The figures of the whole graph, its classes and its edges.

use super::counts::count_of;
use super::writer::{Family, Kind, Number, Writer};
use seda_core::report::{ClassReport, EdgeReport};
use seda_core::{LossReason, Report};
use std::collections::BTreeMap;

/// A figure of the graph: its family, and its value.
type GraphFigure = (&'static str, Kind, &'static str, fn(&Report) -> Option<Number>);

const FIGURES: &[GraphFigure] = &[
    ("seda_uptime_seconds", Kind::Gauge, "Time since the graph began.", |report| {
        Some(report.uptime_seconds.into())
    }),
    (
        "seda_graph_load",
        Kind::Gauge,
        "Offered requests over the rate at which the graph is full, refused ones included.",
        |report| Some(report.load().ratio.into()),
    ),
    (
        "seda_graph_offered_per_second",
        Kind::Gauge,
        "Events from outside per second over the last ten seconds, accepted or refused.",
        |report| Some(report.load().offered_per_second.into()),
    ),
    (
        "seda_graph_capacity_per_second",
        Kind::Gauge,
        "Rate of events from outside at which the graph is full; absent if too few came to tell.",
        |report| report.load().capacity_per_second.map(Number::from),
    ),
    ("seda_budget_used", Kind::Gauge, "Events in use of the budget.", |report| {
        Some(report.budget.used.into())
    }),
    ("seda_budget_limit", Kind::Gauge, "The most events inside.", |report| {
        Some(report.budget.limit.into())
    }),
    (
        "seda_budget_used_bytes",
        Kind::Gauge,
        "Bytes in use of the budget, of stages that weigh their events.",
        |report| Some(report.budget.bytes_used.into()),
    ),
    ("seda_budget_limit_bytes", Kind::Gauge, "The most bytes inside.", |report| {
        Some(report.budget.bytes_limit.into())
    }),
    ("seda_requests_admitted", Kind::Counter, "Requests admitted.", |report| {
        Some(report.requests.admitted.into())
    }),
    ("seda_requests_answered", Kind::Counter, "Requests answered.", |report| {
        Some(report.requests.answered.into())
    }),
    ("seda_requests_open", Kind::Gauge, "Admitted requests without an answer.", |report| {
        Some(report.requests.open.into())
    }),
    (
        "seda_journal_missed",
        Kind::Counter,
        "Decisions that did not reach a subscriber of the journal.",
        |report| Some(report.journal_missed.into()),
    ),
    ("seda_cores", Kind::Gauge, "Cores that the graph may use.", |report| {
        (report.machine.cores > 0).then(|| report.machine.cores.into())
    }),
];

pub(super) fn write(report: &Report, writer: &mut Writer) {
    let build = Family { name: "seda_build", kind: Kind::Info, help: "The version and the graph." };
    let version = env!("CARGO_PKG_VERSION");
    writer.family(build).put(&[("version", version), ("graph", &report.graph)], 1_u64);
    for (name, kind, help, value) in FIGURES {
        let mut samples = writer.family(Family { name, kind: *kind, help });
        value(report).into_iter().for_each(|value| samples.put(&[], value));
    }
    write_losses(report, writer);
    write_bottleneck(report, writer);
    write_classes(report, writer);
    write_edges(&report.edges, writer);
}

fn write_losses(report: &Report, writer: &mut Writer) {
    let help = "Admitted requests without an answer, by reason.";
    let mut lost = writer.family(Family { name: "seda_requests_lost", kind: Kind::Counter, help });
    for reason in LossReason::ALL.map(LossReason::as_str) {
        lost.put(&[("reason", reason)], count_of(&report.requests.lost, reason));
    }
}

/// Writes the bottleneck as the labels of a figure. A kind and a stage are known at the start; the
/// resource is not written, because the name of a lock has an address.
fn write_bottleneck(report: &Report, writer: &mut Writer) {
    let bottleneck = &report.bottleneck;
    let help = "The load of the fullest resource, by its kind and stage; 1 is full. The kind \
                `none`: nothing is near its limit.";
    let labels = [
        ("kind", bottleneck.kind.as_str()),
        ("stage", bottleneck.stage.as_deref().unwrap_or_default()),
    ];
    let family = Family { name: "seda_bottleneck_load", kind: Kind::Gauge, help };
    writer.family(family).put(&labels, bottleneck.load);
}

fn write_classes(report: &Report, writer: &mut Writer) {
    let help = "The response time that 99 of 100 answers of a class may take.";
    let mut slos = writer.family(Family { name: "seda_slo_seconds", kind: Kind::Gauge, help });
    for ClassReport { name, promised_seconds, .. } in &report.classes {
        promised_seconds.iter().for_each(|slo| slos.put(&[("class", name)], *slo));
    }
    let help = "Time from the admission of a request to its answer.";
    let name = "seda_response_seconds";
    let mut times = writer.family(Family { name, kind: Kind::Histogram, help });
    for (class, response) in &report.response_seconds {
        let response = &response.quantiles;
        let sum = response.mean.unwrap_or(0.0) * response.count as f64;
        times.put_histogram(&[("class", class)], &response.buckets, sum);
    }
}

/// Writes the counts of edges. Several edges may lead from one place to one stage: each reactor has
/// a source of its own.
fn write_edges(edges: &[EdgeReport], writer: &mut Writer) {
    let mut sums: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for edge in edges {
        let ends = (edge.from.as_deref().unwrap_or_default(), edge.to.as_str());
        let sum = sums.entry(ends).or_default();
        (sum.0, sum.1) = (sum.0 + edge.sent, sum.1 + edge.refused);
    }
    let help = "Events sent over an edge and accepted; without `from` they come from outside.";
    let mut sent = writer.family(Family { name: "seda_edge_sent", kind: Kind::Counter, help });
    sums.iter().for_each(|((from, to), (n, _))| sent.put(&[("from", from), ("to", to)], *n));
    let help = "Events sent over an edge and refused; without `from` they come from outside.";
    let mut away = writer.family(Family { name: "seda_edge_refused", kind: Kind::Counter, help });
    sums.iter().for_each(|((from, to), (_, n))| away.put(&[("from", from), ("to", to)], *n));
}
