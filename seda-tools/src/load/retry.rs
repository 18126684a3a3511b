//! The retries of clients.

use rand_core::RngCore;
use std::time::Duration;

/// The retries of a client after a refusal, a timeout or a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The most retries of one request.
    pub most: u32,
    /// The longest pause before the first retry; it doubles with each further retry. The pause is
    /// drawn uniformly from zero to the longest ("full jitter").
    pub least_backoff: Duration,
    /// The limit of the doubling.
    pub most_backoff: Duration,
    /// True if the client waits for the `Retry-After` of the server, if that is longer. It waits no
    /// longer than `most_backoff` and the deadline of an attempt: a server must not keep a run
    /// alive.
    pub honour_retry_after: bool,
}

impl Retry {
    /// No retries.
    pub const NONE: Retry = Retry {
        most: 0,
        least_backoff: Duration::ZERO,
        most_backoff: Duration::ZERO,
        honour_retry_after: false,
    };

    /// Returns the pause after `tried` attempts; `None` if there is no further retry.
    pub(crate) fn pause(
        &self,
        tried: u32,
        retry_after: Option<Duration>,
        rng: &mut impl RngCore,
    ) -> Option<Duration> {
        if tried > self.most {
            return None;
        }
        let doubled = 2_u32.saturating_pow(tried.saturating_sub(1));
        let most = self.least_backoff.saturating_mul(doubled).min(self.most_backoff);
        let share = f64::from(rng.next_u32()) / f64::from(u32::MAX);
        let pause = most.mul_f64(share);
        Some(match retry_after {
            Some(asked) if self.honour_retry_after => pause.max(asked.min(self.most_backoff)),
            _ => pause,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::SeedableRng;
    use rand_xoshiro::Xoshiro256PlusPlus;

    const RETRY: Retry = Retry {
        most: 3,
        least_backoff: Duration::from_millis(50),
        most_backoff: Duration::from_millis(150),
        honour_retry_after: true,
    };

    #[test]
    fn pauses_double_up_to_the_limit_and_retries_end() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        for (tried, most) in [(1, 50), (2, 100), (3, 150)] {
            let drawn: Vec<_> =
                (0..1_000).map(|_| RETRY.pause(tried, None, &mut rng).unwrap()).collect();
            let longest = drawn.iter().max().unwrap();
            assert!(*longest <= Duration::from_millis(most), "{longest:?}");
            assert!(*longest >= Duration::from_millis(most).mul_f64(0.95), "{longest:?}");
        }
        assert_eq!(RETRY.pause(4, None, &mut rng), None);
        assert_eq!(Retry::NONE.pause(1, None, &mut rng), None);
    }

    #[test]
    fn retry_after_counts_up_to_the_limit_if_it_is_honoured() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let asked = Some(Duration::from_millis(100));
        assert_eq!(RETRY.pause(1, asked, &mut rng), asked);
        let hour = Some(Duration::from_secs(3_600));
        assert_eq!(RETRY.pause(1, hour, &mut rng), Some(RETRY.most_backoff));
        let deaf = Retry { honour_retry_after: false, ..RETRY };
        assert!(deaf.pause(1, asked, &mut rng).unwrap() <= Duration::from_millis(50));
    }
}
