//! Equally spaced arrivals.

use super::stretch::Stretch;
use std::vec;

/// Arrival times in nanoseconds: in each stretch the first is at the beginning, and one follows
/// every `1/rate` until the end.
#[derive(Clone, Debug)]
pub(super) struct Uniform {
    now: Option<Stretch>,
    later: vec::IntoIter<Stretch>,
    /// Arrivals of the stretch that have been returned.
    given: u64,
}

impl Uniform {
    pub(super) fn new(stretches: Vec<Stretch>) -> Self {
        let mut later = stretches.into_iter();
        Self { now: later.next(), later, given: 0 }
    }
}

impl Iterator for Uniform {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        self.nth(0)
    }

    /// Takes a step for each skipped stretch, not for each arrival, so that shards are cheap.
    fn nth(&mut self, mut skipped: usize) -> Option<u64> {
        loop {
            let stretch = self.now?;
            let left = count(&stretch) - self.given;
            if (skipped as u64) < left {
                let k = self.given + skipped as u64;
                self.given = k + 1;
                return Some(stretch.evenly(k));
            }
            skipped -= left as usize;
            self.now = self.later.next();
            self.given = 0;
        }
    }
}

/// Returns the number of arrivals before the end: `rate · duration`, rounded up.
fn count(stretch: &Stretch) -> u64 {
    /// Three roundings (the decimal digits of the rate, a product, a quotient) may each be off by
    /// half a unit in the last place: a product this close to a whole number is that number.
    const ROUNDING: f64 = 4.0 * f64::EPSILON;

    let expected = stretch.expected();
    let whole = expected.round();
    let near = (expected - whole).abs() <= whole * ROUNDING;
    (if near { whole } else { expected.ceil() }) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(rate: f64, seconds: f64) -> Stretch {
        Stretch { start: 0, nanos: seconds * 1e9, rate }
    }

    #[test]
    fn the_count_is_the_product_rounded_up() {
        for (rate, seconds, expected) in [
            (900.0, 5.0, 4500),
            (0.1, 30.0, 3),
            (0.3, 10.0, 3),
            (1.1, 30.0, 33),
            (0.7, 10.0, 7),
            (3.0, 0.5, 2),
            (0.0, 9.0, 0),
            (1e-9, 1.0, 1),
            (10_000_000.0, 8_640_000.0, 86_400_000_000_000),
        ] {
            assert_eq!(count(&stretch(rate, seconds)), expected, "{rate}/s for {seconds} s");
        }
    }

    #[test]
    fn an_arrival_just_before_the_end_is_not_rounded_to_the_end() {
        // Arrival number 5 is at 555.56 ns.
        let times: Vec<u64> = Uniform::new(vec![stretch(9e6, 556e-9)]).collect();
        assert_eq!(times, [0, 111, 222, 333, 444, 555]);
    }
}
