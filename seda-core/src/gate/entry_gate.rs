//! One stage's gate.

use crate::config::{Class, PerClass};
use crate::gate::class_limits::{ClassLimiter, Limits, UNLIMITED};
use crate::gate::in_service::InService;
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, Ordering};

/// Counts the requests that are bound for a stage and have not ended, and what they cost where that
/// is declared, and says whether one more may come. Open to everybody until limits are set.
#[derive(Debug)]
pub(crate) struct Gate {
    requests: ClassLimiter,
    /// What those that declare it cost.
    costs: ClassLimiter,
    in_service: InService,
    entered: AtomicU64,
    turned_away: PerClass<AtomicU64>,
    /// For whom a lower class gave way, by the class of the newcomer.
    gave_way: AtomicU64,
    /// Whether the stage cannot keep what was promised to a class.
    violated: PerClass<AtomicBool>,
    /// And not even to most of its requests.
    infeasible: PerClass<AtomicBool>,
}

/// A gate as it is at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GateCounts {
    /// Requests that will visit the stage, are in it or have left it, and have not ended.
    pub(crate) bound: usize,
    /// The limit of the highest class; `None` while there is none.
    pub(crate) limit: Option<usize>,
    /// The declared costs of these requests.
    pub(crate) cost: u64,
    pub(crate) cost_limit: Option<u64>,
    pub(crate) entered: u64,
    pub(crate) turned_away: PerClass<u64>,
    /// How many of a lower class were given up for one of a higher.
    pub(crate) gave_way: u64,
    /// Whether no setting can keep what was promised to a class.
    pub(crate) violated: PerClass<bool>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            requests: ClassLimiter::default(),
            costs: ClassLimiter::default(),
            in_service: InService::default(),
            entered: AtomicU64::new(0),
            turned_away: std::array::from_fn(|_| AtomicU64::new(0)),
            gave_way: AtomicU64::new(0),
            violated: std::array::from_fn(|_| AtomicBool::new(false)),
            infeasible: std::array::from_fn(|_| AtomicBool::new(false)),
        }
    }
}

impl Gate {
    /// One more, if there is room for its class: for what it costs, if it says so and it is known
    /// what that means, else for one request. `cost` is 0 where it is not declared.
    pub(super) fn enter(&self, class: Class, cost: u64, now: impl Fn() -> Time) -> bool {
        if cost == 0 || self.costs.limit(class) == UNLIMITED {
            let enters = self.requests.enter(class, 1, 0);
            if enters {
                self.note(class, cost);
            }
            return enters;
        }
        // What was done is only asked for where it decides: it takes a lock and the clock.
        let enters = self.costs.enter(class, cost, 0)
            || self.costs.enter(class, cost, self.in_service.served(now()));
        if enters {
            self.requests.enter_anyway(class, 1);
            self.entered.fetch_add(1, Ordering::Relaxed);
        }
        enters
    }

    /// Whether [`Gate::enter`] would let it in now.
    pub(super) fn has_room(&self, class: Class, cost: u64, now: impl Fn() -> Time) -> bool {
        if cost == 0 || self.costs.limit(class) == UNLIMITED {
            return self.requests.has_room(class, 1, 0);
        }
        self.costs.has_room(class, cost, 0)
            || self.costs.has_room(class, cost, self.in_service.served(now()))
    }

    /// The class of which an event would have to give way for a newcomer of `class`: the lowest
    /// that has more than it is guaranteed. `None` if there is none, or if it would not help: what
    /// is there of the newcomer's class and of higher ones fills the limit.
    pub(crate) fn is_preemptible(&self, class: Class, cost: u64, classes: usize) -> Option<Class> {
        let fits = match self.costs.limit(class) {
            limit if cost > 0 && limit < UNLIMITED => self.costs.fits_above(class, cost),
            _ => self.requests.fits_above(class, 1),
        };
        let lower = (class.index() + 1..classes).rev();
        let mut lower = lower.filter_map(|class| u8::try_from(class).ok().map(Class::new));
        lower.find(|lower| fits && self.exceeds_guarantee(*lower))
    }

