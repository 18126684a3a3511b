//! What is asked for: the requests as bytes, and in which order they come.

use crate::h1::{RequestError, RequestShape};
use crate::load::mix::Mix;
use crate::load::trace::{self, Trace};
use http::{HeaderName, HeaderValue, Method};
use rand_core::SeedableRng;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// The most paths that are reported one by one; the rest is "(others)". A screen holds no more,
/// and each costs a histogram.
const MAX_LABELS: usize = 64;
/// Up to so many different targets are told apart by their query too; with more, queries are
/// parameters and the path is the name.
const MAX_QUERIES: usize = 16;

/// What a run asks for.
#[derive(Clone, Debug)]
pub struct Workload {
    pub(crate) targets: Arc<[Target]>,
    pub(crate) labels: Vec<String>,
    order: Order,
}

/// One request that can be sent.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) bytes: Vec<u8>,
    /// Under which label it is reported.
    pub(crate) label: usize,
    /// No body follows its answer.
    pub(crate) is_head: bool,
    /// What it was answered when the trace was taken.
    pub(crate) expected: Option<u16>,
}

#[derive(Clone, Debug)]
enum Order {
    Same,
    Mix(Mix),
    /// As in the trace, again from the start when it is through.
    Recorded(Arc<[u32]>),
}

impl Workload {
    /// One target, again and again.
    ///
    /// # Errors
    /// The method or the target cannot stand in a request line.
    pub fn single(shape: &RequestShape, method: &str, target: &str) -> Result<Self, RequestError> {
        let method = method.parse().map_err(|_| RequestError::Method(method.to_owned()))?;
        let only = trace::Target { method, ..trace::Target::get(target.to_owned()) };
        let (targets, labels) = prepare(shape, &[Listed::new(&only, 1.0)])?;
        Ok(Self { targets, labels, order: Order::Same })
    }

    /// Targets drawn by weight.
    ///
    /// # Errors
    /// A method or a target cannot stand in a request line.
    pub fn mix(shape: &RequestShape, mix: Mix) -> Result<Self, RequestError> {
        let listed = mix.choices().iter().map(|choice| Listed {
            headers: &choice.headers,
            ..Listed::new(&choice.target, choice.weight)
        });
        let listed: Vec<_> = listed.collect();
        let (targets, labels) = prepare(shape, &listed)?;
        Ok(Self { targets, labels, order: Order::Mix(mix) })
    }

    /// The requests of a trace, in its order.
    ///
    /// # Errors
    /// A method or a target of the trace cannot stand in a request line.
    pub fn trace(shape: &RequestShape, trace: &Trace) -> Result<Self, RequestError> {
        let mut often = vec![0.0; trace.targets.len()];
        for entry in &trace.entries {
            if let Some(count) = often.get_mut(entry.target as usize) {
                *count += 1.0;
            }
        }
        let targets = trace.targets.iter().zip(often);
        let listed: Vec<_> = targets.map(|(target, often)| Listed::new(target, often)).collect();
        let (targets, labels) = prepare(shape, &listed)?;
        let order = trace.entries.iter().map(|entry| entry.target).collect();
        Ok(Self { targets, labels, order: Order::Recorded(order) })
    }

    /// Which target comes when: endless, the same for the same seed.
    pub(crate) fn order(&self, seed: u64) -> Box<dyn Iterator<Item = u32> + Send> {
        match self.order.clone() {
            Order::Same => Box::new(std::iter::repeat(0)),
            Order::Mix(mix) => {
                let mut random = Xoshiro256PlusPlus::seed_from_u64(seed);
                let draw = move || u32::try_from(mix.draw(&mut random)).unwrap_or(0);
                Box::new(std::iter::repeat_with(draw))
            }
            Order::Recorded(order) => {
                let at = move |index: usize| {
                    let place = index.checked_rem(order.len())?;
                    order.get(place).copied()
                };
                Box::new((0..).map_while(at))
            }
        }
    }
}

/// A target and how often it comes.
#[derive(Clone, Copy, Debug)]
struct Listed<'a> {
    target: &'a trace::Target,
    /// Beside those of all requests.
    headers: &'a [(HeaderName, HeaderValue)],
    often: f64,
}

