//! Exponentially weighted moving average over samples.

/// Smooths a mean over about `over` samples: `n` new samples weigh `n / (n + over)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ewma {
    over: f64,
}

impl Ewma {
    pub(crate) const fn over(samples: f64) -> Self {
        Self { over: samples }
    }

    /// Returns `old` moved towards `mean`, the mean of `n` new samples.
    pub(crate) fn next(self, old: f64, mean: f64, n: f64) -> f64 {
        old + (mean - old) * n / (n + self.over)
    }

    /// Returns the same; the first samples are taken as they are.
    pub(crate) fn update(self, old: Option<f64>, mean: f64, n: f64) -> f64 {
        old.map_or(mean, |old| self.next(old, mean, n))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_samples_as_it_smooths_over_move_the_mean_halfway() {
        let ewma = Ewma::over(8.0);
        assert_eq!(ewma.update(None, 3.0, 1.0), 3.0);
        assert_eq!(ewma.update(Some(1.0), 3.0, 8.0), 2.0);
        assert_eq!(ewma.next(1.0, 3.0, 0.0), 1.0);
    }
}
