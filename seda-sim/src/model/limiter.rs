//! A limit of concurrency in front of the graph, and the two laws that move it.
//!
//! The constants are those of Netflix's concurrency-limits, whose models these are.

use crate::base::rng::{Purpose, Rng};
use crate::base::time::nanos;
use crate::spec::LimiterSpec;
use seda_core::ReplyAddress;
use std::collections::HashMap;

/// Requests that end before Vegas takes the next response time for that of an empty server, as a
/// multiple of the limit.
const PROBE_AFTER: f64 = 30.0;

/// A limit of concurrency. All times are in nanoseconds.
#[derive(Debug)]
pub(crate) struct Limiter {
    law: Law,
    limit: f64,
    /// The attempts inside, with the time of their beginning.
    inside: HashMap<ReplyAddress, u64>,
}

#[derive(Debug)]
enum Law {
    Aimd { least: f64, most: f64, backoff: f64, timeout: u64 },
    Vegas(Vegas),
}

/// The state of TCP Vegas.
#[derive(Debug)]
struct Vegas {
    most: f64,
    /// The response time of an empty server; `None` before the first answer.
    least_time: Option<u64>,
    /// Requests that ended since the last probe.
    ended: f64,
    /// Factor of the interval to the next probe, 0.5 to 1.
    jitter: f64,
    rng: Rng,
}

/// How an attempt ended, as the limiter sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Answered,
    /// Refused, lost, or given up by its client.
    Dropped,
}

impl Limiter {
    /// Returns a limiter with nothing inside.
    pub(crate) fn new(spec: &LimiterSpec, seed: u64) -> Self {
        let (law, limit) = match spec {
            LimiterSpec::Aimd { initial, least, most, backoff, timeout } => {
                let (least, most) = (f64::from(*least), f64::from(*most));
                let law = Law::Aimd { least, most, backoff: *backoff, timeout: nanos(*timeout) };
                (law, *initial)
            }
            LimiterSpec::Vegas { initial, most } => {
                let rng = Rng::new(seed, Purpose::Limiter);
                (Law::Vegas(Vegas::new(f64::from(*most), rng)), *initial)
            }
        };
        Self { law, limit: f64::from(limit), inside: HashMap::new() }
    }

    /// Lets an attempt in, unless as many as the limit are inside.
    pub(crate) fn admit(&mut self, now: u64, attempt: ReplyAddress) -> bool {
        let has_room = self.inside.len() < self.limit as usize;
        if has_room {
            self.inside.insert(attempt, now);
        }
        has_room
    }

    /// Learns the end of an attempt. One that is not inside has ended before.
    pub(crate) fn end(&mut self, now: u64, attempt: ReplyAddress, outcome: Outcome) {
        // As in the model, the request that ends still counts as inside.
        let inside = self.inside.len() as f64;
        if let Some(began) = self.inside.remove(&attempt) {
            let time = now.saturating_sub(began).max(1);
            self.limit = match &mut self.law {
                Law::Aimd { least, most, backoff, timeout } => {
                    let limit = if outcome == Outcome::Dropped || time > *timeout {
                        self.limit * *backoff
                    } else if inside * 2.0 >= self.limit {
                        self.limit + 1.0
                    } else {
                        self.limit
                    };
                    limit.clamp(*least, *most)
                }
                Law::Vegas(vegas) => vegas.next(self.limit, time, inside, outcome),
            };
        }
    }
}

impl Vegas {
    fn new(most: f64, mut rng: Rng) -> Self {
        let jitter = 0.5 + rng.unit() / 2.0;
        Self { most, least_time: None, ended: 0.0, jitter, rng }
    }

    /// Returns the limit after a request that took `time`.
    fn next(&mut self, limit: f64, time: u64, inside: f64, outcome: Outcome) -> f64 {
        self.ended += 1.0;
        let is_probe = self.ended >= self.jitter * PROBE_AFTER * limit;
        if is_probe {
            self.ended = 0.0;
            self.jitter = 0.5 + self.rng.unit() / 2.0;
        }
        // A probe and a new least response time leave the limit as it is.
        let least = match self.least_time {
            Some(least) if !is_probe && time >= least => least,
            _ => {
                self.least_time = Some(time);
                return limit;
            }
        };
        let step = limit.log10().floor().max(1.0);
        let waiting = (limit * (1.0 - least as f64 / time as f64)).ceil();
        let moved = if outcome == Outcome::Dropped {
            limit - step
        } else if inside * 2.0 < limit {
            limit
        } else if waiting <= step {
            limit + 6.0 * step
        } else if waiting < 3.0 * step {
            limit + step
        } else if waiting > 6.0 * step {
            limit - step
        } else {
            limit
        };
        moved.clamp(1.0, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(text: &str) -> Limiter {
        Limiter::new(&toml::from_str(text).unwrap(), 1)
    }

    fn attempt(sequence: u64) -> ReplyAddress {
        ReplyAddress { slot: 0, generation: 0, sequence }
    }

    /// Admits as many attempts as there is room for at `now`, and ends all of them `time` later.
    fn fill(limiter: &mut Limiter, now: u64, time: u64) {
        let admitted: Vec<_> =
            (0..).map(attempt).take_while(|attempt| limiter.admit(now, *attempt)).collect();
        for attempt in admitted {
            limiter.end(now + time, attempt, Outcome::Answered);
        }
    }

    #[test]
    fn a_limiter_admits_as_many_as_its_limit() {
        let mut limiter = limiter("kind = 'aimd'\ninitial = 2\nleast = 1");
        let admitted: Vec<bool> = (0..3).map(|n| limiter.admit(0, attempt(n))).collect();
        assert_eq!(admitted, [true, true, false]);
        limiter.end(1, attempt(0), Outcome::Answered);
        assert!(limiter.admit(1, attempt(3)));
    }

    #[test]
    fn aimd_grows_on_answers_in_time_and_shrinks_on_late_ones() {
        let mut limiter = limiter("kind = 'aimd'\ninitial = 20\nleast = 1\ntimeout = '1us'");
        fill(&mut limiter, 0, 1_000);
        assert!(limiter.limit > 25.0, "{}", limiter.limit);
        fill(&mut limiter, 10_000, 1_001);
        assert!(limiter.limit < 5.0, "{}", limiter.limit);
    }

    #[test]
    fn vegas_grows_at_the_least_response_time_and_shrinks_at_twice_of_it() {
        let mut limiter = limiter("kind = 'vegas'");
        for round in 0..3 {
            fill(&mut limiter, round * 10_000, 1_000);
        }
        let grown = limiter.limit;
        assert!(grown > 40.0, "{grown}");
        fill(&mut limiter, 30_000, 2_000);
        assert!(limiter.limit < 0.75 * grown, "{grown} {}", limiter.limit);
    }
}
