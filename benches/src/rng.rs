//! Repeatable random choices.

/// SplitMix64 (Steele, Lea and Flood 2014): one word of state, and every seed is good.
#[derive(Clone, Debug)]
pub struct Rng(pub u64);

impl Rng {
    /// Returns the next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Returns a number below `n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        (self.next_u64() % n.max(1) as u64) as usize
    }

    /// Returns a number from `low` to `high`, both included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Returns true once in `n` times.
    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// Returns one of `things`; `None` if there are none.
    pub fn pick<'a, T>(&mut self, things: &'a [T]) -> Option<&'a T> {
        things.get(self.below(things.len()))
    }

    /// Panics with [`ON_PURPOSE`], once in `n` times.
    #[expect(clippy::panic, reason = "panics of user code are under test")]
    pub fn panic_one_in(&mut self, n: usize) {
        if self.one_in(n) {
            std::panic::panic_any(ON_PURPOSE);
        }
    }
}

/// The payload of every panic on purpose.
pub const ON_PURPOSE: &str = "on purpose";

/// Suppresses the messages of panics on purpose, and counts the others.
pub fn quiet_panics(others: &'static std::sync::atomic::AtomicU64) {
    let default_hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&ON_PURPOSE) {
            others.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            default_hook(info);
        }
    }));
}
