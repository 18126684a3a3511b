//! The laws of admission that `control.law` selects from.

mod aimd;
mod credits;
mod drain_rate;
mod gradient;

pub(crate) use aimd::Aimd;
pub(crate) use credits::Credits;
pub(crate) use drain_rate::DrainRate;
pub(crate) use gradient::Gradient;

use crate::config::Law;
use crate::control::admission::AdmissionLaw;

/// Returns a law of the given kind that has seen nothing yet.
pub(crate) fn make(law: Law) -> Box<dyn AdmissionLaw> {
    match law {
        Law::DrainRate => Box::new(DrainRate::default()),
        Law::Aimd => Box::new(Aimd::default()),
        Law::Credits => Box::new(Credits::default()),
        Law::Gradient => Box::new(Gradient::default()),
    }
}
