//! Which packets arrive, and when: drawn beforehand, so that arrivals depend on no answer.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::iter;
use std::time::Duration;

/// Share of queries among the packets, as in the paper.
pub(crate) const QUERY_PERCENT: u64 = 15;
/// Shares of pings and pongs; query hits are the rest. Ours: they all cost the router the same.
const PING_PERCENT: u64 = 45;
const PONG_PERCENT: u64 = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Pong,
    Query,
    QueryHit,
}

/// What arrives, how long after the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
}

/// A Poisson stream of packets for so many seconds.
pub(crate) fn packets(rate: u32, seconds: u32, seed: u64) -> impl Iterator<Item = Arrival> {
    let mut dice = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut at, end) = (0.0, f64::from(seconds));
    iter::from_fn(move || {
        at += -unit(&mut dice).ln() / f64::from(rate);
        (at < end)
            .then(|| Arrival { at: Duration::from_secs_f64(at), kind: kind(dice.next_u64() % 100) })
    })
}

fn kind(percent: u64) -> Kind {
    match percent {
        n if n < QUERY_PERCENT => Kind::Query,
        n if n < QUERY_PERCENT + PING_PERCENT => Kind::Ping,
        n if n < QUERY_PERCENT + PING_PERCENT + PONG_PERCENT => Kind::Pong,
        _ => Kind::QueryHit,
    }
}

/// Uniform in (0, 1]: the upper 53 bits are what a double holds.
fn unit(dice: &mut Xoshiro256PlusPlus) -> f64 {
    ((dice.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}
