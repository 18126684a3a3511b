//! The services of a request on its path, as slow faults leave them.

use super::draw::scaled;
use crate::spec::capacity::Capacity;
use crate::spec::{Fault, Spec};

/// Returns the graph with the demands that its stages have under their slow faults. A fault of one
/// replica is left out.
pub(super) fn slowed(spec: &Spec) -> Spec {
    let mut slowed = spec.clone();
    for fault in &spec.faults {
        if let Fault::Slow { stage: slow, factor, .. } = fault {
            for stage in slowed.stages.iter_mut().filter(|stage| stage.name == *slow) {
                stage.demand = scaled(&stage.demand, *factor);
            }
        }
    }
    slowed
}

/// Returns the mean of all services of a request.
pub(super) fn path_seconds(spec: &Spec) -> f64 {
    let spec = slowed(spec);
    let visits = Capacity::of(&spec).visits;
    let services = spec.stages.iter().zip(&visits).map(|(stage, visits)| {
        let outside = stage.outside.as_ref().map_or(0.0, |outside| outside.mean());
        visits * (stage.demand.mean() + outside)
    });
    services.sum()
}
