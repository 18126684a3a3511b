//! The gate of one stage.

use crate::config::{Class, PerClass};
use crate::gate::class_limits::{ClassLimiter, Limits, UNLIMITED};
use crate::gate::cost::{Cost, CostUnit};
use crate::gate::declared_costs::DeclaredCosts;
use crate::gate::in_service::InService;
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, Ordering};

/// Counts the unresolved requests bound for a stage, and their costs, and decides whether one more
/// may enter. The gate is open until limits are set.
#[derive(Debug)]
pub(crate) struct Gate {
    requests: ClassLimiter,
    /// The requests that have a cost in microseconds.
    measured: Costs,
    /// Those that have a cost in declared units.
    in_units: Costs,
    declared: DeclaredCosts,
    entered: AtomicU64,
    turned_away: PerClass<AtomicU64>,
    /// Events of lower classes that were evicted for a request of a higher one.
    preempted: AtomicU64,
    /// Whether the stage cannot keep the SLO of a class at its 99th percentile.
    violated: PerClass<AtomicBool>,
    /// Whether the stage cannot keep the SLO of a class even in the mean.
    infeasible: PerClass<AtomicBool>,
}

/// The costs in one unit. A gate limits the costs in the unit in force. Costs in the other unit are
/// those of requests that entered before a change; as requests they still count.
#[derive(Debug, Default)]
struct Costs {
    inside: ClassLimiter,
    in_service: InService,
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
    /// The unit of the costs; `None` if the limit is on requests.
    pub(super) unit: Option<CostUnit>,
}

/// The figures of a gate at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct GateCounts {
    /// Unresolved requests that will visit the stage or are in it.
    pub(crate) bound: usize,
    /// The lowest limit of all classes; `None` without a limit.
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
            measured: Costs::default(),
            in_units: Costs::default(),
            declared: DeclaredCosts::default(),
            entered: AtomicU64::new(0),
            turned_away: PerClass::from_fn(|_| AtomicU64::new(0)),
            preempted: AtomicU64::new(0),
            violated: PerClass::from_fn(|_| AtomicBool::new(false)),
            infeasible: PerClass::from_fn(|_| AtomicBool::new(false)),
        }
    }
}

impl Gate {
    /// Returns the unit in which the gate counts.
    pub(crate) fn unit(&self) -> CostUnit {
        if self.declared.in_force() { CostUnit::Declared } else { CostUnit::Micros }
    }

    /// Returns the costs that requests declare here.
    pub(super) fn declared(&self) -> &DeclaredCosts {
        &self.declared
    }

    fn costs(&self, unit: CostUnit) -> &Costs {
        match unit {
            CostUnit::Micros => &self.measured,
            CostUnit::Declared => &self.in_units,
        }
    }

    /// Returns the costs in the unit of `cost`, if the request has a cost and costs are limited.
    fn limiting(&self, class: Class, cost: Cost) -> Option<&Costs> {
        let costs = self.costs(cost.unit);
        (cost.amount > 0 && costs.inside.limit(class) < UNLIMITED).then_some(costs)
    }

    /// Admits one more request if its class has room: for its cost, if it has one and costs are
    /// limited, else for one request. Returns whether it did.
    pub(super) fn enter(&self, class: Class, cost: Cost, now: impl Fn() -> Time) -> bool {
        self.enter_by(ClassLimiter::enter, class, cost, now)
    }

    /// As [`Gate::enter`], for a tenant below the water level: it also gets the places that are
    /// free for such tenants alone.
    pub(super) fn enter_below_level(
        &self,
        class: Class,
        cost: Cost,
        now: impl Fn() -> Time,
    ) -> bool {
        self.enter_by(ClassLimiter::enter_below_level, class, cost, now)
    }

