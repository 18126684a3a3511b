//! The route, the method and the class of a request, and the key of its series.

use http::{Method, StatusCode};
use seda_core::{Class, Time};
use std::time::Duration;

/// The methods with a name of their own (OpenTelemetry: "known to the instrumentation").
const METHODS: [(Method, &str); 8] = [
    (Method::GET, "GET"),
    (Method::POST, "POST"),
    (Method::HEAD, "HEAD"),
    (Method::PUT, "PUT"),
    (Method::DELETE, "DELETE"),
    (Method::PATCH, "PATCH"),
    (Method::OPTIONS, "OPTIONS"),
    (Method::TRACE, "TRACE"),
];

/// The name of all other methods, as OpenTelemetry has it.
const OTHER_METHOD: &str = "_OTHER";

/// The route of a request, for its series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::http) enum RouteLabel {
    /// No route has its path or its method, or it is malformed.
    Unmatched,
    /// The admin side.
    Admin,
    /// A route of the table, by its number.
    Route(u32),
    /// All series beyond the bound.
    Other,
}

/// A method, by its place among those with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct MethodLabel(u8);

/// What the requests of a series have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SeriesKey {
    pub(super) route: RouteLabel,
    pub(super) method: MethodLabel,
    pub(super) class: Option<Class>,
    pub(super) status: u16,
}

impl SeriesKey {
    /// The key of the requests beyond the bound of series.
    pub(super) fn other() -> Self {
        let (route, method) = (RouteLabel::Other, MethodLabel::other());
        Self { route, method, class: None, status: 0 }
    }
}

/// What a response time is recorded under, beside the status of the answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Label {
    route: RouteLabel,
    method: MethodLabel,
    /// `None` if no stage was asked.
    class: Option<Class>,
    /// The moment at which the request was whole; with a streamed, refused or unfinished body, that
    /// of its head.
    pub(super) began: Time,
    /// The SLO of the class in nanoseconds; `u64::MAX` without one.
    slo_nanos: u64,
}

impl RouteLabel {
    /// Returns its place among the labels of a server.
    pub(super) fn place(self) -> usize {
        match self {
            Self::Unmatched => 0,
            Self::Admin => 1,
            Self::Other => 2,
            Self::Route(number) => 3 + number as usize,
        }
    }
}

impl MethodLabel {
    fn of(method: &Method) -> Self {
        let place = METHODS.iter().position(|(known, _)| known == method).unwrap_or(METHODS.len());
        Self(place as u8)
    }

    pub(super) fn as_str(self) -> &'static str {
        METHODS.get(usize::from(self.0)).map_or(OTHER_METHOD, |(_, name)| name)
    }

    pub(super) fn other() -> Self {
        Self(METHODS.len() as u8)
    }
}

impl Label {
    /// Returns the label of a request that asks no stage. `method` is `None` if it is malformed.
    pub(in crate::http) fn new(route: RouteLabel, method: Option<&Method>) -> Self {
        let method = method.map_or(MethodLabel::other(), MethodLabel::of);
        Self { route, method, class: None, began: Time::ZERO, slo_nanos: u64::MAX }
    }

    /// Returns the same label with a class, whose SLO is `slo`.
    pub(in crate::http) fn of_class(self, class: Class, slo: Option<Duration>) -> Self {
        let slo_nanos = slo.map_or(u64::MAX, |slo| Time::ZERO.after(slo).as_nanos());
        Self { class: Some(class), slo_nanos, ..self }
    }

    /// Returns the same label of a request that begins at `began`.
    pub(in crate::http) fn begun(self, began: Time) -> Self {
        Self { began, ..self }
    }

    pub(super) fn key(&self, status: StatusCode) -> SeriesKey {
        let Self { route, method, class, .. } = *self;
        SeriesKey { route, method, class, status: status.as_u16() }
    }

    /// Returns true if an answer with this status after `time` keeps the SLO of its class.
    pub(super) fn keeps_slo(&self, status: StatusCode, time: Duration) -> bool {
        let has_slo = self.slo_nanos < u64::MAX;
        has_slo && time.as_nanos() <= u128::from(self.slo_nanos) && !status.is_server_error()
    }
}
