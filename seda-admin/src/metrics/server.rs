//! The figures of the server around the graph.

use super::writer::{Family, Kind, Writer};
use crate::figures::{RequestTimes, ServerFigure, ServerFigures};
use seda_core::Report;
use seda_core::report::ClassReport;

pub(super) fn write(report: &Report, figures: &ServerFigures, writer: &mut Writer) {
    write_times(report, &figures.times, writer);
    write_slos(report, &figures.times, writer);
    for family in figures.counts.chunk_by(|one, next| one.name == next.name) {
        write_family(family, writer);
    }
}

/// Writes the figures with one name.
fn write_family(figures: &[ServerFigure], writer: &mut Writer) {
    let Some(first) = figures.first() else { return };
    let kind = if first.is_counter { Kind::Counter } else { Kind::Gauge };
    let name = first.name.strip_suffix("_total").unwrap_or(first.name);
    let mut samples = writer.family(Family { name, kind, help: first.help });
    for figure in figures {
        samples.put(figure.label.as_slice(), figure.value);
    }
}

/// Writes the response times under the names of OpenTelemetry.
fn write_times(report: &Report, times: &[RequestTimes], writer: &mut Writer) {
    let help = "Time from the whole request to the head of its answer.";
    let name = "http_server_request_duration_seconds";
    let mut samples = writer.family(Family { name, kind: Kind::Histogram, help });
    for times in times {
        let status = times.status.map_or_else(|| "other".to_owned(), |status| status.to_string());
        let class = times.class.and_then(|class| report.classes.get(class.index()));
        let labels = [
            ("http_route", times.route.as_str()),
            ("http_request_method", times.method),
            ("http_response_status_code", status.as_str()),
            ("class", class.map_or("", |class| class.name.as_str())),
        ];
        samples.put_histogram(&labels, &times.buckets, times.sum_seconds);
    }
}

/// Writes the answers within the SLO of each class that has one.
fn write_slos(report: &Report, times: &[RequestTimes], writer: &mut Writer) {
    let help = "Requests with a status below 500 within the SLO of their class.";
    let name = "seda_http_within_slo";
    let mut samples = writer.family(Family { name, kind: Kind::Counter, help });
    for (n, ClassReport { name, promised_seconds, .. }) in report.classes.iter().enumerate() {
        if promised_seconds.is_some() {
            let of_class = times.iter().filter(|it| it.class.is_some_and(|it| it.index() == n));
            samples.put(&[("class", name)], of_class.map(|it| it.within_slo).sum::<u64>());
        }
    }
}
