//! The figures of a server beside those of its graph, as its transport counts them.
//!
//! The room imports no other. How they are written does not belong here (`metrics`).

use seda_core::Class;
use seda_core::stats::BUCKETS;

/// The figures of a server beside those of its graph.
///
/// ```
/// use seda_admin::{ServerFigure, ServerFigures};
///
/// let mut figures = ServerFigures::default();
/// figures.counts.push(ServerFigure::counter("gold_calls_total", "Calls of gold clients.", 7));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct ServerFigures {
    /// The response times, each series once.
    pub times: Vec<RequestTimes>,
    /// The other figures.
    pub counts: Vec<ServerFigure>,
}

/// The response times of the requests with one route, method, class and status.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct RequestTimes {
    /// The pattern of the route as it is declared, such as `/users/{id}`, and never the path of a
    /// request. `unmatched` without a route, `admin` for the admin side, and `other` for series
    /// beyond the bound of the server.
    pub route: String,
    /// The method: one of RFC 9110 or PATCH; `_OTHER` for any other.
    pub method: &'static str,
    /// The class; `None` for requests that no stage was asked for.
    pub class: Option<Class>,
    /// The status code; `None` with the route `other`.
    pub status: Option<u16>,
    /// The number of requests in each bucket of [`seda_core::stats::BUCKET_BOUNDS`].
    pub buckets: [u64; BUCKETS],
    /// The sum of their times.
    pub sum_seconds: f64,
    /// The number of these requests with a status below 500 and a time within the SLO of their
    /// class. 0 for a class without an SLO.
    pub within_slo: u64,
}

/// One figure of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerFigure {
    /// The name: letters, digits and `_`; that of a counter ends in `_total`.
    pub name: &'static str,
    /// The meaning, in one sentence.
    pub help: &'static str,
    /// True if the figure only grows.
    pub is_counter: bool,
    /// The value.
    pub value: u64,
    /// The name and the value of its label; `None` for a figure that is alone under its name.
    /// Figures with one name stand behind each other, and their labels differ.
    pub label: Option<(&'static str, &'static str)>,
}

impl RequestTimes {
    /// Returns times without a request.
    pub fn new(route: impl Into<String>, method: &'static str) -> Self {
        Self {
            route: route.into(),
            method,
            class: None,
            status: None,
            buckets: [0; BUCKETS],
            sum_seconds: 0.0,
            within_slo: 0,
        }
    }

    /// Returns the number of requests.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }
}

impl ServerFigure {
    /// Returns a figure that only grows.
    pub fn counter(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: true, value, label: None }
    }

    /// Returns a figure that rises and falls.
    pub fn gauge(name: &'static str, help: &'static str, value: u64) -> Self {
        Self { name, help, is_counter: false, value, label: None }
    }

    /// Returns the figure with a label, which tells it from others of the same name. A label has
    /// few values: each is a series.
    pub fn with_label(self, name: &'static str, value: &'static str) -> Self {
        Self { label: Some((name, value)), ..self }
    }
}