    fn enter_by(
        &self,
        enter: impl Fn(&ClassLimiter, Class, u64, u64) -> bool,
        class: Class,
        cost: Cost,
        now: impl Fn() -> Time,
    ) -> bool {
        let Some(costs) = self.limiting(class, cost) else {
            let enters = enter(&self.requests, class, 1, 0);
            if enters {
                self.count_entered(class, cost);
            }
            return enters;
        };
        // The served part is read only where it decides, because reading it takes a lock and the
        // clock.
        let amount = u64::from(cost.amount);
        let enters = enter(&costs.inside, class, amount, 0)
            || enter(&costs.inside, class, amount, costs.in_service.served(now()));
        if enters {
            self.requests.enter_anyway(class, 1);
            self.entered.fetch_add(1, Ordering::Relaxed);
        }
        enters
    }

    /// Returns the cost of a request in the unit of the limit that decides about it.
    pub(super) fn amount(&self, class: Class, cost: Cost) -> f64 {
        self.limiting(class, cost).map_or(1.0, |_| f64::from(cost.amount))
    }

    /// Returns how full the gate is for a request; `None` without a limit.
    pub(super) fn fill(&self, class: Class, cost: Cost, now: impl Fn() -> Time) -> Option<Fill> {
        let (limiter, done, unit) = match self.limiting(class, cost) {
            Some(costs) => (&costs.inside, costs.in_service.served(now()), Some(cost.unit)),
            None => (&self.requests, 0, None),
        };
        let ratio = limiter.fill(class, done)?;
        let limit = limiter.limit(class) as f64;
        Some(Fill { ratio, amount: self.amount(class, cost), limit, unit })
    }

    /// Returns whether [`Gate::enter`] would admit the request now.
    pub(super) fn has_room(&self, class: Class, cost: Cost, now: impl Fn() -> Time) -> bool {
        self.has_room_by(ClassLimiter::has_room, class, cost, now)
    }

    /// Returns whether [`Gate::enter_below_level`] would admit the request now.
    pub(super) fn has_room_below_level(
        &self,
        class: Class,
        cost: Cost,
        now: impl Fn() -> Time,
    ) -> bool {
        self.has_room_by(ClassLimiter::has_room_below_level, class, cost, now)
    }

    fn has_room_by(
        &self,
        has_room: impl Fn(&ClassLimiter, Class, u64, u64) -> bool,
        class: Class,
        cost: Cost,
        now: impl Fn() -> Time,
    ) -> bool {
        let Some(costs) = self.limiting(class, cost) else {
            return has_room(&self.requests, class, 1, 0);
        };
        let amount = u64::from(cost.amount);
        has_room(&costs.inside, class, amount, 0)
            || has_room(&costs.inside, class, amount, costs.in_service.served(now()))
    }

    /// Returns the class to evict an event of for a request of `class`: the lowest that exceeds its
    /// guarantee. `None` if there is none, or if eviction would not help because the request's own
    /// and higher classes fill the limit.
    pub(crate) fn preemptible_class(
        &self,
        class: Class,
        cost: Cost,
        classes: usize,
    ) -> Option<Class> {
        let fits = match self.limiting(class, cost) {
            Some(costs) => costs.inside.fits_above(class, u64::from(cost.amount)),
            None => self.requests.fits_above(class, 1),
        };
        let mut lower = Class::first(classes).rev().take_while(|other| other.is_lower_than(class));
        lower.find(|lower| fits && self.exceeds_guarantee(*lower))
    }

    /// Counts an event of a lower class that was evicted for a request of a higher one.
    pub(crate) fn count_preemption(&self) {
        self.preempted.fetch_add(1, Ordering::Relaxed);
    }

