//! The requests of a run as bytes, and their sequence.

use super::mix::Mix;
use super::trace::{self, Trace};
use super::varying::Varying;
use crate::h1::{RequestError, RequestShape};
use http::{HeaderName, HeaderValue, Method};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most paths with a report of their own; further ones are "(others)". A screen holds no more,
/// and each costs a histogram.
const MAX_LABELS: usize = 64;
/// Up to this many different targets, the label includes the query. With more, queries are
/// parameters, and the label is the path.
const MAX_QUERIES: usize = 16;

/// The requests of a run.
#[derive(Clone, Debug)]
pub struct Workload {
    pub(crate) targets: Arc<[PreparedTarget]>,
    pub(crate) labels: Vec<String>,
    sequence: Sequence,
}

/// One request as bytes.
#[derive(Clone, Debug)]
pub(crate) struct PreparedTarget {
    pub(crate) bytes: Vec<u8>,
    /// The index of the label under which the request is reported.
    pub(crate) label: usize,
    /// True if no body follows the answer.
    pub(crate) is_head: bool,
    /// The status that the trace recorded.
    pub(crate) expected: Option<u16>,
    /// The places that differ from request to request.
    pub(crate) varying: Option<Arc<Varying>>,
}

impl PreparedTarget {
    /// Returns the bytes of one request; `None` if they are always the same.
    pub(crate) fn filled(&self) -> Option<Vec<u8>> {
        self.varying.as_ref().map(|varying| varying.fill(&self.bytes))
    }
}

#[derive(Clone, Debug)]
enum Sequence {
    /// One target, again and again.
    Same,
    /// Targets drawn by weight.
    Mix(Mix),
    /// The targets of a trace; at its end, again from the start.
    Recorded(Arc<[u32]>),
}

impl Workload {
    /// Makes a workload of one target. `{n}` in its path, encoded as `%7Bn%7D`, is a number that
    /// counts the requests, and `{uuid}` a random identifier.
    ///
    /// # Errors
    /// The method or the target cannot stand in a request line.
    pub fn single(shape: &RequestShape, method: &str, target: &str) -> Result<Self, RequestError> {
        let method = method.parse().map_err(|_| RequestError::Method(method.to_owned()))?;
        let only = trace::Target { method, ..trace::Target::get(target.to_owned()) };
        let mut workload = Self::new(shape, &[Listed::new(&only, 1.0)], Sequence::Same)?;
        let vary = |target: &PreparedTarget| {
            let varying = Varying::find(&target.bytes).map(Arc::new);
            PreparedTarget { varying, ..target.clone() }
        };
        workload.targets = workload.targets.iter().map(vary).collect();
        Ok(workload)
    }

    /// Makes a workload of targets that are drawn by weight.
    ///
    /// # Errors
    /// A method or a target cannot stand in a request line.
    pub fn mix(shape: &RequestShape, mix: Mix) -> Result<Self, RequestError> {
        let listed = mix.choices().iter().map(|choice| Listed {
            headers: &choice.headers,
            ..Listed::new(&choice.target, choice.weight)
        });
        let listed: Vec<_> = listed.collect();
        Self::new(shape, &listed, Sequence::Mix(mix.clone()))
    }

    /// Makes a workload of the requests of a trace, in its order.
    ///
    /// # Errors
    /// A method or a target of the trace cannot stand in a request line.
    pub fn trace(shape: &RequestShape, trace: &Trace) -> Result<Self, RequestError> {
        let mut counts = vec![0.0; trace.targets.len()];
        for entry in &trace.entries {
            if let Some(count) = counts.get_mut(entry.target as usize) {
                *count += 1.0;
            }
        }
        let targets = trace.targets.iter().zip(counts);
        let listed: Vec<_> = targets.map(|(target, count)| Listed::new(target, count)).collect();
        let sequence = trace.entries.iter().map(|entry| entry.target).collect();
        Self::new(shape, &listed, Sequence::Recorded(sequence))
    }

    fn new(
        shape: &RequestShape,
        listed: &[Listed<'_>],
        sequence: Sequence,
    ) -> Result<Self, RequestError> {
        let names = names(listed);
        let Labels { labels, index_of } = Labels::new(listed, &names);
        let mut targets = Vec::with_capacity(listed.len());
        for (Listed { target, headers, .. }, name) in listed.iter().zip(&names) {
            targets.push(PreparedTarget {
                bytes: shape.with_headers(headers).bytes(&target.method, &target.path)?,
                // A name without a label is one of the others, which have the last label.
                label: index_of.get(name).copied().unwrap_or(MAX_LABELS),
                is_head: target.method == Method::HEAD,
                expected: target.status,
                varying: None,
            });
        }
        Ok(Self { targets: targets.into(), labels, sequence })
    }

    /// Returns the indices of the targets, in sequence: endless, and the same for the same seed.
    pub(crate) fn sequence(&self, seed: u64) -> Box<dyn Iterator<Item = u32> + Send> {
        match self.sequence.clone() {
            Sequence::Same => Box::new(std::iter::repeat(0)),
            Sequence::Mix(mix) => {
                let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
                // A command line holds far fewer choices than 2^32.
                Box::new(std::iter::repeat_with(move || mix.draw(&mut rng) as u32))
            }
            Sequence::Recorded(targets) => Box::new((0..).map_while(move |index: usize| {
                let place = index.checked_rem(targets.len())?;
                targets.get(place).copied()
            })),
        }
    }
}

/// A target and its frequency.
#[derive(Clone, Copy, Debug)]
struct Listed<'a> {
    target: &'a trace::Target,
    /// Headers beside those of all requests.
    headers: &'a [(HeaderName, HeaderValue)],
    frequency: f64,
}

