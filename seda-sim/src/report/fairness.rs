//! What each client of a closed loop got.

use serde::{Deserialize, Serialize};

/// Whether clients of a closed loop were treated alike, by their good answers in the window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fairness {
    /// How many there are.
    pub clients: u32,
    /// Good answers of the one that got fewest.
    pub fewest: u64,
    /// Of the one that got most.
    pub most: u64,
    /// Jain's index: 1 if all got the same, 1/n if one got everything (Jain, Chiu & Hawe 1984).
    pub jain: f64,
}

impl Fairness {
    /// Of the good answers of each client; `None` without clients, or if nobody got any.
    pub(crate) fn of(good: &[u64]) -> Option<Self> {
        let (fewest, most) = (*good.iter().min()?, *good.iter().max()?);
        let sum = good.iter().map(|n| *n as f64).sum::<f64>();
        let squares = good.iter().map(|n| (*n as f64).powi(2)).sum::<f64>();
        let clients = u32::try_from(good.len()).unwrap_or(u32::MAX);
        let jain = sum * sum / (good.len() as f64 * squares);
        (most > 0).then_some(Self { clients, fewest, most, jain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_index_is_one_if_all_get_the_same_and_one_nth_if_one_gets_all() {
        let jain = |good: &[u64]| Fairness::of(good).map(|fairness| fairness.jain);
        assert_eq!(jain(&[7; 4]), Some(1.0));
        assert_eq!(jain(&[0, 0, 9, 0]), Some(0.25));
        assert_eq!((jain(&[]), jain(&[0, 0])), (None, None));
    }
}