    /// Undoes an [`Gate::enter`] because another gate on the route is closed.
    pub(super) fn refund(&self, class: Class, cost: Cost) {
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
    pub(super) fn enter_anyway(&self, class: Class, cost: Cost) {
        self.requests.enter_anyway(class, 1);
        self.count_entered(class, cost);
    }

    fn count_entered(&self, class: Class, cost: Cost) {
        self.entered.fetch_add(1, Ordering::Relaxed);
        if cost.amount > 0 {
            self.costs(cost.unit).inside.enter_anyway(class, u64::from(cost.amount));
        }
    }

    /// Ends a request that has entered.
    pub(super) fn leave(&self, class: Class, cost: Cost) {
        self.requests.leave(class, 1);
        if cost.amount > 0 {
            self.costs(cost.unit).inside.leave(class, u64::from(cost.amount));
        }
    }

    /// Begins the service of a request with a cost.
    pub(crate) fn begin(&self, cost: Cost, now: Time) {
        self.costs(cost.unit).in_service.begin(u64::from(cost.amount), now);
    }

    /// Ends the service of a request that began at `begun`.
    pub(crate) fn end(&self, cost: Cost, begun: Time) {
        self.costs(cost.unit).in_service.end(u64::from(cost.amount), begun);
    }

    /// Returns the costs in the unit in force.
    fn counted(&self) -> &Costs {
        self.costs(self.unit())
    }

    /// Returns the requests of a class that are admitted regardless of the other classes.
    pub(crate) fn guaranteed(&self, class: Class) -> u64 {
        self.requests.guaranteed(class)
    }

    /// Returns whether a class exceeds its guarantee.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        let costs = &self.counted().inside;
        match costs.limit(class) {
            UNLIMITED => self.requests.exceeds_guarantee(class),
            _ => costs.exceeds_guarantee(class),
        }
    }

    /// Counts a refused request.
    pub(super) fn turn_away(&self, class: Class) {
        self.turned_away[class].fetch_add(1, Ordering::Relaxed);
    }

    /// Sets the limits on the number of requests, and on the sum of their costs in the unit in
    /// force.
    pub(crate) fn set_limits(&self, requests: &Limits, costs: &Limits) {
        self.requests.set_limits(requests);
        let (counted, other) = match self.unit() {
            CostUnit::Micros => (&self.measured, &self.in_units),
            CostUnit::Declared => (&self.in_units, &self.measured),
        };
        counted.inside.set_limits(costs);
        other.inside.set_limits(&Limits::NONE);
    }

    /// Sets the units of cost that a second of service is worth, and the number of requests that
    /// are served at once.
    pub(crate) fn set_pace(&self, units_per_second: f64, parallelism: f64) {
        self.counted().in_service.set_pace(units_per_second, parallelism);
    }

    /// Returns the used share of the limit of `class`, 0 to 1; `None` without a limit. Where more
    /// events are `queued` than requests bound for the stage, the events count, because not every
    /// event serves a request.
    pub(crate) fn fullness(&self, class: Class, queued: usize) -> Option<f64> {
        let costs = &self.counted().inside;
        let share = |inside: u64, limit: u64| (inside as f64 / limit.max(1) as f64).min(1.0);
        let limit = match costs.limit(class) {
            UNLIMITED => self.requests.limit(class),
            limit if costs.inside() > 0 => return Some(share(costs.inside(), limit)),
            _ => self.requests.limit(class),
        };
        let inside = self.requests.inside().max(queued as u64);
        (limit < UNLIMITED).then(|| share(inside, limit))
    }

    pub(crate) fn figures(&self) -> GateCounts {
        let limited = |limit: u64| (limit < UNLIMITED).then_some(limit);
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let costs = &self.counted().inside;
        GateCounts {
            bound: count(self.requests.inside()),
            limit: limited(self.requests.lowest_limit()).map(count),
            cost: costs.inside(),
            cost_limit: limited(costs.lowest_limit()),
            entered: self.entered.load(Ordering::Relaxed),
            turned_away: self.turned_away.map(|count| count.load(Ordering::Relaxed)),
            preempted: self.preempted.load(Ordering::Relaxed),
            violated: self.violated.map(|violated| violated.load(Ordering::Relaxed)),
        }
    }
}
