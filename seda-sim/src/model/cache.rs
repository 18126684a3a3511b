//! A cache that misses refill, and its losses. All times are in nanoseconds.

use super::period::Period;
use crate::base::rng::Rng;

/// A cache of keys that are all requested equally often. So the number of its entries says all of
/// its state: a request hits with the probability entries / keys.
#[derive(Debug)]
pub(crate) struct Cache {
    keys: u32,
    entries: u32,
    /// The losses that have not happened, by their beginning, the last one first.
    losses: Vec<Loss>,
    /// The loss that goes on: until its end no entry is stored.
    losing_until: u64,
}

/// A loss of entries.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loss {
    pub(crate) period: Period,
    /// The lost share of the entries.
    pub(crate) share: f64,
}

impl Cache {
    /// Returns a full cache.
    pub(crate) fn new(keys: u32, mut losses: Vec<Loss>) -> Self {
        losses.sort_by_key(|loss| std::cmp::Reverse(loss.period.from));
        Self { keys, entries: keys, losses, losing_until: 0 }
    }

    /// Returns whether a request hits, and stores the entry if it does not.
    pub(crate) fn hits(&mut self, now: u64, rng: &mut Rng) -> bool {
        while let Some(loss) = self.losses.pop_if(|loss| loss.period.from <= now) {
            self.entries -= (f64::from(self.entries) * loss.share).round() as u32;
            self.losing_until = self.losing_until.max(loss.period.to);
        }
        let hits = rng.unit() * f64::from(self.keys) < f64::from(self.entries);
        if !hits && now >= self.losing_until {
            self.entries += 1;
        }
        hits
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::rng::Purpose;

    #[test]
    fn a_cache_loses_its_entries_once_and_is_refilled_by_misses() {
        let mut rng = Rng::new(1, Purpose::Demand(0));
        let loss = Loss { period: Period { from: 100, to: 200 }, share: 1.0 };
        let mut cache = Cache::new(50, vec![loss]);
        assert!((0..100).all(|now| cache.hits(now, &mut rng)));
        assert!((100..200).all(|now| !cache.hits(now, &mut rng)));
        // Each miss stores one of fifty keys, so all are stored after a while.
        let misses = (200..2_000).filter(|now| !cache.hits(*now, &mut rng)).count();
        assert_eq!((misses, cache.entries), (50, 50));
    }
}
