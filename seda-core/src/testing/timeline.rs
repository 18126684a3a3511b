//! A clock that stands still, and what the outside world will do at which moment.

use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Clock, ManualClock, Time};
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

type Action = Box<dyn FnOnce() + Send>;

/// A clock with an agenda. What is put on it runs when [`crate::testing::stepped::Stepped::advance`] comes
/// by its moment: a client that answers after 200 ms, a caller that goes away, a burst of events.
///
/// Clones are one timeline: move one into a handler that defers, to complete its event later.
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

/// Actions by moment, those of one moment in the order in which they were put there.
#[derive(Default)]
struct Agenda {
    actions: BTreeMap<(Time, u64), Action>,
    put: u64,
}

impl Timeline {
    /// A timeline that stands at its clock's origin, with nothing on it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Its clock, for handlers whose work takes time: they advance it themselves.
    pub fn clock(&self) -> Arc<ManualClock> {
        Arc::clone(&self.clock)
    }

    /// The present moment.
    pub fn now(&self) -> Time {
        self.clock.now()
    }

    /// Has `action` run `delay` from now. With a delay of zero it runs at the next advance.
    pub fn after(&self, delay: Duration, action: impl FnOnce() + Send + 'static) {
        let due = self.now().after(delay);
        let mut agenda = self.agenda.lock();
        let put = agenda.put;
        agenda.put += 1;
        agenda.actions.insert((due, put), Box::new(action));
    }

    /// How many actions have not run.
    pub fn left(&self) -> usize {
        self.agenda.lock().actions.len()
    }

    /// Moves to the next action that is due until `limit` and runs it; false if there is none.
    pub(super) fn run_next(&self, limit: Time) -> bool {
        let mut agenda = self.agenda.lock();
        let Some(first) = agenda.actions.first_entry().filter(|first| first.key().0 <= limit)
        else {
            return false;
        };
        let ((due, _), action) = first.remove_entry();
        // The action may put another one here.
        drop(agenda);
        self.clock.advance_to(due);
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
    fn actions_run_at_their_moments_in_order_and_may_put_others() {
        let timeline = Timeline::new();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let note = |name: &'static str| {
            let (seen, timeline) = (Arc::clone(&seen), timeline.clone());
            move || seen.lock().push((name, timeline.now().as_nanos()))
        };
        let nanos = Duration::from_nanos;
        timeline.after(nanos(30), note("late"));
        timeline.after(nanos(10), note("first"));
        let (again, then) = (timeline.clone(), note("put by another"));
        timeline.after(nanos(10), move || again.after(nanos(5), then));
        while timeline.run_next(Time::from_nanos(20)) {}
        assert_eq!(*seen.lock(), [("first", 10), ("put by another", 15)]);
        assert_eq!(timeline.left(), 1);
    }
}