impl<'a> Listed<'a> {
    fn new(target: &'a trace::Target, often: f64) -> Self {
        Self { target, headers: &[], often }
    }

    /// Its headers as in a mix: two that differ in nothing else are told apart by them.
    fn suffix(&self) -> String {
        let header = |(name, value): &(HeaderName, HeaderValue)| {
            format!(" {{{name}: {}}}", String::from_utf8_lossy(value.as_bytes()))
        };
        self.headers.iter().map(header).collect()
    }
}

fn prepare(
    shape: &RequestShape,
    listed: &[Listed<'_>],
) -> Result<(Arc<[Target]>, Vec<String>), RequestError> {
    let names = names(listed);
    let (labels, label_of) = labels(listed, &names);
    let mut targets = Vec::with_capacity(listed.len());
    for (Listed { target, headers, .. }, name) in listed.iter().zip(&names) {
        targets.push(Target {
            bytes: shape.with_headers(headers).bytes(&target.method, &target.path)?,
            label: label_of.get(name).copied().unwrap_or(MAX_LABELS),
            is_head: target.method == Method::HEAD,
            expected: target.status,
        });
    }
    Ok((targets.into(), labels))
}

/// What each listed target is called in a report.
fn names(listed: &[Listed<'_>]) -> Vec<String> {
    let distinct: HashSet<_> =
        listed.iter().map(|listed| (&listed.target.method, &listed.target.path)).collect();
    let queries_matter = distinct.len() <= MAX_QUERIES;
    let name = |listed: &Listed<'_>| {
        let target = listed.target;
        let path = target.path.split('?').next().unwrap_or(&target.path);
        let path = if queries_matter { &target.path } else { path };
        format!("{} {path}{}", target.method, listed.suffix())
    };
    listed.iter().map(name).collect()
}

/// The labels, most frequent first, and the place of each name among them.
fn labels(listed: &[Listed<'_>], names: &[String]) -> (Vec<String>, HashMap<String, usize>) {
    let mut often: HashMap<&String, f64> = HashMap::new();
    for (listed, name) in listed.iter().zip(names) {
        *often.entry(name).or_default() += listed.often;
    }
    let mut order: Vec<_> = often.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let has_others = order.len() > MAX_LABELS;
    let mut labels: Vec<String> =
        order.into_iter().take(MAX_LABELS).map(|(name, _)| name.clone()).collect();
    let label_of = labels.iter().cloned().zip(0..).collect();
    if has_others {
        labels.push("(others)".to_owned());
    }
    (labels, label_of)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape() -> RequestShape {
        RequestShape::new("h")
    }

    #[test]
    fn a_single_target_is_all_there_is() {
        let workload = Workload::single(&shape(), "GET", "/x?y=1").unwrap();
        assert_eq!(workload.labels, ["GET /x?y=1"]);
        assert!(workload.order(1).take(100).all(|target| target == 0));
        assert!(Workload::single(&shape(), "GET", "x").is_err());
    }

    #[test]
    fn a_mix_is_drawn_by_weight_and_the_same_for_the_same_seed() {
        let mix: Mix = "/work?micros=1000=9,/=1".parse().unwrap();
        let workload = Workload::mix(&shape(), mix).unwrap();
        let draws: Vec<u32> = workload.order(7).take(10_000).collect();
        assert_eq!(draws, workload.order(7).take(10_000).collect::<Vec<_>>());
        let first = draws.iter().filter(|target| **target == 0).count();
        assert!((8_800..9_200).contains(&first), "{first} of 10,000");
    }

    #[test]
    fn an_entrys_own_headers_are_sent_and_tell_it_apart() {
        let mix: Mix = "{priority: u=0} /x=1,/x=9".parse().unwrap();
        let workload = Workload::mix(&shape(), mix).unwrap();
        assert_eq!(workload.labels, ["GET /x", "GET /x {priority: u=0}"]);
        let sent = |index: usize| String::from_utf8_lossy(&workload.targets[index].bytes);
        assert!(sent(0).contains("priority: u=0\r\n"));
        assert!(!sent(1).contains("priority"));
    }

    #[test]
    fn what_is_beyond_the_most_frequent_paths_is_reported_together() {
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
