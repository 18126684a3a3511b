//! The metrics page: the report and the figures of the server in the text formats of Prometheus.
//!
//! The room imports `answer` and `figures`. Paths and content types do not belong here (`admin`,
//! `pages`).
//!
//! Every figure has a name, a type, a unit and a sentence. Names and labels are those of the
//! facade `metrics` in seda-core where it has the figure; those of HTTP are those of OpenTelemetry.
//! Labels are bounded: stages, classes, reasons and edges are known at the start, and a server
//! bounds its series.
//!
//! | file | holds |
//! | --- | --- |
//! | `format` | `Format`: the two formats, chosen by Accept |
//! | `writer` | `Writer`: families and samples as text |
//! | `graph`, `stages`, `server` | the figures of each |
//! | `counts` | the counts that a report leaves out |
//!
//! The writer is ours, because one list of families serves both formats. The crate
//! `prometheus-client` writes OpenMetrics alone, and wants each figure in a type of its own that is
//! registered once, where the report is a new value each time.

mod counts;
mod format;
mod graph;
mod server;
mod stages;
mod writer;

pub(crate) use format::Format;

use self::writer::Writer;
use crate::figures::ServerFigures;
use seda_core::Report;

/// Returns the page of a report and of the figures of its server.
pub(crate) fn page(report: &Report, server: &ServerFigures, format: Format) -> String {
    let mut writer = Writer::new(format);
    graph::write(report, &mut writer);
    stages::write(report, &mut writer);
    server::write(report, server, &mut writer);
    writer.finish()
}