impl<'a> Listed<'a> {
    fn new(target: &'a trace::Target, frequency: f64) -> Self {
        Self { target, headers: &[], frequency }
    }

    /// Returns the name of the target in a report. It includes headers as a mix writes them,
    /// because two targets may differ in nothing else.
    fn name(&self, with_query: bool) -> String {
        let path = &self.target.path;
        let path = if with_query { path } else { path.split('?').next().unwrap_or(path) };
        let mut name = format!("{} {path}", self.target.method);
        for (header, value) in self.headers {
            name.push_str(&format!(" {{{header}: {}}}", String::from_utf8_lossy(value.as_bytes())));
        }
        name
    }
}

/// Returns the name of each target.
fn names(listed: &[Listed<'_>]) -> Vec<String> {
    let distinct: HashSet<_> =
        listed.iter().map(|listed| (&listed.target.method, &listed.target.path)).collect();
    let with_query = distinct.len() <= MAX_QUERIES;
    listed.iter().map(|listed| listed.name(with_query)).collect()
}

/// The labels of a workload.
struct Labels {
    /// Most frequent first.
    labels: Vec<String>,
    /// The index of each name among the labels; names of "(others)" have none.
    index_of: HashMap<String, usize>,
}

impl Labels {
    fn new(listed: &[Listed<'_>], names: &[String]) -> Self {
        let mut frequencies: HashMap<&String, f64> = HashMap::new();
        for (listed, name) in listed.iter().zip(names) {
            *frequencies.entry(name).or_default() += listed.frequency;
        }
        let mut sorted: Vec<_> = frequencies.into_iter().collect();
        sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        let has_others = sorted.len() > MAX_LABELS;
        let mut labels: Vec<String> =
            sorted.into_iter().take(MAX_LABELS).map(|(name, _)| name.clone()).collect();
        let index_of = labels.iter().cloned().zip(0..).collect();
        if has_others {
            labels.push("(others)".to_owned());
        }
        Self { labels, index_of }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> RequestShape {
        RequestShape::new("h")
    }

    #[test]
    fn a_single_target_is_repeated() {
        let workload = Workload::single(&shape(), "GET", "/x?y=1").unwrap();
        assert_eq!(workload.labels, ["GET /x?y=1"]);
        assert!(workload.sequence(1).take(100).all(|target| target == 0));
        assert!(Workload::single(&shape(), "GET", "x").is_err());
    }

    #[test]
    fn a_path_may_vary_from_request_to_request() {
        let workload = Workload::single(&shape(), "GET", "/%7Bn%7D").unwrap();
        let first = workload.targets[0].filled().unwrap();
        assert!(first.starts_with(b"GET /0 HTTP/1.1"));
        assert!(workload.targets[0].filled().unwrap().starts_with(b"GET /1 "));
        assert_eq!(Workload::single(&shape(), "GET", "/").unwrap().targets[0].filled(), None);
    }

    #[test]
    fn a_mix_is_drawn_by_weight_and_the_same_for_the_same_seed() {
        let mix: Mix = "/work?micros=1000=9,/=1".parse().unwrap();
        let workload = Workload::mix(&shape(), mix).unwrap();
        let draws: Vec<u32> = workload.sequence(7).take(10_000).collect();
        assert_eq!(draws, workload.sequence(7).take(10_000).collect::<Vec<_>>());
        let first = draws.iter().filter(|target| **target == 0).count();
        assert!((8_800..9_200).contains(&first), "{first} of 10,000");
    }

    #[test]
    fn headers_of_an_entry_are_sent_and_are_in_its_label() {
        let mix: Mix = "{priority: u=0} /x=1,/x=9".parse().unwrap();
        let workload = Workload::mix(&shape(), mix).unwrap();
        assert_eq!(workload.labels, ["GET /x", "GET /x {priority: u=0}"]);
        let sent = |index: usize| String::from_utf8_lossy(&workload.targets[index].bytes);
        assert!(sent(0).contains("priority: u=0\r\n"));
        assert!(!sent(1).contains("priority"));
    }

    #[test]
    fn paths_beyond_the_most_frequent_ones_share_a_label() {
        let listed: Vec<String> = (0..200).map(|number| format!("/{number}")).collect();
        let weights: String =
            listed.iter().enumerate().map(|(n, path)| format!("{path}={},", 200 - n)).collect();
        let mix: Mix = weights.trim_end_matches(',').parse().unwrap();
        let workload = Workload::mix(&shape(), mix).unwrap();
        assert_eq!(workload.labels.len(), MAX_LABELS + 1);
        assert_eq!(workload.labels.first().unwrap(), "GET /0");
        let others = workload.targets.iter().filter(|target| target.label == MAX_LABELS).count();
        assert_eq!(others, 200 - MAX_LABELS);
    }

    #[test]
    fn many_queries_of_one_path_are_one_label() {
        let listed: Vec<String> = (0..40).map(|n| format!("/work?micros={n}=1")).collect();
        let workload = Workload::mix(&shape(), listed.join(",").parse().unwrap()).unwrap();
        assert_eq!(workload.labels, ["GET /work"]);
    }
}
