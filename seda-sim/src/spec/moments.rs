//! The first two moments of a distribution.

/// The first two moments of a distribution of times.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Moments {
    /// The mean, in seconds.
    pub mean: f64,
    /// The mean of the squares, in seconds squared.
    pub mean_square: f64,
}

impl Moments {
    /// Returns the moments of a sample, in seconds; zeros of an empty one.
    pub(super) fn of_sample(seconds: &[f64]) -> Self {
        let n = seconds.len().max(1) as f64;
        let squares = seconds.iter().map(|s| s * s).sum::<f64>();
        Self { mean: seconds.iter().sum::<f64>() / n, mean_square: squares / n }
    }
}
