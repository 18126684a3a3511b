//! The cheapest change: branch and bound over the steps of some knobs.
//!
//! Vectors of steps are tried in the order of their price, each with the least price that is still
//! missing added (A*, Hart, Nilsson & Raphael 1968). That price is never too high, so the first
//! vector that holds is a cheapest one, as a search of all vectors would find it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use thiserror::Error;

/// The most vectors that are looked at; more take too much memory.
const MOST_SEEN: usize = 2_000_000;
/// Prices that differ by less are equal.
const ROUNDING: f64 = 1e-9;

/// Something that can be changed in steps.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Knob {
    /// The price of a step, above 0.
    pub price: f64,
    /// The most steps.
    pub most: usize,
}

impl Knob {
    /// Returns a knob.
    pub fn new(price: f64, most: usize) -> Self {
        Self { price, most }
    }
}

/// What a search asks about vectors of steps, one number for each knob. More steps never make a
/// vector worse.
pub trait Search {
    /// Why a vector cannot be tried.
    type Error;

    /// Returns a lower bound of the price of further steps with which the vector can hold; infinite
    /// if none can.
    fn missing(&self, steps: &[usize]) -> f64;

    /// Returns whether the vector holds.
    ///
    /// # Errors
    /// It cannot be tried.
    fn holds(&mut self, steps: &[usize]) -> Result<bool, Self::Error>;
}

/// The reason why a search has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SearchError<E> {
    /// A vector cannot be tried.
    #[error(transparent)]
    Try(#[from] E),
    /// The search has become too large.
    #[error("{tried} changes were tried and none holds; allowed: a search of fewer stages")]
    TooLarge {
        /// The number of vectors that were tried.
        tried: usize,
    },
}

/// Returns a cheapest vector of steps that holds, with `most_tried` tries at most; `None` if none
/// does.
///
/// # Errors
/// A vector cannot be tried, or too many would have to be.
pub fn cheapest<S: Search>(
    knobs: &[Knob],
    search: &mut S,
    most_tried: usize,
) -> Result<Option<Vec<usize>>, SearchError<S::Error>> {
    let most: Vec<usize> = knobs.iter().map(|knob| knob.most).collect();
    // More steps never make it worse: if all of them do not hold, nothing does.
    if search.missing(&most) > 0.0 || !search.holds(&most)? {
        return Ok(None);
    }
    let mut open = BinaryHeap::from([Node { bound: 0.0, steps: vec![0; knobs.len()], next: 0 }]);
    let mut tried = 0;
    let mut seen = 0;
    while let Some(Node { steps, next, .. }) = open.pop() {
        seen += 1;
        if tried >= most_tried || seen >= MOST_SEEN {
            return Err(SearchError::TooLarge { tried });
        }
        if search.missing(&steps) <= ROUNDING {
            tried += 1;
            if search.holds(&steps)? {
                return Ok(Some(steps));
            }
        }
        // Each vector has one parent: that without the last step of its last knob.
        for (index, knob) in knobs.iter().enumerate().skip(next) {
            let mut further = steps.clone();
            let Some(step) = further.get_mut(index).filter(|step| **step < knob.most) else {
                continue;
            };
            *step += 1;
            let bound = price(knobs, &further) + search.missing(&further);
            if bound.is_finite() {
                open.push(Node { bound, steps: further, next: index });
            }
        }
    }
    Ok(None)
}

/// Returns the price of a vector of steps.
pub(super) fn price(knobs: &[Knob], steps: &[usize]) -> f64 {
    knobs.iter().zip(steps).map(|(knob, steps)| knob.price * *steps as f64).sum()
}

/// A vector of steps that is to be looked at.
struct Node {
    /// The least price of the vector and of all that follow from it.
    bound: f64,
    steps: Vec<usize>,
    /// The first knob that may be turned further.
    next: usize,
}

impl Ord for Node {
    /// The cheapest is the greatest; among equals that with the fewest steps, then the first.
    fn cmp(&self, other: &Self) -> Ordering {
        let count = |node: &Self| node.steps.iter().sum::<usize>();
        other
            .bound
            .total_cmp(&self.bound)
            .then_with(|| count(other).cmp(&count(self)))
            .then_with(|| other.steps.cmp(&self.steps))
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Node {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::{Purpose, Rng};
    use std::convert::Infallible;

    /// Stages with a load each, that a worker more or a shorter demand lowers. The response is the
    /// sum of 1 / (1 - load).
    struct Loads {
        loads: Vec<f64>,
        slo: f64,
        tried: usize,
    }

    impl Loads {
        /// Returns the loads after some steps: by stage one number of workers, one of tenths.
        fn after(&self, steps: &[usize]) -> Vec<f64> {
            let pairs = self.loads.iter().zip(steps.chunks(2));
            pairs
                .map(|(load, step)| load / (1.0 + step[0] as f64) * (1.0 - 0.1 * step[1] as f64))
                .collect()
        }

        fn meets(&self, steps: &[usize]) -> bool {
            let loads = self.after(steps);
            loads.iter().all(|load| *load < 1.0)
                && loads.iter().map(|load| 1.0 / (1.0 - load)).sum::<f64>() <= self.slo
        }
    }

    impl Search for Loads {
        type Error = Infallible;

        fn missing(&self, steps: &[usize]) -> f64 {
            // A step at least for each stage that is full; all prices are 0.5 and more.
            let full = self.after(steps).iter().filter(|load| **load >= 1.0).count();
            let most = self.after(&vec![3; steps.len()]);
            if most.iter().any(|load| *load >= 1.0) { f64::INFINITY } else { 0.5 * full as f64 }
        }

        fn holds(&mut self, steps: &[usize]) -> Result<bool, Infallible> {
            self.tried += 1;
            Ok(self.meets(steps))
        }
    }

    /// Returns the price of the cheapest vector, by trying all.
    fn brute_force(knobs: &[Knob], loads: &Loads) -> Option<f64> {
        let all = 4_usize.pow(knobs.len() as u32);
        let vectors = (0..all).map(|n| {
            (0..knobs.len()).map(|knob| n / 4_usize.pow(knob as u32) % 4).collect::<Vec<_>>()
        });
        let holding = vectors.filter(|steps| loads.meets(steps));
        holding.map(|steps| price(knobs, &steps)).min_by(f64::total_cmp)
    }

    #[test]
    fn the_cheapest_change_is_the_one_that_brute_force_finds() {
        let mut rng = Rng::new(1, Purpose::Clients);
        let (mut found_some, mut found_none) = (0, 0);
        for case in 0..60 {
            let stages = 1 + case % 4;
            let knobs: Vec<Knob> =
                (0..2 * stages).map(|_| Knob::new(0.5 + 4.0 * rng.unit(), 3)).collect();
            let mut loads = Loads {
                loads: (0..stages).map(|_| 0.3 + 2.0 * rng.unit()).collect(),
                slo: stages as f64 * (1.2 + 2.0 * rng.unit()),
                tried: 0,
            };
            let expected = brute_force(&knobs, &loads);
            let found = cheapest(&knobs, &mut loads, usize::MAX).unwrap();
            let cost = found.as_ref().map(|steps| price(&knobs, steps));
            match (cost, expected) {
                (Some(cost), Some(expected)) => {
                    assert!((cost - expected).abs() < 1e-9, "{cost} is not {expected}: {found:?}");
                    found_some += 1;
                }
                (None, None) => found_none += 1,
                other => panic!("{other:?} in case {case}"),
            }
        }
        assert!(found_some > 30 && found_none > 2, "{found_some} and {found_none}");
    }
}
