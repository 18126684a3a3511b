//! A figure over several rounds: its median and its range.

use serde::{Deserialize, Serialize};

/// Median and range over the rounds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Spread {
    /// The median.
    pub median: f64,
    /// The minimum.
    pub low: f64,
    /// The maximum.
    pub high: f64,
}

impl Spread {
    /// Returns the spread of the finite figures; `None` without any.
    pub fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().filter(|f| f.is_finite()).collect();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (*sorted.first()?, *sorted.last()?);
        // The two middle figures, which are the same one if their number is odd.
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        let upper = *sorted.get(sorted.len() / 2)?;
        Some(Self { median: (lower + upper) / 2.0, low, high })
    }

    /// Describes the median and the range: "900/s (880/s to 910/s)".
    pub(crate) fn describe(&self, format: impl Fn(f64) -> String) -> String {
        format!("{} ({} to {})", format(self.median), format(self.low), format(self.high))
    }

    /// Returns true if the two ranges overlap, so that there is no significant difference.
    pub fn overlaps(&self, other: &Spread) -> bool {
        self.low <= other.high && other.low <= self.high
    }
}
