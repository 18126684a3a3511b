//! The requests of a cell: a mix of paths, or a recorded trace.

use seda_tools::mix::Mix;
use seda_tools::trace::Trace;
use seda_tools::workload::Workload;
use seda_tools::{RequestError, RequestShape};
use serde::{Deserialize, Deserializer, de};
use std::sync::Arc;

/// A mix in the syntax of `seda load --mix`, or a single path, which needs no weight.
#[derive(Clone, Debug)]
pub(crate) struct RequestSpec(pub(crate) Mix);

impl<'de> Deserialize<'de> for RequestSpec {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let is_one_path = text.starts_with('/') && !text.contains(',');
        let mix = if is_one_path { format!("{text}=1").parse() } else { text.parse() };
        mix.map(Self).map_err(de::Error::custom)
    }
}

/// Requests to send: drawn from a mix, or in the order of a trace.
#[derive(Clone, Debug)]
pub(crate) enum Requests {
    Mix(Mix),
    Trace(Arc<Trace>),
}

impl Requests {
    /// Returns the requests as bytes for the server with this authority.
    pub(crate) fn workload(&self, authority: &str) -> Result<Workload, RequestError> {
        let shape = RequestShape::new(authority);
        match self {
            Requests::Mix(mix) => Workload::mix(&shape, mix.clone()),
            Requests::Trace(trace) => Workload::trace(&shape, trace),
        }
    }
}

impl From<&RequestSpec> for Requests {
    fn from(spec: &RequestSpec) -> Self {
        Requests::Mix(spec.0.clone())
    }
}

/// Returns the trace cut to its first `count` requests; at least one stays.
pub(crate) fn first(trace: Trace, count: Option<usize>) -> Trace {
    let mut trace = trace;
    trace.entries.truncate(count.unwrap_or(usize::MAX).max(1));
    trace
}

/// Returns the mean rate of a trace as recorded, in requests per second.
pub(crate) fn recorded_rate(trace: &Trace) -> f64 {
    trace.entries.len() as f64 / trace.duration().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = "seconds\tmicros\n0.0\t1000\n1.0\t2000\n3.0\t500\n";

    fn trace() -> Trace {
        Trace::parse("t", TRACE.as_bytes()).unwrap()
    }

    #[test]
    fn a_single_path_needs_no_weight_and_a_mix_has_them() {
        #[derive(Deserialize)]
        struct Cell {
            requests: RequestSpec,
        }
        for (text, mix) in [
            ("/sleep?millis=1", "/sleep?millis=1=1"),
            ("/", "/=1"),
            ("{priority: u=0} /a=2,/b=1", "{priority: u=0} /a=2,/b=1"),
        ] {
            let cell: Cell = toml::from_str(&format!("requests = '{text}'")).unwrap();
            assert_eq!(cell.requests.0.to_string(), mix);
        }
    }

    #[test]
    fn the_first_requests_of_a_trace_keep_their_times() {
        let two = first(trace(), Some(2));
        assert_eq!((two.entries.len(), recorded_rate(&two)), (2, 2.0));
        assert_eq!(first(trace(), None), trace());
    }
}
