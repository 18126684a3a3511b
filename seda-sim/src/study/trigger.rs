//! The trigger of a map: the fault of its spec, with another size and length.

use super::cell::Cell;
use crate::spec::{Fault, Spec, SpecError};
use std::time::Duration;

/// A fault that ends, and its end from the beginning of the run.
pub(super) struct Trigger {
    pub(super) fault: Fault,
    pub(super) end: Duration,
}

impl Trigger {
    /// Returns the one fault of a spec with the size and the length of a cell.
    pub(super) fn at(spec: &Spec, capacity: f64, cell: Cell) -> Result<Self, SpecError> {
        let [fault] = spec.faults.as_slice() else {
            let found = format!("{} times", spec.faults.len());
            return Err(SpecError::value("fault", found, "once: the trigger"));
        };
        let length = Duration::try_from_secs_f64(cell.length_seconds).unwrap_or_default();
        let mut fault = fault.clone();
        let begin = match (&mut fault, cell.size) {
            (Fault::Slow { factor, from, to, .. }, Some(size)) => {
                if !(0.0..1.0).contains(&size) {
                    return Err(SpecError::value("map.sizes", size, "0 to below 1"));
                }
                *factor = 1.0 / (1.0 - size);
                *to = Some(from.saturating_add(length));
                *from
            }
            (Fault::Burst { rate, from, to, .. }, Some(size)) => {
                *rate = size * capacity;
                *to = from.saturating_add(length);
                *from
            }
            (Fault::Cold { share, at, length: cold, .. }, Some(size)) => {
                *share = size;
                *cold = length;
                *at
            }
            (Fault::Stall { at, length: stall, .. }, None) => {
                *stall = length;
                *at
            }
            _ => {
                let allowed = "sizes with a slow, burst or cold fault, none with a stall";
                return Err(SpecError::value("map.sizes", describe(cell.size), allowed));
            }
        };
        Ok(Self { fault, end: begin.saturating_add(length) })
    }
}

fn describe(size: Option<f64>) -> String {
    size.map_or_else(|| "not set".to_owned(), |size| size.to_string())
}
