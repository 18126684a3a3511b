//! A manual clock with an agenda of outside actions.

use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Clock, ManualClock, Time};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

type Action = Box<dyn FnOnce() + Send>;

/// A manual clock with an agenda of actions, which run when
/// [`Stepped::advance`](crate::testing::Stepped::advance) reaches their moments.
///
/// Actions play the outside world: a remote call that returns after 200 ms, a caller that
/// disconnects, a burst of events. Clones share the agenda; a handler that defers an event can own
/// one and complete the event later.
///
/// ```
/// use seda_core::testing::{Stepped, Timeline};
/// use seda_core::{Context, Graph};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let timeline = Timeline::new();
/// let mut graph = Graph::new("remote");
/// let ask = graph.stage::<u32>("ask", 8);
/// graph.attach_each(ask, |_wire| {
///     let remote = timeline.clone();
///     move |_question, cx: &mut Context| {
///         if let Ok(pending) = cx.defer() {
///             remote.after(Duration::from_millis(200), move || pending.complete());
///         }
///     }
/// })?;
/// let questions = graph.source(ask)?;
/// let mut test = Stepped::start_on(graph, &timeline)?;
/// questions.send(1)?;
/// test.advance(Duration::from_millis(199));
/// assert_eq!(test.stage("ask").pending, 1);
/// test.advance(Duration::from_millis(1));
/// assert_eq!((test.stage("ask").pending, test.stage("ask").handled), (0, 1));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Timeline {
    clock: Arc<ManualClock>,
    agenda: Arc<Mutex<Agenda>>,
}

/// Actions by moment; those of one moment in order of insertion.
#[derive(Default)]
struct Agenda {
    actions: BTreeMap<Entry, Action>,
    inserted: u64,
}

/// The moment of an action, and its number in order of insertion.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    due: Time,
    number: u64,
}

impl Timeline {
    /// Returns a timeline with an empty agenda, at its clock's origin.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the clock. A handler may advance it to simulate its own service time.
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    /// Returns the present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Schedules `action` to run `delay` from now; with a delay of zero, in the next advance.
    pub fn after(&self, delay: Duration, action: impl FnOnce() + Send + 'static) {
        let due = self.now().after(delay);
        let mut agenda = self.agenda.lock();
        let number = agenda.inserted;
        agenda.inserted += 1;
        agenda.actions.insert(Entry { due, number }, Box::new(action));
    }

    /// Returns the number of actions that have not run.
    pub fn left(&self) -> usize {
        self.agenda.lock().actions.len()
    }

    /// Advances to the next action that is due by `limit` and runs it; false if there is none.
    pub(super) fn run_next(&self, limit: Time) -> bool {
        let mut agenda = self.agenda.lock();
        let Some(first) = agenda.actions.first_entry().filter(|first| first.key().due <= limit)
        else {
            return false;
        };
        let (entry, action) = first.remove_entry();
        // The action may schedule another one.
        drop(agenda);
        self.clock.advance_to(entry.due);
        action();
        true
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeline").field("now", &self.now()).field("left", &self.left()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_run_at_their_moments_in_order_and_may_schedule_others() {
        let timeline = Timeline::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let (seen, timeline) = (Arc::clone(&seen), timeline.clone());
            move || seen.lock().push((name, timeline.now().as_nanos()))
        };
        let nanos = Duration::from_nanos;
        timeline.after(nanos(30), note("late"));
        timeline.after(nanos(10), note("first"));
        let again = timeline.clone();
        let then = note("scheduled by another");
        timeline.after(nanos(10), move || again.after(nanos(5), then));
        while timeline.run_next(Time::from_nanos(20)) {}
        assert_eq!(*seen.lock(), [("first", 10), ("scheduled by another", 15)]);
        assert_eq!(timeline.left(), 1);
    }
}