    /// Somebody of a lower class has given way.
    pub(crate) fn log_preemption(&self) {
        self.gave_way.fetch_add(1, Ordering::Relaxed);
    }

    /// One that has entered goes: another gate on its route is shut.
    pub(super) fn refund(&self, class: Class, cost: u64) {
        self.entered.fetch_sub(1, Ordering::Relaxed);
        self.leave(class, cost);
    }

    /// Whether a mean service alone takes longer than was promised to the class.
    pub(super) fn is_hopeless(&self, class: Class) -> bool {
        self.infeasible
            .get(class.index())
            .is_some_and(|infeasible| infeasible.load(Ordering::Relaxed))
    }

    /// Sets whether services alone make the promise to a class impossible to keep: as far as one in
    /// a hundred is concerned, and on the average.
    pub(crate) fn set_feasibility(&self, class: usize, violated: bool, infeasible: bool) {
        let all = [(&self.violated, violated), (&self.infeasible, infeasible)];
        for (by_class, is_so) in all {
            if let Some(one) = by_class.get(class) {
                one.store(is_so, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn enter_anyway(&self, class: Class, cost: u64) {
        self.requests.enter_anyway(class, 1);
        self.note(class, cost);
    }

    fn note(&self, class: Class, cost: u64) {
        self.entered.fetch_add(1, Ordering::Relaxed);
        if cost > 0 {
            self.costs.enter_anyway(class, cost);
        }
    }

    pub(super) fn leave(&self, class: Class, cost: u64) {
        self.requests.leave(class, 1);
        if cost > 0 {
            self.costs.leave(class, cost);
        }
    }

    /// A worker begins a request that has declared its cost.
    pub(crate) fn begin(&self, cost: u64, now: Time) {
        self.in_service.begin(cost, now);
    }

    /// The request that was begun at `begun` is in service no more.
    pub(crate) fn end(&self, cost: u64, begun: Time) {
        self.in_service.end(cost, begun);
    }

    /// Whether there are more of a class than it is guaranteed.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        match self.costs.limit(class) {
            UNLIMITED => self.requests.exceeds_guarantee(class),
            _ => self.costs.exceeds_guarantee(class),
        }
    }

    pub(super) fn turn_away(&self, class: Class) {
        if let Some(count) = self.turned_away.get(class.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sets how many requests may be, and what those that say so may cost together.
    pub(crate) fn set_limits(&self, requests: &Limits, costs: &Limits) {
        self.requests.set_limits(requests);
        self.costs.set_limits(costs);
    }

    /// Sets how many units of cost a second of service is worth, and how many are served at once.
    pub(crate) fn set_pace(&self, units_per_second: f64, parallelism: f64) {
        self.in_service.set_pace(units_per_second, parallelism);
    }

    /// Which share of the limit of `class` is used, 0 to 1; `None` while there is no limit. Where
    /// more events are `queued` than requests are bound for the stage, they count: not every event
    /// serves a request.
    pub(crate) fn fullness(&self, class: Class, queued: usize) -> Option<f64> {
        let share = |inside: u64, limit: u64| (inside as f64 / limit.max(1) as f64).min(1.0);
        let limit = match self.costs.limit(class) {
            UNLIMITED => self.requests.limit(class),
            limit if self.costs.inside() > 0 => return Some(share(self.costs.inside(), limit)),
            _ => self.requests.limit(class),
        };
        let inside = self.requests.inside().max(queued as u64);
        (limit < UNLIMITED).then(|| share(inside, limit))
    }

    pub(crate) fn figures(&self) -> GateCounts {
        let limited = |limit: u64| (limit < UNLIMITED).then_some(limit);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        GateCounts {
            bound: count(self.requests.inside()),
            limit: limited(self.requests.limit(Class::HIGHEST)).map(count),
            cost: self.costs.inside(),
            cost_limit: limited(self.costs.limit(Class::HIGHEST)),
            entered: self.entered.load(Ordering::Relaxed),
            turned_away: self.turned_away.each_ref().map(|count| count.load(Ordering::Relaxed)),
            gave_way: self.gave_way.load(Ordering::Relaxed),
            violated: self.violated.each_ref().map(|violated| violated.load(Ordering::Relaxed)),
        }
    }
}
