//! The fairness of a closed loop: the good answers of each client.

use serde::{Deserialize, Serialize};

/// How evenly the good answers of the window are spread over the clients of a closed loop.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Fairness {
    /// The number of clients.
    pub clients: u32,
    /// Good answers of the client with the fewest.
    pub fewest: u64,
    /// Good answers of the client with the most.
    pub most: u64,
    /// Jain's index, from 1/n to 1: 1 if all clients got the same, 1/n if one client got everything
    /// (Jain, Chiu & Hawe 1984).
    pub jain: f64,
}

impl Fairness {
    /// Returns the fairness of the good answers of each client; `None` if there are no clients or
    /// no good answers.
    pub(crate) fn of(good: &[u64]) -> Option<Self> {
        let fewest = *good.iter().min()?;
        let most = *good.iter().max()?;
        if most == 0 {
            return None;
        }
        let sum = good.iter().map(|n| *n as f64).sum::<f64>();
        let squares = good.iter().map(|n| (*n as f64).powi(2)).sum::<f64>();
        let clients = u32::try_from(good.len()).unwrap_or(u32::MAX);
        let jain = sum * sum / (good.len() as f64 * squares);
        Some(Self { clients, fewest, most, jain })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn jain(good: &[u64]) -> Option<f64> {
        Fairness::of(good).map(|fairness| fairness.jain)
    }

    #[test]
    fn the_index_is_one_if_all_get_the_same_and_one_nth_if_one_gets_everything() {
        assert_eq!(jain(&[7; 4]), Some(1.0));
        assert_eq!(jain(&[0, 0, 9, 0]), Some(0.25));
        assert_eq!((jain(&[]), jain(&[0, 0])), (None, None));
    }
}
