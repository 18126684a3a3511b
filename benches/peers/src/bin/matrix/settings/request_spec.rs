//! What a cell asks for, as its file says it.

use seda_tools::mix::Mix;
use seda_tools::trace::{Entry, Trace};
use seda_tools::workload::Workload;
use seda_tools::{RequestError, RequestShape};
use serde::{Deserialize, Deserializer, de};
use std::sync::Arc;

/// A mix, written as for `seda load --mix`: one path is the simplest.
#[derive(Clone, Debug)]
pub(crate) struct Asked(pub(crate) Mix);

impl<'de> Deserialize<'de> for Asked {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// Requests to be sent: drawn, or in an order.
#[derive(Clone, Debug)]
pub(crate) enum Requests {
    Mix(Mix),
    Trace(Arc<Trace>),
}

impl Requests {
    /// As bytes for a server.
    pub(crate) fn workload(&self, authority: &str) -> Result<Workload, RequestError> {
        let shape = RequestShape::new(authority);
        match self {
            Requests::Mix(mix) => Workload::mix(&shape, mix.clone()),
            Requests::Trace(trace) => Workload::trace(&shape, trace),
        }
    }
}

impl From<&Asked> for Requests {
    fn from(asked: &Asked) -> Self {
        Requests::Mix(asked.0.clone())
    }
}

/// The first requests of a trace.
pub(crate) fn first(trace: Trace, count: Option<usize>) -> Trace {
    let mut trace = trace;
    trace.entries.truncate(count.unwrap_or(usize::MAX).max(1));
    trace
}

/// Requests per second, as recorded.
pub(crate) fn recorded_rate(trace: &Trace) -> f64 {
    trace.entries.len() as f64 / trace.duration().as_secs_f64()
}

/// Arrivals with what each demands, in seconds: its `micros`, and what every request costs beside.
pub(crate) fn demands(
    trace: &Trace,
    speed: f64,
    beside: f64,
) -> impl Iterator<Item = (f64, f64)> + '_ {
    trace.entries.iter().map(move |Entry { at_nanos, target }| {
        let path = trace.targets.get(*target as usize).map_or("", |target| &target.path);
        let micros = path.rsplit_once("micros=").and_then(|(_, micros)| micros.parse::<f64>().ok());
        (*at_nanos as f64 / 1e9 / speed, micros.unwrap_or(0.0) / 1e6 + beside)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "seconds\tmicros\n0.0\t1000\n1.0\t2000\n3.0\t500\n";

    fn trace() -> Trace {
        Trace::parse("t", TRACE.as_bytes()).unwrap()
    }

    #[test]
    fn the_first_requests_of_a_trace_keep_their_times() {
        let two = first(trace(), Some(2));
        assert_eq!((two.entries.len(), recorded_rate(&two)), (2, 2.0));
        assert_eq!(first(trace(), None), trace());
    }

    #[test]
    fn a_demand_is_its_micros_and_what_all_cost() {
        let found: Vec<_> = demands(&trace(), 2.0, 0.25).collect();
        assert_eq!(found, [(0.0, 0.251), (0.5, 0.252), (1.5, 0.2505)]);
    }
}
