//! The services of a request on its path.

use crate::spec::Spec;
use crate::spec::capacity::Capacity;

/// Returns the mean of all services of a request.
pub(super) fn path_seconds(spec: &Spec) -> f64 {
    let visits = Capacity::of(spec).visits;
    let services = spec.stages.iter().zip(&visits).map(|(stage, visits)| {
        let outside = stage.outside.as_ref().map_or(0.0, |outside| outside.mean());
        visits * (stage.demand.mean() + outside)
    });
    services.sum()
}
