//! The log of the valve's evictions, between two ticks or reports.
//!
//! At the budget the valve decides at every event, thousands of times a second. So evictions of one
//! kind are summed here, and the control plane journals each sum as one decision.

use crate::config::{Class, OverloadPolicy, PerClass};
use crate::platform::Time;
use crate::platform::sync::Mutex;
use crate::stage::valve::incoming::Incoming;
use crate::stage::valve::policy::{Resource, why};
use crate::stage::{Controller, Decision};

/// The kind of an eviction; evictions of one kind are summed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EvictionKey {
    /// The stage that lost the events.
    pub(super) stage: usize,
    pub(super) scarce: Resource,
    pub(super) policy: OverloadPolicy,
    /// False if the valve only observes.
    pub(super) acted: bool,
}

/// One eviction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Eviction {
    pub(super) kind: EvictionKey,
    pub(super) at: Time,
    pub(super) arrival: Incoming,
    /// The events evicted; in mode `observe` the events that would have been.
    pub(super) victims: Evicted,
    /// False for a further eviction for the same incoming event.
    pub(super) is_first: bool,
    /// The queue's length, or the bytes in use, before and after.
    pub(super) changed: (u64, u64),
}

/// The events of an eviction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Evicted {
    ByClass(PerClass<usize>),
    /// None was evicted, but this number would have been; their classes are unknown.
    WouldBe(usize),
}

/// The evictions of one kind since the last tick or report.
#[derive(Debug)]
pub(crate) struct EvictionSummary {
    first: Eviction,
    /// The queues as the first eviction saw them.
    seen: String,
    victims: PerClass<usize>,
    would_be: usize,
    incoming: PerClass<usize>,
    after: u64,
}

/// The evictions since the last tick or report, one summary for each kind.
#[derive(Debug, Default)]
pub(crate) struct Evictions {
    noted: Mutex<Vec<EvictionSummary>>,
}

impl Evictions {
    /// Counts an eviction. The first of its kind describes the queues with `describe`.
    pub(super) fn note(&self, eviction: Eviction, describe: impl FnOnce() -> String) {
        let mut noted = self.noted.lock();
        if let Some(alike) = noted.iter_mut().find(|noted| noted.first.kind == eviction.kind) {
            return alike.add(&eviction);
        }
        let mut first = EvictionSummary {
            first: eviction,
            seen: describe(),
            victims: PerClass::default(),
            would_be: 0,
            incoming: PerClass::default(),
            after: 0,
        };
        first.add(&eviction);
        noted.push(first);
    }

    /// Removes and returns all summaries.
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
        self.incoming[eviction.arrival.class] += usize::from(eviction.is_first);
        self.after = eviction.changed.1;
    }

    /// Returns the summary as one decision, with the names of classes and stages.
    pub(crate) fn decision<'a>(
        &self,
        class: impl Fn(Class) -> String,
        stage: impl Fn(usize) -> &'a str,
    ) -> Decision {
        let Eviction { kind, at, arrival, changed, .. } = self.first;
        let sender = if arrival.fan_out { "a handler's send" } else { "an entry" };
        Decision::by(Controller::Valve, at)
            .stage(stage(kind.stage))
            .seen(format!(
                "{}; {sender} of class {} into `{}`",
                self.seen,
                class(arrival.class),
                stage(arrival.stage)
            ))
            .action(format!(
                "evicted {} for {} from `{}`, {}",
                self.victims(&class),
                by_class(&self.incoming, &class),
                stage(kind.stage),
                why(kind.policy, kind.scarce)
            ))
            .changed(match kind.scarce {
                Resource::Events => format!("{} → {}", changed.0, self.after),
                Resource::Bytes => format!("{} → {} bytes", changed.0, self.after),
            })
            .acted(kind.acted)
    }

    /// Returns a text like "120 of class basic"; without classes if the valve only observes.
    fn victims(&self, names: &impl Fn(Class) -> String) -> String {
        if self.would_be > 0 {
            return self.would_be.to_string();
        }
        by_class(&self.victims, names)
    }
}

fn by_class(counts: &PerClass<usize>, names: &impl Fn(Class) -> String) -> String {
    let classes = counts.by_class().filter(|(_, count)| **count > 0);
    let each: Vec<String> =
        classes.map(|(class, count)| format!("{count} of class {}", names(class))).collect();
    each.join(" and ")
}
