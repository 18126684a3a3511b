//! The span of a request, and the times that its answer tells.

use crate::h1::RequestHead;
use http::{HeaderName, HeaderValue, StatusCode};
use seda_core::{Request, StageVisit};
use std::fmt::Write;
use std::sync::Arc;
use tracing::Span;

/// The target of the spans, by which a subscriber filters them.
const TARGET: &str = "seda_http::request";

/// The span of a request until its answer is encoded, and the request in the graph.
#[derive(Debug)]
pub(in crate::http) struct ExchangeTrace {
    span: Span,
    /// `None` if it did not reach the graph, or its answer has no Server-Timing.
    request: Option<Arc<Request>>,
}

impl ExchangeTrace {
    /// The field with the times (W3C Server Timing).
    pub(in crate::http) const FIELD: HeaderName = HeaderName::from_static("server-timing");

    /// Returns the span of a request: one that is disabled unless a subscriber wants it.
    pub(in crate::http) fn span(head: &RequestHead) -> Span {
        tracing::debug_span!(
            target: TARGET,
            "request",
            http.request.method = head.method().as_str(),
            url.path = head.uri().path(),
            traceparent = head.header("traceparent"),
            http.response.status_code = tracing::field::Empty,
        )
    }

    /// Returns the trace of an admitted or refused request; `None` if no part of it is wanted.
    pub(in crate::http) fn new(span: Span, request: Option<Arc<Request>>) -> Option<Box<Self>> {
        let is_wanted = request.is_some() || !span.is_none();
        is_wanted.then(|| Box::new(Self { span, request }))
    }

    /// Returns the value of Server-Timing; `None` if the request has visited no stage.
    pub(in crate::http) fn server_timing(&self) -> Option<HeaderValue> {
        let visits = self.request.as_ref()?.stage_visits();
        if visits.is_empty() { None } else { HeaderValue::try_from(timing(&visits)).ok() }
    }

    /// Ends the span with the status of the answer.
    pub(in crate::http) fn end(self, status: StatusCode) {
        self.span.record("http.response.status_code", status.as_u16());
    }
}

/// Returns the wait and the service of each visit, in milliseconds.
fn timing(visits: &[StageVisit]) -> String {
    let mut value = String::new();
    for visit in visits {
        let name = token(&visit.stage);
        let times = [("wait", Some(visit.wait)), ("service", visit.service)];
        for (kind, time) in times.into_iter().filter_map(|(kind, time)| Some((kind, time?))) {
            let comma = if value.is_empty() { "" } else { ", " };
            let millis = time.as_secs_f64() * 1e3;
            // Writing to a string cannot fail.
            let _ = write!(value, "{comma}{name}.{kind};dur={millis:.3}");
        }
    }
    value
}

/// Returns the name of a stage as a token (RFC 9110 §5.6.2): other letters become `_`.
fn token(name: &str) -> String {
    let is_token =
        |letter: char| letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter);
    name.chars().map(|letter| if is_token(letter) { letter } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_becomes_a_token() {
        assert_eq!(token("read-db"), "read-db");
        assert_eq!(token("a b;c=\"d\",é"), "a_b_c__d___");
    }
}
