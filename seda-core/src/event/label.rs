//! What some stages ask of each event that is sent to them: its key and its weight.

use std::hash::{DefaultHasher, Hash, Hasher};

/// How many shards a keyed stage has. Workers own shards, so it is also the most that can be busy
/// at once; and a number per event fits into the one byte there was left in an event's luggage.
pub const SHARDS: usize = 256;

/// Answers of one event to the stage it is sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) weight: Weight,
    pub(crate) shard: u8,
}

/// The shard of a key. The same in each run, so that a stepped graph repeats exactly.
pub(crate) fn shard_of(key: impl Hash) -> u8 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let [shard, ..] = hasher.finish().to_le_bytes();
    shard
}

/// An event's weight in bytes, rounded up by less than a thousandth: eleven bits and a power of
/// two. What is charged when the event comes is credited when it goes, so it has to travel with
/// it; two bytes were to be had for nothing, four were not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u16);

impl Weight {
    const DIGITS: u32 = 11;

    /// Saturates at four terabytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        let largest = (1_u64 << Self::DIGITS) - 1;
        let fits = |power: &u32| bytes.div_ceil(1 << power) <= largest;
        let power = (0..32).find(fits).unwrap_or(31);
        let digits = bytes.div_ceil(1 << power).min(largest);
        Self((power << Self::DIGITS) as u16 | digits as u16)
    }

    pub(crate) fn bytes(self) -> u64 {
        let digits = u64::from(self.0) & ((1 << Self::DIGITS) - 1);
        digits << (self.0 >> Self::DIGITS)
    }
}

/// A set of shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardSet([u64; SHARDS / 64]);

impl ShardSet {
    fn place(shard: u8) -> (usize, u64) {
        (usize::from(shard) / 64, 1 << (shard % 64))
    }

    pub(crate) fn insert(&mut self, shard: u8) {
        let (word, bit) = Self::place(shard);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    pub(crate) fn remove(&mut self, shard: u8) {
        let (word, bit) = Self::place(shard);
        if let Some(word) = self.0.get_mut(word) {
            *word &= !bit;
        }
    }

    pub(crate) fn contains(&self, shard: u8) -> bool {
        let (word, bit) = Self::place(shard);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    pub(crate) fn without(mut self, others: &ShardSet) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word &= !other);
        self
    }

    pub(crate) fn with(mut self, others: &ShardSet) -> Self {
        self.0.iter_mut().zip(others.0).for_each(|(word, other)| *word |= other);
        self
    }

    /// Its shards, beginning with `first` and going round.
    pub(crate) fn from(self, first: u8) -> impl Iterator<Item = u8> {
        let round = (first..=u8::MAX).chain(0..first);
        round.filter(move |shard| self.contains(*shard))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_exact_while_small_and_rounded_up_by_less_than_a_thousandth() {
        for bytes in [0, 1, 1_000, 2_047] {
            assert_eq!(Weight::of(bytes).bytes(), bytes as u64);
        }
        for bytes in [2_048, 2_049, 65_535, 1_000_001, (1 << 40) + 1] {
            let (rounded, bytes) = (Weight::of(bytes).bytes(), bytes as u64);
            assert!(rounded >= bytes && rounded - bytes <= bytes / 1_000, "{bytes}: {rounded}");
        }
        assert_eq!(Weight::of(usize::MAX).bytes(), 2_047 << 31);
    }

    #[test]
    fn a_set_of_shards_goes_round_from_anywhere() {
        let mut set = ShardSet::default();
        [0, 7, 64, 255].into_iter().for_each(|shard| set.insert(shard));
        assert_eq!(set.from(8).collect::<Vec<_>>(), [64, 255, 0, 7]);
        set.remove(64);
        let mut others = ShardSet::default();
        others.insert(7);
        assert_eq!(set.without(&others).from(0).collect::<Vec<_>>(), [0, 255]);
        assert!(set.without(&set).is_empty() && !set.is_empty());
    }

    #[test]
    fn a_key_has_the_same_shard_in_every_run() {
        assert_eq!((shard_of("a"), shard_of("a")), (shard_of("a"), shard_of(String::from("a"))));
    }
}
