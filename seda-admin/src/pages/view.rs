//! The views of a snapshot.

use crate::answer::SVG;
use crate::drawing;
use crate::figures::ServerFigures;
use crate::metrics::{self, Format};
use bytes::Bytes;
use seda_core::Report;

/// A rendering of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum View {
    Json,
    Text,
    Dot,
    /// A drawing with this number of stages beside each other at most.
    Svg(u8),
    Metrics(Format),
}

impl View {
    pub(super) fn content_type(self) -> &'static str {
        match self {
            View::Json => "application/json",
            View::Text => crate::answer::TEXT,
            View::Dot => "text/vnd.graphviz",
            View::Svg(_) => SVG,
            View::Metrics(format) => format.content_type(),
        }
    }

    /// `server` has the figures of the server around the graph.
    pub(super) fn render(self, report: &Report, server: &dyn Fn() -> ServerFigures) -> Bytes {
        match self {
            View::Json => match serde_json::to_vec(report) {
                Ok(json) => json.into(),
                // Unreachable: a report has string keys and plain numbers.
                Err(error) => {
                    tracing::error!(%error, "cannot write a report as JSON");
                    Bytes::from_static(b"null")
                }
            },
            View::Text => report.to_string().into(),
            View::Dot => report.to_dot().into(),
            View::Svg(columns) => drawing::svg(report, columns).into(),
            View::Metrics(format) => metrics::page(report, &server(), format).into(),
        }
    }
}
