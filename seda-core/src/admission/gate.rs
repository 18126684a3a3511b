//! One stage's gate.

use crate::event::{Class, MAX_CLASSES, PerClass};
use crate::sync::{AtomicU64, AtomicUsize, Ordering};

/// Counts the requests that are bound for a stage and have not ended, and says whether one more
/// may come. Open to everybody until limits are set.
#[derive(Debug)]
pub(crate) struct Gate {
    bound: AtomicUsize,
    /// Of these, by class.
    by_class: PerClass<AtomicUsize>,
    limits: PerClass<AtomicUsize>,
    /// How many of a class may be, whoever else is there.
    guaranteed: PerClass<AtomicUsize>,
    entered: AtomicU64,
    turned_away: PerClass<AtomicU64>,
}

/// A gate as it is at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct GateFigures {
    /// Requests that will visit the stage, are in it or have left it, and have not ended.
    pub(crate) bound: usize,
    /// The limit of the highest class; `None` while there is none.
    pub(crate) limit: Option<usize>,
    pub(crate) entered: u64,
    pub(crate) turned_away: PerClass<u64>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            bound: AtomicUsize::new(0),
            by_class: PerClass::default(),
            guaranteed: PerClass::default(),
            limits: std::array::from_fn(|_| AtomicUsize::new(usize::MAX)),
            entered: AtomicU64::new(0),
            turned_away: std::array::from_fn(|_| AtomicU64::new(0)),
        }
    }
}

impl Gate {
    /// One more, if there is room for its class. Nothing else is ordered by this counter.
    pub(super) fn enter(&self, class: Class) -> bool {
        let limit = self.limit(class);
        let entered = if limit == usize::MAX || self.has_guaranteed_room(class) {
            self.bound.fetch_add(1, Ordering::Relaxed);
            true
        } else {
            let one_more = |bound: usize| (bound < limit).then_some(bound + 1);
            self.bound.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more).is_ok()
        };
        if entered {
            self.count(class);
        }
        entered
    }

    /// Whether fewer of a class are there than it is guaranteed; two who ask at once may both come.
    fn has_guaranteed_room(&self, class: Class) -> bool {
        let here = self.by_class.get(class.index()).map(|here| here.load(Ordering::Relaxed));
        let guaranteed =
            self.guaranteed.get(class.index()).map(|room| room.load(Ordering::Relaxed));
        here < guaranteed
    }

    pub(super) fn enter_anyway(&self, class: Class) {
        self.bound.fetch_add(1, Ordering::Relaxed);
        self.count(class);
    }

    fn count(&self, class: Class) {
        self.entered.fetch_add(1, Ordering::Relaxed);
        if let Some(here) = self.by_class.get(class.index()) {
            here.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self, class: Class) {
        self.bound.fetch_sub(1, Ordering::Relaxed);
        if let Some(here) = self.by_class.get(class.index()) {
            here.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Whether there are more of a class than it is guaranteed.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        let room = |of: &PerClass<AtomicUsize>| {
            of.get(class.index()).map_or(0, |room| room.load(Ordering::Relaxed))
        };
        room(&self.by_class) > room(&self.guaranteed)
    }

    pub(super) fn turn_away(&self, class: Class) {
        if let Some(count) = self.turned_away.get(class.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn limit(&self, class: Class) -> usize {
        self.limits.get(class.index()).map_or(usize::MAX, |limit| limit.load(Ordering::Relaxed))
    }

    /// Sets how many requests may be, and how many of a class may be whoever else is there.
    pub(crate) fn set_limits(
        &self,
        limits: &[usize; MAX_CLASSES],
        guaranteed: &[usize; MAX_CLASSES],
    ) {
        let set = |all: &PerClass<AtomicUsize>, to: &[usize; MAX_CLASSES]| {
            all.iter().zip(to).for_each(|(one, to)| one.store(*to, Ordering::Relaxed));
        };
        set(&self.limits, limits);
        set(&self.guaranteed, guaranteed);
    }

    /// Which share of the limit of `class` is used, 0 to 1; `None` while there is no limit. Where
    /// more events are `queued` than requests are bound for the stage, they count: not every event
    /// serves a request.
    pub(crate) fn fullness(&self, class: Class, queued: usize) -> Option<f64> {
        let limit = self.limit(class);
        let inside = self.bound.load(Ordering::Relaxed).max(queued);
        (limit < usize::MAX).then(|| (inside as f64 / limit.max(1) as f64).min(1.0))
    }

    pub(crate) fn figures(&self) -> GateFigures {
        let limit = self.limit(Class::HIGHEST);
        GateFigures {
            bound: self.bound.load(Ordering::Relaxed),
            limit: (limit < usize::MAX).then_some(limit),
            entered: self.entered.load(Ordering::Relaxed),
            turned_away: self.turned_away.each_ref().map(|count| count.load(Ordering::Relaxed)),
        }
    }
}
