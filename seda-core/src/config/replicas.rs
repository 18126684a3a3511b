//! Replicas of a stage, and how they share its events.

use crate::config::word::words;
use serde::{Deserialize, Serialize};

/// The largest number of replicas of one stage: a send keeps the set of those not yet tried in one
/// word.
pub(crate) const MAX_REPLICAS: usize = 64;

/// The number of replicas of a stage, and how they share its events.
///
/// ```
/// use seda_core::{Balance, Replicas};
/// let replicas = Replicas { count: 4, balance: Balance::TwoChoices };
/// assert_eq!(Replicas::central(4).balance, Balance::Central);
/// # let _ = replicas;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replicas {
    /// The number of replicas, 1 to 64; checked when the graph starts.
    pub count: usize,
    /// How they share the events.
    #[serde(default)]
    pub balance: Balance,
}

impl Replicas {
    /// Returns `count` replicas that share one queue.
    pub const fn central(count: usize) -> Self {
        Self { count, balance: Balance::Central }
    }
}

/// The rule by which an event is sent to one of several replicas.
///
/// Under every rule but the central queue, an event belongs to its replica once it is sent, even if
/// other replicas become idle. A replica that is full or closed is passed over under every rule: a
/// send is refused only when all replicas refuse it.
///
/// No rule keeps the events of one key together. For that, declare a keyed stage, or a stage for
/// each shard, and choose the sink by the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Balance {
    /// One queue for all replicas: no event waits while a replica is idle. One lock, taken once per
    /// batch.
    #[default]
    Central,
    /// The replica with the fewest events, queued or in service. Reads all replicas per send.
    ShortestQueue,
    /// The one with fewer events of two drawn at random. Reads two replicas per send.
    TwoChoices,
    /// Each in turn, per sender. Reads none, so it also fills the queue of a slow replica.
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
    fn a_balance_has_the_same_name_in_text_and_in_settings() {
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
