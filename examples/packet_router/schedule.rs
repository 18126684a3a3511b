//! The arrivals: drawn from a seed, so that they depend on no answer.

use rand_core::{RngCore, SeedableRng};
use rand_xoshiro::Xoshiro256PlusPlus;
use std::iter;
use std::time::Duration;

/// Share of queries among the packets, as in the paper.
pub(crate) const QUERY_PERCENT: u64 = 15;
/// Shares of pings and pongs; the rest are query hits. The paper does not state them. All of these
/// cost the router the same.
const PING_PERCENT: u64 = 45;
const PONG_PERCENT: u64 = 25;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Pong,
    Query,
    QueryHit,
}

/// A packet that arrives at a time after the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    pub(crate) at: Duration,
    pub(crate) kind: Kind,
}

/// Returns a Poisson stream of packets for `seconds`.
pub(crate) fn packets(rate: u32, seconds: u32, seed: u64) -> impl Iterator<Item = Arrival> {
    let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
    let (mut at, end) = (0.0, f64::from(seconds));
    iter::from_fn(move || {
        at += -unit(&mut rng).ln() / f64::from(rate);
        (at < end)
            .then(|| Arrival { at: Duration::from_secs_f64(at), kind: kind(rng.next_u64() % 100) })
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

/// Returns a uniform number in (0, 1], from 53 random bits, the precision of an `f64`.
fn unit(rng: &mut Xoshiro256PlusPlus) -> f64 {
    ((rng.next_u64() >> 11) + 1) as f64 / (1_u64 << 53) as f64
}
