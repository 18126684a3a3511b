//! A generated graph.

use super::draw::Draw;
use super::kind::Kind;
use super::path::path_seconds;
use super::sketch::Sketch;
use super::topology::draw_graph;
use super::twist::limit;
use crate::spec::{Spec, SpecError};
use std::time::Duration;

/// A generated graph: the same kind and seed give the same graph.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Subject {
    /// What the graph is about.
    pub kind: Kind,
    /// The seed of its draws and of its runs.
    pub seed: u64,
    /// The graph, under no particular load.
    pub spec: Spec,
    /// The SLO of the looks that have one.
    pub slo: Duration,
}

impl Subject {
    /// Generates a graph.
    ///
    /// # Errors
    /// A generated value is not allowed in a spec, which is a bug of the generator.
    pub fn generate(kind: Kind, seed: u64) -> Result<Self, SpecError> {
        let mut draw = Draw::new(seed, kind as usize);
        let mut sketch = Sketch::new(format!("{kind}-{seed}"))?;
        let mut slo_factor = draw.between(6.0, 20.0);
        sketch.spec.cores = 0;
        draw_graph(&mut sketch, &mut draw, kind);
        if kind == Kind::Promised {
            slo_factor = draw.between(2.0, 2.9);
        }
        let (mut spec, rate) = sketch.finish(&mut draw);
        spec.seed = seed;
        spec.arrivals.rate = Some(rate * spec.arrivals.rate.unwrap_or(1.0));
        limit(&mut spec, &mut draw, kind, rate);
        spec.check()?;
        let slo = slo(&spec, slo_factor);
        Ok(Self { kind, seed, spec, slo })
    }
}

/// Returns the SLO: `factor` times the mean services of a request, and 20 ms at least.
fn slo(spec: &Spec, factor: f64) -> Duration {
    let millis = (path_seconds(spec) * factor * 1e3).max(20.0);
    Duration::from_millis(millis.ceil() as u64)
}
