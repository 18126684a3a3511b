//! The action that a report names, made in the graph's spec.

use super::draw::scaled;
use crate::spec::Spec;
use seda_core::WorkerRange;

/// The action that a report names: a setting of a thing, or less work.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Action<'a> {
    Workers {
        of: &'a str,
        to: usize,
    },
    Replicas {
        of: &'a str,
        to: usize,
    },
    Pool {
        of: &'a str,
        to: usize,
    },
    Cap {
        of: &'a str,
        to: usize,
    },
    Places {
        of: &'a str,
        to: usize,
    },
    Rate {
        of: &'a str,
        to: f64,
    },
    Budget {
        to: usize,
    },
    /// Half the time on a core.
    LessWork {
        of: &'a str,
    },
    /// Half the events with the hot key.
    Spread {
        of: &'a str,
    },
}

/// Returns the graph after the action; `None` for a sentence that no spec can follow.
pub(super) fn follow(sentence: &str, spec: &Spec) -> Option<Spec> {
    let action = Action::read(sentence)?;
    let mut spec = spec.clone();
    action.make(&mut spec).then_some(spec)
}

impl<'a> Action<'a> {
    fn read(sentence: &'a str) -> Option<Self> {
        if sentence.starts_with("Raise the budget") {
            return Some(Self::Budget { to: number_after(sentence, " to ")? as usize });
        }
        let of = sentence.split('`').filter(|name| *name != "pending").nth(1)?;
        let of =
            if sentence.starts_with("Raise `pending`") { sentence.split('`').nth(3)? } else { of };
        if sentence.contains("take less time on a core") && sentence.starts_with("Make") {
            return Some(Self::LessWork { of });
        }
        if sentence.starts_with("Spread the hot key") {
            return Some(Self::Spread { of });
        }
        let raised = number_after(sentence, " to ")?;
        let to = raised as usize;
        match sentence.strip_prefix("Raise ")? {
            rest if rest.starts_with("the workers of the pool") => Some(Self::Pool { of, to }),
            rest if rest.starts_with("the workers") => Some(Self::Workers { of, to }),
            rest if rest.starts_with("the replicas") => Some(Self::Replicas { of, to }),
            rest if rest.starts_with("the cap") => Some(Self::Cap { of, to }),
            rest if rest.starts_with("the rate") => Some(Self::Rate { of, to: raised }),
            rest if rest.starts_with("`pending`") => Some(Self::Places { of, to }),
            _ => None,
        }
    }

    /// Changes the spec; false if it has no such thing.
    fn make(self, spec: &mut Spec) -> bool {
        match self {
            Self::Budget { to } => {
                spec.graph.budget = Some(to);
                true
            }
            Self::Pool { of, to } => {
                let pool = spec.pools.iter_mut().find(|pool| pool.name == of);
                pool.map(|pool| pool.workers = WorkerRange::exactly(to)).is_some()
            }
            Self::Rate { of, to } => {
                let config = spec.graph.stages.get_mut(of);
                let rate = config.and_then(|config| config.rate.as_mut());
                rate.map(|rate| rate.per_second = to).is_some()
            }
            Self::Places { of, to } => {
                let config = spec.graph.stages.get_mut(of);
                config
                    .map(|config| (config.pending, config.outstanding) = (Some(to), Some(to)))
                    .is_some()
            }
            Self::Workers { of, .. }
            | Self::Replicas { of, .. }
            | Self::Cap { of, .. }
            | Self::LessWork { of }
            | Self::Spread { of } => self.make_at(spec, of),
        }
    }

    fn make_at(self, spec: &mut Spec, of: &str) -> bool {
        let Some(stage) = spec.stages.iter_mut().find(|stage| stage.name == of) else {
            return false;
        };
        match self {
            Self::Workers { to, .. } => stage.workers = Some(WorkerRange::exactly(to)),
            Self::Replicas { to, .. } => stage.replicas = Some(to),
            Self::Cap { to, .. } => stage.cap = Some(to),
            Self::Spread { .. } => stage.hot_key = stage.hot_key.map(|share| share / 2.0),
            Self::LessWork { .. } => {
                let share = stage.cpu_share;
                let rest = 1.0 - share / 2.0;
                stage.demand = scaled(&stage.demand, rest);
                stage.cpu_share = share / 2.0 / rest;
            }
            Self::Pool { .. } | Self::Rate { .. } | Self::Places { .. } | Self::Budget { .. } => {}
        }
        true
    }
}

/// Returns the number behind the last `word` of a sentence.
fn number_after(sentence: &str, word: &str) -> Option<f64> {
    let (_, rest) = sentence.split_once(word)?;
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    rest.get(..end)?.trim_end_matches('.').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_of_a_report_is_read() {
        for (sentence, action) in [
            ("Raise the workers of `s1` from 1 to 2.", Action::Workers { of: "s1", to: 2 }),
            ("Raise the replicas of `s1` from 2 to 3.", Action::Replicas { of: "s1", to: 3 }),
            (
                "Raise the workers of the pool `both` from 1 to 2.",
                Action::Pool { of: "both", to: 2 },
            ),
            ("Raise the cap of `s1` from 1 to 2.", Action::Cap { of: "s1", to: 2 }),
            (
                "Raise the rate of `s0` from 90 to 120 per second.",
                Action::Rate { of: "s0", to: 120.0 },
            ),
            ("Raise the budget from 16 to 30 events.", Action::Budget { to: 30 }),
            (
                "Raise `pending` of `ask` from 4 to 5, if its remote side can do more at once.",
                Action::Places { of: "ask", to: 5 },
            ),
            ("Make an event of `s1` take less time on a core.", Action::LessWork { of: "s1" }),
            ("Spread the hot key of `s1` over two keys.", Action::Spread { of: "s1" }),
        ] {
            assert_eq!(Action::read(sentence), Some(action), "{sentence}");
        }
        assert_eq!(Action::read("Look at what `s1` waits for."), None);
    }
}
