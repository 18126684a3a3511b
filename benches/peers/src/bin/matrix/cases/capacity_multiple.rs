//! A load at a multiple of the capacity, which each round estimates anew.

use crate::measure::runner::{RunSpec, Runner, poisson};
use crate::settings::request_spec::Requests;
use std::error::Error;

/// Requests offered at a multiple of the capacity.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CapacityMultiple<'a> {
    pub(crate) cell: &'a str,
    /// The requests that the capacity is estimated with.
    pub(crate) probed: &'a Requests,
    /// The requests to offer.
    pub(crate) offered: &'a Requests,
    /// The multiple to show.
    pub(crate) load: f64,
    /// The multiple to offer: `load`, and a share that is not part of the overload.
    pub(crate) offered_load: f64,
}

impl<'a> CapacityMultiple<'a> {
    /// Estimates the capacity and returns it, in requests per second, with the load of `round`.
    pub(crate) fn plan(
        &self,
        runner: &mut Runner,
        round: u32,
    ) -> Result<(f64, RunSpec<'a>), Box<dyn Error>> {
        let capacity = runner.probe(self.cell, self.probed, runner.settings.slo, round)?;
        let label = format!("round {}, {}x", round + 1, self.load);
        let pace = poisson(capacity * self.offered_load, runner.settings.measured)?;
        let spec = RunSpec::new(&runner.settings, self.cell, label, self.offered, pace);
        Ok((capacity, RunSpec { round, ..spec }))
    }
}
