//! A uniform random number, the same on every platform.

use rand_core::RngCore;

/// The distance of two neighbouring draws. An `f64` has 53 bits of precision, so it represents
/// every multiple of 2⁻⁵³ below 1 exactly.
const STEP: f64 = 1.0 / (1u64 << 53) as f64;

/// Draws a number uniform in [0, 1): the top 53 bits, because the lower bits of some generators are
/// weaker.
pub(crate) fn unit(rng: &mut impl RngCore) -> f64 {
    (rng.next_u64() >> 11) as f64 * STEP
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::impls;

    struct Always(u64);

    impl RngCore for Always {
        fn next_u32(&mut self) -> u32 {
            self.0 as u32
        }
        fn next_u64(&mut self) -> u64 {
            self.0
        }
        fn fill_bytes(&mut self, bytes: &mut [u8]) {
            impls::fill_bytes_via_next(self, bytes);
        }
    }

    #[test]
    fn the_least_draw_is_zero_and_the_greatest_is_below_one() {
        assert_eq!(unit(&mut Always(0)), 0.0);
        assert_eq!(unit(&mut Always(1 << 63)), 0.5);
        assert_eq!(unit(&mut Always(u64::MAX)), 1.0 - STEP);
    }
}
