//! The gate of one stage.

use crate::config::{Class, PerClass};
use crate::gate::class_limits::{ClassLimiter, Limits, UNLIMITED};
use crate::gate::in_service::InService;
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, Ordering};

/// Counts the unresolved requests bound for a stage, and their costs, and decides whether one more
/// may enter. The gate is open until limits are set.
#[derive(Debug)]
pub(crate) struct Gate {
    requests: ClassLimiter,
    /// The costs of the requests that have one.
    costs: ClassLimiter,
    in_service: InService,
    entered: AtomicU64,
    turned_away: PerClass<AtomicU64>,
    /// Events of lower classes that were evicted for a request of a higher one.
    preempted: AtomicU64,
    /// Whether the stage cannot keep the SLO of a class at its 99th percentile.
    violated: PerClass<AtomicBool>,
    /// Whether the stage cannot keep the SLO of a class even in the mean.
    infeasible: PerClass<AtomicBool>,
}

/// How full a gate is for a request, in the unit of the limit that decides about it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Fill {
    /// 0 for an empty gate, 1 at its limit, 2 when tenants below the water level fill the rest,
    /// too.
    pub(super) ratio: f64,
    /// The cost of the request.
    pub(super) amount: f64,
    pub(super) limit: f64,
    /// Whether the unit is that of costs, and not requests.
    pub(super) in_costs: bool,
}

/// The figures of a gate at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GateCounts {
    /// Unresolved requests that will visit the stage, are in it or have left it.
    pub(crate) bound: usize,
    /// The limit of the highest class; `None` without a limit.
    pub(crate) limit: Option<usize>,
    /// The costs of these requests.
    pub(crate) cost: u64,
    pub(crate) cost_limit: Option<u64>,
    pub(crate) entered: u64,
    pub(crate) turned_away: PerClass<u64>,
    /// Events of lower classes that were evicted for a request of a higher one.
    pub(crate) preempted: u64,
    /// Whether no setting can keep the SLO of a class.
    pub(crate) violated: PerClass<bool>,
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            requests: ClassLimiter::default(),
            costs: ClassLimiter::default(),
            in_service: InService::default(),
            entered: AtomicU64::new(0),
            turned_away: PerClass::from_fn(|_| AtomicU64::new(0)),
            preempted: AtomicU64::new(0),
            violated: PerClass::from_fn(|_| AtomicBool::new(false)),
            infeasible: PerClass::from_fn(|_| AtomicBool::new(false)),
        }
    }
}

impl Gate {
    /// Admits one more request if its class has room: for its cost, if it has one and costs are
    /// limited, else for one request. Returns whether it did. A `cost` of 0 means no cost.
    pub(super) fn enter(&self, class: Class, cost: u64, now: impl Fn() -> Time) -> bool {
        self.enter_by(ClassLimiter::enter, class, cost, now)
    }

    /// As [`Gate::enter`], for a tenant below the water level: it also gets the places that are
    /// free for such tenants alone.
    pub(super) fn enter_below_level(
        &self,
        class: Class,
        cost: u64,
        now: impl Fn() -> Time,
    ) -> bool {
        self.enter_by(ClassLimiter::enter_below_level, class, cost, now)
    }

    fn enter_by(
        &self,
        enter: impl Fn(&ClassLimiter, Class, u64, u64) -> bool,
        class: Class,
        cost: u64,
        now: impl Fn() -> Time,
    ) -> bool {
        if !self.limits_costs(class, cost) {
            let enters = enter(&self.requests, class, 1, 0);
            if enters {
                self.count_entered(class, cost);
            }
            return enters;
        }
        // The served part is read only where it decides, because reading it takes a lock and the
        // clock.
        let enters = enter(&self.costs, class, cost, 0)
            || enter(&self.costs, class, cost, self.in_service.served(now()));
        if enters {
            self.requests.enter_anyway(class, 1);
            self.entered.fetch_add(1, Ordering::Relaxed);
        }
        enters
    }

    /// Returns whether the cost of a request decides about it, and not its number.
    fn limits_costs(&self, class: Class, cost: u64) -> bool {
        cost > 0 && self.costs.limit(class) < UNLIMITED
    }

    /// Returns the cost of a request in the unit of the limit that decides about it.
    pub(super) fn amount(&self, class: Class, cost: u64) -> f64 {
        if self.limits_costs(class, cost) { cost as f64 } else { 1.0 }
    }

    /// Returns how full the gate is for a request; `None` without a limit.
    pub(super) fn fill(&self, class: Class, cost: u64, now: impl Fn() -> Time) -> Option<Fill> {
        let in_costs = self.limits_costs(class, cost);
        let limiter = if in_costs { &self.costs } else { &self.requests };
        let done = if in_costs { self.in_service.served(now()) } else { 0 };
        let ratio = limiter.fill(class, done)?;
        let limit = limiter.limit(class) as f64;
        Some(Fill { ratio, amount: self.amount(class, cost), limit, in_costs })
    }

