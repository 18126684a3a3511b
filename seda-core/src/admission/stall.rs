//! A machine that stands still for a moment is no new demand.

/// A tick whose services took so many times what they used to may have been one in which the machine
/// stood still. Of exponential services one in fifty takes that long.
const FAR: f64 = 4.0;

/// Tells a moment from a change: what one tick alone says is passed over, a change is there in the
/// next one, too.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stall {
    /// The last tick was far slower than was known.
    last: bool,
}

impl Stall {
    /// Whether a tick that says `now` counts, where `known` is what was known.
    pub(crate) fn counts(&mut self, now: f64, known: Option<f64>) -> bool {
        let far = known.is_some_and(|known| now > known * FAR);
        let before = std::mem::replace(&mut self.last, far);
        !far || before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_tick_is_passed_over_and_the_second_in_a_row_counts() {
        let mut stall = Stall::default();
        let counts = |stall: &mut Stall, now| stall.counts(now, Some(1.0));
        assert!(stall.counts(100.0, None));
        let seen = [1.0, 5.0, 1.0, 5.0, 5.0, 5.0, 4.0, 5.0].map(|now| counts(&mut stall, now));
        assert_eq!(seen, [true, false, true, false, true, true, true, false]);
    }
}
