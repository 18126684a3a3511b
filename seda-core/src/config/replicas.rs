//! Replicas.

use crate::config::word::words;
use serde::{Deserialize, Serialize};

/// The most replicas of one stage: those that a send has not asked yet are the bits of one word.
pub(crate) const MAX_REPLICAS: usize = 64;

/// How many copies of a stage there are, and how they share its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    /// 1 to 64; checked when the graph starts.
    pub count: usize,
    /// How they share the work.
    #[serde(default)]
    pub balance: Balance,
}

impl Replicas {
    /// `count` replicas that share one queue.
    pub const fn central(count: usize) -> Self {
        Self { count, balance: Balance::Central }
    }
}

/// Which replica of a stage gets an event.
///
/// All but the central queue bind an event to a replica when it is sent: from then on it waits for
/// that one, however idle the others become. Whatever the balance, a replica that has no room, or
/// is closed, is passed over: a send is refused only when every replica refused it.
///
/// None of them keeps the events of one key together. For that, declare a stage for each shard
/// and choose the sink by the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One queue, and whichever replica is free takes from it: no event waits while a replica is
    /// idle. One lock for all senders and replicas, taken once per batch.
    #[default]
    Central,
    /// The replica with the fewest events, queued or in service. Looks at all of them per send.
    ShortestQueue,
    /// The one with fewer events of two that are drawn at random. Looks at two per send.
    TwoChoices,
    /// Each in turn, per sender. Looks at none, so it fills a slow replica's queue like any other.
    RoundRobin,
}

words! {
    Balance is "a balance of replicas":
    Central => "central",
    ShortestQueue => "shortest_queue",
    TwoChoices => "two_choices",
    RoundRobin => "round_robin",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_balance_has_one_name_in_text_and_in_settings() {
        for balance in Balance::ALL {
            let written = toml::to_string(&Replicas { count: 4, balance }).unwrap();
            assert_eq!(written, format!("count = 4\nbalance = \"{balance}\"\n"));
            assert_eq!(balance.as_str().parse(), Ok(balance));
        }
        assert_eq!(toml::from_str::<Replicas>("count = 2").unwrap(), Replicas::central(2));
        let error = "shortest".parse::<Balance>().unwrap_err().to_string();
        assert!(error.contains("`shortest`") && error.contains("shortest_queue"), "{error}");
    }
}
