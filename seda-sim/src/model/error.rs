//! The errors of a simulation.

use crate::spec::SpecError;
use seda_core::GraphError;
use thiserror::Error;

/// The reason why a spec cannot be simulated.
///
/// ```
/// use seda_sim::{SimError, Spec};
///
/// let mut spec: Spec = "arrivals = { rate = 1.0 }
///     stage = [{ name = 'a', capacity = 1, demand = { kind = 'exponential', mean = '1ms' } }]"
///     .parse()?;
/// spec.cores = 0;
/// let error = seda_sim::run(&spec, 1).unwrap_err();
/// assert!(matches!(error, SimError::Spec(_)));
/// # Ok::<(), seda_sim::SpecError>(())
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SimError {
    /// The spec is invalid.
    #[error(transparent)]
    Spec(#[from] SpecError),
    /// The graph of the spec is invalid.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// The spec has no stage that requests could enter.
    #[error("`stage` is empty; allowed: one stage at least")]
    NoStage,
}