    /// Returns whether [`Gate::enter`] would admit the request now.
    pub(super) fn has_room(&self, class: Class, cost: u64, now: impl Fn() -> Time) -> bool {
        if cost == 0 || self.costs.limit(class) == UNLIMITED {
            return self.requests.has_room(class, 1, 0);
        }
        self.costs.has_room(class, cost, 0)
            || self.costs.has_room(class, cost, self.in_service.served(now()))
    }

    /// Returns the class to evict an event of for a request of `class`: the lowest that exceeds its
    /// guarantee. `None` if there is none, or if eviction would not help because the request's own
    /// and higher classes fill the limit.
    pub(crate) fn preemptible_class(
        &self,
        class: Class,
        cost: u64,
        classes: usize,
    ) -> Option<Class> {
        let fits = match self.costs.limit(class) {
            limit if cost > 0 && limit < UNLIMITED => self.costs.fits_above(class, cost),
            _ => self.requests.fits_above(class, 1),
        };
        let mut lower = Class::first(classes).rev().take_while(|other| other.is_lower_than(class));
        lower.find(|lower| fits && self.exceeds_guarantee(*lower))
    }

    /// Counts an event of a lower class that was evicted for a request of a higher one.
    pub(crate) fn count_preemption(&self) {
        self.preempted.fetch_add(1, Ordering::Relaxed);
    }

    /// Undoes an [`Gate::enter`] because another gate on the route is closed.
    pub(super) fn refund(&self, class: Class, cost: u64) {
        self.entered.fetch_sub(1, Ordering::Relaxed);
        self.leave(class, cost);
    }

    /// Returns whether the mean service alone exceeds the SLO of the class.
    pub(super) fn is_infeasible(&self, class: Class) -> bool {
        self.infeasible[class].load(Ordering::Relaxed)
    }

    /// Sets whether services alone exceed the SLO of the class: at the 99th percentile, and in the
    /// mean.
    pub(crate) fn set_feasibility(&self, class: Class, violated: bool, infeasible: bool) {
        self.violated[class].store(violated, Ordering::Relaxed);
        self.infeasible[class].store(infeasible, Ordering::Relaxed);
    }

    /// Admits a request regardless of the limits.
    pub(super) fn enter_anyway(&self, class: Class, cost: u64) {
        self.requests.enter_anyway(class, 1);
        self.count_entered(class, cost);
    }

    fn count_entered(&self, class: Class, cost: u64) {
        self.entered.fetch_add(1, Ordering::Relaxed);
        if cost > 0 {
            self.costs.enter_anyway(class, cost);
        }
    }

    /// Ends a request that has entered.
    pub(super) fn leave(&self, class: Class, cost: u64) {
        self.requests.leave(class, 1);
        if cost > 0 {
            self.costs.leave(class, cost);
        }
    }

    /// Begins the service of a request with a cost.
    pub(crate) fn begin(&self, cost: u64, now: Time) {
        self.in_service.begin(cost, now);
    }

    /// Ends the service of a request that began at `begun`.
    pub(crate) fn end(&self, cost: u64, begun: Time) {
        self.in_service.end(cost, begun);
    }

    /// Returns whether a class exceeds its guarantee.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        match self.costs.limit(class) {
            UNLIMITED => self.requests.exceeds_guarantee(class),
            _ => self.costs.exceeds_guarantee(class),
        }
    }

    /// Counts a refused request.
    pub(super) fn turn_away(&self, class: Class) {
        self.turned_away[class].fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the limits on the number of requests, and on the sum of their costs.
    pub(crate) fn set_limits(&self, requests: &Limits, costs: &Limits) {
        self.requests.set_limits(requests);
        self.costs.set_limits(costs);
    }

    /// Sets the amounts that can be answered in time, by class: requests and costs.
    pub(crate) fn set_in_time(&self, requests: PerClass<u64>, costs: PerClass<u64>) {
        self.requests.set_in_time(requests);
        self.costs.set_in_time(costs);
    }

    /// Sets the units of cost that a second of service is worth, and the number of requests that
    /// are served at once.
    pub(crate) fn set_pace(&self, units_per_second: f64, parallelism: f64) {
        self.in_service.set_pace(units_per_second, parallelism);
    }

    /// Returns the used share of the limit of `class`, 0 to 1; `None` without a limit. Where more
    /// events are `queued` than requests bound for the stage, the events count, because not every
    /// event serves a request.
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
            turned_away: self.turned_away.map(|count| count.load(Ordering::Relaxed)),
            preempted: self.preempted.load(Ordering::Relaxed),
            violated: self.violated.map(|violated| violated.load(Ordering::Relaxed)),
        }
    }
}
