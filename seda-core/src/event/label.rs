//! Labels: the shard and the weight that a stage asks of each event sent to it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::{Index, IndexMut};

/// The number of shards of a keyed stage. Workers own shards, so it also bounds the number of
/// workers that can be busy at once. A shard's number fits into one byte of an event's metadata.
pub const SHARDS: usize = 256;

/// The label of one event at the stage that it is sent to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Label {
    pub(crate) weight: Weight,
    pub(crate) shard: u8,
}

/// Returns the shard of a key, the same in every run, so that a stepped graph repeats exactly.
pub(crate) fn shard_of(key: impl Hash) -> u8 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    let [shard, ..] = hasher.finish().to_le_bytes();
    shard
}

/// The weight of an event in bytes, rounded up by less than a thousandth: eleven bits and a power
/// of two, to fit into two free bytes of the metadata. The event carries it, because the bytes
/// charged when the event enters are credited when it leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Weight(u16);

impl Weight {
    const DIGITS: u32 = 11;

    /// Returns the nearest weight that is not less than `bytes`; saturates at four terabytes.
    pub(crate) fn of(bytes: usize) -> Self {
        let bytes = bytes as u64;
        let largest = (1_u64 << Self::DIGITS) - 1;
        let fits = |power: &u32| bytes.div_ceil(1 << power) <= largest;
        let power = (0..32).find(fits).unwrap_or(31);
        let digits = bytes.div_ceil(1 << power).min(largest);
        Self((power << Self::DIGITS) as u16 | digits as u16)
    }

    /// Returns the weight in bytes.
    pub(crate) fn bytes(self) -> u64 {
        let digits = u64::from(self.0) & ((1 << Self::DIGITS) - 1);
        digits << (self.0 >> Self::DIGITS)
    }
}

/// One value per shard. Indexing by a shard's number always succeeds.
#[derive(Debug)]
pub(crate) struct PerShard<T>([T; SHARDS]);

impl<T: Default> Default for PerShard<T> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| T::default()))
    }
}

impl<T> PerShard<T> {
    /// Returns the values, that of shard 0 first.
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

#[expect(clippy::indexing_slicing, reason = "a `u8` has no value beyond the array")]
impl<T> Index<u8> for PerShard<T> {
    type Output = T;

    #[inline]
    fn index(&self, shard: u8) -> &T {
        &self.0[usize::from(shard)]
    }
}

#[expect(clippy::indexing_slicing, reason = "a `u8` has no value beyond the array")]
impl<T> IndexMut<u8> for PerShard<T> {
    #[inline]
    fn index_mut(&mut self, shard: u8) -> &mut T {
        &mut self.0[usize::from(shard)]
    }
}

/// A set of shards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ShardSet([u64; SHARDS / 64]);

#[expect(clippy::indexing_slicing, reason = "`place` returns a word below 256 / 64")]
impl ShardSet {
    fn place(shard: u8) -> (usize, u64) {
        (usize::from(shard) / 64, 1 << (shard % 64))
    }

    pub(crate) fn insert(&mut self, shard: u8) {
        let (word, bit) = Self::place(shard);
        self.0[word] |= bit;
    }

    pub(crate) fn remove(&mut self, shard: u8) {
        let (word, bit) = Self::place(shard);
        self.0[word] &= !bit;
    }

    pub(crate) fn contains(&self, shard: u8) -> bool {
        let (word, bit) = Self::place(shard);
        self.0[word] & bit != 0
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

    /// Returns the shards of the set in ascending order from `first`, wrapping around after 255.
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
    fn a_set_of_shards_is_iterated_from_any_shard_and_wraps_around() {
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
