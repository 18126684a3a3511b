//! Random numbers. Each purpose has its own stream, so one more draw for one purpose leaves all
//! other streams unchanged: two specs that differ in one setting see the same arrivals and the
//! same demands.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The purpose of a stream.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Purpose {
    /// Arrivals, by class.
    Arrivals(usize),
    /// Service demands, by queue.
    Demand(usize),
    /// Routing and panics, by stage.
    Routing(usize),
    /// Pauses of clients, and the classes and routes of their requests.
    Clients,
    /// The probes of a limiter.
    Limiter,
    /// Arrivals of a burst, by fault.
    Burst(usize),
    /// Hits of a cache, by queue.
    Cache(usize),
    /// The tenants of requests.
    Tenants,
    /// The sizes of a generated graph, by kind.
    Graph(usize),
    /// The keys of events, by stage.
    Keys(usize),
    /// Times outside, by stage.
    Outside(usize),
}

/// A seeded stream of random numbers.
#[derive(Clone, Debug)]
pub(crate) struct Rng {
    generator: Xoshiro256PlusPlus,
    /// The second number of a pair of normal numbers, not returned yet.
    normal: Option<f64>,
}

impl Rng {
    /// Returns the stream of one purpose under `seed`.
    pub(crate) fn new(seed: u64, purpose: Purpose) -> Self {
        let (kind, index) = match purpose {
            Purpose::Arrivals(class) => (1, class),
            Purpose::Demand(queue) => (2, queue),
            Purpose::Routing(stage) => (3, stage),
            Purpose::Clients => (4, 0),
            Purpose::Limiter => (5, 0),
            Purpose::Burst(fault) => (6, fault),
            Purpose::Cache(queue) => (7, queue),
            Purpose::Tenants => (8, 0),
            Purpose::Graph(kind) => (9, kind),
            Purpose::Keys(stage) => (10, stage),
            Purpose::Outside(stage) => (11, stage),
        };
        // `seed_from_u64` goes through SplitMix64, so neighbouring seeds give unrelated streams.
        // The odd factor (2^64 / golden ratio) keeps the sums of seed and purpose apart.
        let purpose = (kind << 32 | index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let generator = Xoshiro256PlusPlus::seed_from_u64(seed.wrapping_add(purpose));
        Self { generator, normal: None }
    }

    /// Returns a uniform number in [0, 1) of 53 random bits, the precision of an `f64`.
    pub(crate) fn unit(&mut self) -> f64 {
        const STEP: f64 = 1.0 / (1_u64 << 53) as f64;
        (self.generator.next_u64() >> 11) as f64 * STEP
    }

    /// Returns an exponential number of mean one. It is finite, because `1 - unit` is never 0.
    pub(crate) fn exponential(&mut self) -> f64 {
        -(1.0 - self.unit()).ln()
    }

    /// Returns a normal number of mean zero and standard deviation one (Box & Muller 1958).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(second) = self.normal.take() {
            return second;
        }
        let radius = (2.0 * self.exponential()).sqrt();
        let angle = std::f64::consts::TAU * self.unit();
        self.normal = Some(radius * angle.sin());
        radius * angle.cos()
    }

    /// Returns a uniform whole number below `n`; 0 if `n` is 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((self.unit() * n as f64) as usize).min(n.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first_draw(seed: u64, purpose: Purpose) -> f64 {
        Rng::new(seed, purpose).unit()
    }

    #[test]
    fn streams_of_two_purposes_differ_and_each_repeats() {
        let demand = first_draw(1, Purpose::Demand(0));
        assert_eq!(demand, first_draw(1, Purpose::Demand(0)));
        assert_ne!(demand, first_draw(1, Purpose::Demand(1)));
        assert_ne!(demand, first_draw(1, Purpose::Arrivals(0)));
        assert_ne!(demand, first_draw(2, Purpose::Demand(0)));
    }

    #[test]
    fn normal_numbers_have_mean_zero_and_variance_one() {
        let mut rng = Rng::new(1, Purpose::Clients);
        let drawn: Vec<f64> = (0..100_000).map(|_| rng.normal()).collect();
        let mean = drawn.iter().sum::<f64>() / 1e5;
        let variance = drawn.iter().map(|x| x * x).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.01 && (variance - 1.0).abs() < 0.02, "{mean} {variance}");
    }
}
