//! What the valve did: counted as it happens, said once per tick, or report, and stage.
//!
//! At the budget it decides as often as events come, thousands of times a second. Each decision in
//! the journal would leave room there for nothing else.

use crate::config::{Class, OverloadPolicy, PerClass};
use crate::platform::Time;
use crate::platform::sync::Mutex;
use crate::stage::valve::incoming::Incoming;
use crate::stage::{Controller, Decision};

/// What there was too little of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resource {
    Events,
    Bytes,
}

/// Decisions that are alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EvictionKey {
    /// Whose queue gave way.
    pub(super) stage: usize,
    pub(super) scarce: Resource,
    pub(super) policy: OverloadPolicy,
    /// False if the valve only observes.
    pub(super) acted: bool,
}

/// One decision.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eviction {
    pub(super) kind: EvictionKey,
    pub(super) at: Time,
    pub(super) arrival: Incoming,
    /// How many gave way, by class; of an observer, who would have, as far as that is known.
    pub(super) victims: Evicted,
    /// False for a further decision for the same newcomer.
    pub(super) is_first: bool,
    /// What it changed: the queue's length, or the bytes in use.
    pub(super) changed: (u64, u64),
}

/// Who gave way.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evicted {
    ByClass(PerClass<usize>),
    /// Nobody did, but so many would have.
    WouldBe(usize),
}

/// Decisions that are alike, since the last tick or report.
#[derive(Debug)]
pub(crate) struct EvictionSummary {
    first: Eviction,
    /// What the first of them saw.
    seen: String,
    victims: PerClass<usize>,
    would_be: usize,
    newcomers: PerClass<usize>,
    after: u64,
}

/// What the valve did since the last tick or report: an entry for each stage that gave way.
#[derive(Debug, Default)]
pub(crate) struct Evictions {
    noted: Mutex<Vec<EvictionSummary>>,
}

impl Evictions {
    /// Counts a decision; the first of its kind says what it `saw`.
    pub(super) fn note(&self, eviction: Eviction, saw: impl FnOnce() -> String) {
        let mut noted = self.noted.lock();
        if let Some(alike) = noted.iter_mut().find(|noted| noted.first.kind == eviction.kind) {
            return alike.add(&eviction);
        }
        let mut first = EvictionSummary {
            first: eviction,
            seen: saw(),
            victims: PerClass::default(),
            would_be: 0,
            newcomers: PerClass::default(),
            after: 0,
        };
        first.add(&eviction);
        noted.push(first);
    }

    /// Returns what was counted since the last call.
    pub(crate) fn take(&self) -> Vec<EvictionSummary> {
        std::mem::take(&mut *self.noted.lock())
    }
}

impl EvictionSummary {
    fn add(&mut self, eviction: &Eviction) {
        match eviction.victims {
            Evicted::ByClass(gone) => {
                self.victims.iter_mut().zip(gone).for_each(|(sum, gone)| *sum += gone);
            }
            Evicted::WouldBe(victims) => self.would_be += victims,
        }
        if let Some(newcomers) = self.newcomers.get_mut(eviction.arrival.class.index()) {
            *newcomers += usize::from(eviction.is_first);
        }
        self.after = eviction.changed.1;
    }

    /// Returns the decisions as one, with the names of classes and stages.
    pub(crate) fn decision<'a>(
        &self,
        class: impl Fn(Class) -> String,
        stage: impl Fn(usize) -> &'a str,
    ) -> Decision {
        let Eviction { kind, at, arrival, changed, .. } = self.first;
        let who = if arrival.fan_out { "a handler's send" } else { "an entry" };
        Decision::by(Controller::Valve, at)
            .stage(stage(kind.stage))
            .seen(format!(
                "{}; {who} of class {} into `{}`",
                self.seen,
                class(arrival.class),
                stage(arrival.stage)
            ))
            .action(format!(
                "evicted {} for {} from `{}`, {}",
                self.victims(&class),
                by_class(&self.newcomers, &class),
                stage(kind.stage),
                self.why()
            ))
            .changed(match kind.scarce {
                Resource::Events => format!("{} → {}", changed.0, self.after),
                Resource::Bytes => format!("{} → {} bytes", changed.0, self.after),
            })
            .acted(kind.acted)
    }

    /// "120 of class basic"; of an observer's victims the class is not known.
    fn victims(&self, names: &impl Fn(Class) -> String) -> String {
        if self.would_be > 0 {
            return self.would_be.to_string();
        }
        by_class(&self.victims, names)
    }

    fn why(&self) -> &'static str {
        match (self.first.kind.scarce, self.first.kind.policy) {
            (Resource::Events, OverloadPolicy::LongestQueue) => "the longest queue with a victim",
            (Resource::Bytes, OverloadPolicy::LongestQueue | OverloadPolicy::Random) => {
                "whose events weigh most"
            }
            (_, OverloadPolicy::TailDrop) => "the queue the newcomer is bound for",
            (_, OverloadPolicy::Random) => "a queued event at random",
            (_, OverloadPolicy::None) => "nobody",
        }
    }
}

fn by_class(counts: &PerClass<usize>, names: &impl Fn(Class) -> String) -> String {
    let classes = (0_u8..).map(Class::new).zip(counts).filter(|(_, count)| **count > 0);
    let each: Vec<String> =
        classes.map(|(class, count)| format!("{count} of class {}", names(class))).collect();
    each.join(" and ")
}
