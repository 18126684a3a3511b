//! Repeatable random choices.

use crate::support::ON_PURPOSE;

/// SplitMix64. A job's seed determines all actions of its handler.
#[derive(Debug)]
pub(crate) struct Rng(pub(crate) u64);

impl Rng {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// Returns one of `things`; `None` if there are none.
    pub(crate) fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len() as u64) as usize)
    }

    #[track_caller]
    pub(crate) fn panic_one_in(&mut self, n: u64) {
        if self.one_in(n) {
            std::panic::panic_any(ON_PURPOSE);
        }
    }
}

/// Panics when dropped if its field is true, except during another panic.
#[derive(Debug)]
pub(crate) struct PanicOnDrop(pub(crate) bool);

impl Drop for PanicOnDrop {
    fn drop(&mut self) {
        if self.0 && !std::thread::panicking() {
            std::panic::panic_any(ON_PURPOSE);
        }
    }
}
