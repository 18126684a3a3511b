//! Random numbers. Each use has a stream of its own, so that one more draw here changes nothing
//! there: two specs that differ in one thing see the same arrivals and the same demands.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// What a stream is drawn for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// Arrivals of a class.
    Arrivals(usize),
    /// Demands of a stage.
    Demand(usize),
    /// Ways from a stage, and its panics.
    Routes(usize),
    /// Pauses of clients.
    Clients,
}

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Dice {
    rng: Xoshiro256PlusPlus,
    /// The second of a pair of normal numbers.
    normal: Option<f64>,
}

impl Dice {
    pub(crate) fn new(seed: u64, purpose: Use) -> Self {
        let (kind, index) = match purpose {
            Use::Arrivals(class) => (1, class),
            Use::Demand(stage) => (2, stage),
            Use::Routes(stage) => (3, stage),
            Use::Clients => (4, 0),
        };
        // Seeding goes through SplitMix64, so that neighbouring seeds give unrelated streams; the
        // odd factor (2^64 / golden ratio) keeps the sums of seed and purpose apart.
        let purpose = (kind << 32 | index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let rng = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(purpose));
        Self { rng, normal: None }
    }

    /// Uniform in [0, 1): 53 bits, as many as an `f64` has.
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.rng.next_u64() >> 11) as f64 * STEP
    }

    /// Exponential with mean one; finite, for `1 - unit` is never 0.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Normal with mean zero and deviation one (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(second) = self.normal.take() {
            return second;
        }
        let radius = (2.0 * self.exponential()).sqrt();
        let angle = std::f64::consts::TAU * self.unit();
        self.normal = Some(radius * angle.sin());
        radius * angle.cos()
    }

    /// One of `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_of_two_uses_differ_and_each_repeats() {
        let draw = |seed, purpose| Dice::new(seed, purpose).unit();
        assert_eq!(draw(1, Use::Demand(0)), draw(1, Use::Demand(0)));
        assert_ne!(draw(1, Use::Demand(0)), draw(1, Use::Demand(1)));
        assert_ne!(draw(1, Use::Demand(0)), draw(1, Use::Arrivals(0)));
        assert_ne!(draw(1, Use::Demand(0)), draw(2, Use::Demand(0)));
    }

    #[test]
    fn a_normal_number_has_mean_zero_and_variance_one() {
        let mut dice = Dice::new(1, Use::Clients);
        let drawn: Vec<f64> = (0..100_000).map(|_| dice.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let variance = drawn.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
