//! The water level of a class at a gate: the cost per second that each tenant may have admitted.

use crate::platform::Time;
use std::time::Duration;

/// The debt that a tenant may have at the limit, in requests. A tenant just below the level has a
/// debt like the queue of a server at full load. With room for K equal requests such a queue loses
/// 1/(2K) of them (M/D/1/K): 1 %.
const DEPTH: f64 = 50.0;
/// The most that a tenant owes, as a multiple of the debt at the limit: more than is ever allowed.
/// A tenant exceeds what is allowed only where a gate is empty, and pays for that for a while.
const MOST_DEPTHS: f64 = 3.0;
/// At a fill of 1 + x the floor rises at e⁻⁴ˣ times the level, and the level is corrected by −4x.
/// The first damps the second, which acts much more slowly.
const STEEPNESS: f64 = 4.0;
/// The bounds of the correction. It is larger upward, because a level that is too low costs
/// capacity, and one that is too high costs only the last places.
const LEAST_CORRECTION: f64 = -1.0;
const MOST_CORRECTION: f64 = 2.0;
/// While the gate is filled to less than half on average, the level is far too low. It then rises
/// e-fold in a quarter of a second: tenfold within six ticks of the controllers.
const FAR_BELOW: f64 = 0.5;
const SEARCH_PER_SECOND: f64 = 4.0;
/// The time over which the fill is averaged: many services, because a limit of three requests is
/// nearly empty once in each service.
const AVERAGED: f64 = 1.0;
/// The slowest and the fastest correction of the level per second. Between them it takes the time
/// in which a tenant at the level pays a full debt: a faster one would oscillate.
const SLOWEST: f64 = 0.02;
const FASTEST: f64 = 2.0;
/// A level at which a full debt would take longer than an hour, or less than a millisecond, is not
/// distinguished from none and from infinity.
const LONGEST_DEBT: f64 = 3_600.0;
const SHORTEST_DEBT: f64 = 0.001;
/// The longest time between two requests that the level is corrected for.
const LONGEST_STEP: Duration = Duration::from_secs(1);
/// The number of requests over which costs are averaged.
const COSTS: f64 = 256.0;

/// The level of a class at a gate, and the costs that it depends on.
///
/// Each tenant owes the cost that it has had admitted and not yet paid; all debts are paid at the
/// same rate, the level. A tenant that asks for less than the level stays near zero. The debt of a
/// tenant that asks for more grows until it is refused, at the *allowed debt*, and from then on it
/// gets exactly the level.
///
/// The allowed debt falls linearly with the fill of the gate: from twice the [`DEPTH`] when the
/// gate is empty, over once at the limit, to zero when the gate is filled to the last place. So the
/// fuller the gate, the less may be owed, and the last places are for tenants without a debt. The
/// level itself is corrected slowly until the gate is filled to its limit: then the tenants
/// together have just the capacity admitted. That is the max-min fair share.
///
/// A debt is stored as a *mark*, the sum of debt and floor. All debts are paid by a rise of the
/// floor, and a mark below the floor is no debt.
#[derive(Debug, Default)]
pub(super) struct WaterLevel {
    /// The time of the last rise of the floor.
    at: Time,
    floor: f64,
    /// The level, in cost per second.
    level: f64,
    /// The level at the last refusal of a tenant above it; 0 before the first.
    known: f64,
    /// The average fill.
    fill: f64,
    /// The number of requests in the means, at most [`COSTS`].
    samples: f64,
    /// The means of the cost and of its square.
    mean: f64,
    mean_square: f64,
}

impl WaterLevel {
    /// Begins anew without debts, at the known level. Before the first level is known it is the
    /// `limit` per second: between the levels of many tenants and of one.
    pub(super) fn begin(&mut self, limit: f64, now: Time) {
        self.clear();
        self.at = now;
        self.fill = 1.0;
        self.level = if self.known > 0.0 { self.known } else { limit };
    }

    /// Forgets level and costs, because the unit of costs has changed.
    pub(super) fn forget(&mut self) {
        self.clear();
        *self = Self { at: self.at, floor: self.floor, ..Self::default() };
    }

    /// Returns whether no cost has joined the means since the level began, or its unit changed.
    pub(super) fn knows_no_cost(&self) -> bool {
        self.samples <= 0.0
    }

    /// Adds the cost of a request that asks for admission to the means.
    pub(super) fn count(&mut self, cost: f64) {
        self.samples = (self.samples + 1.0).min(COSTS);
        self.mean += (cost - self.mean) / self.samples;
        self.mean_square += (cost * cost - self.mean_square) / self.samples;
    }

    /// Raises the floor, and corrects the level, by the time since the last call. `fill` is 0 for
    /// an empty gate, 1 at its limit, 2 when it is filled to the last place.
    pub(super) fn advance(&mut self, fill: f64, now: Time) {
        let step = now.since(self.at).min(LONGEST_STEP).as_secs_f64();
        self.at = self.at.max(now);
        self.fill += (fill - self.fill) * (step / AVERAGED).min(1.0);
        let rise = (STEEPNESS * (1.0 - fill)).exp();
        self.floor += self.level * rise * step;
        let depth = self.depth();
        let correction = if self.fill < FAR_BELOW {
            SEARCH_PER_SECOND
        } else {
            let by_fill = STEEPNESS * (1.0 - fill);
            let pace = (self.level / depth).clamp(SLOWEST, FASTEST);
            pace * by_fill.clamp(LEAST_CORRECTION, MOST_CORRECTION)
        };
        let corrected = self.level * (correction * step).exp();
        self.level = corrected.clamp(depth / LONGEST_DEBT, depth / SHORTEST_DEBT);
    }

    /// Returns whether a tenant with this mark owes no more than it may at this fill.
    pub(super) fn allows(&self, mark: f64, fill: f64) -> bool {
        mark - self.floor <= self.depth() * (2.0 - fill).max(0.0)
    }

    /// Returns the mark of a tenant after an admission.
    pub(super) fn charged(&self, mark: f64, cost: f64) -> f64 {
        (mark.max(self.floor) + cost).min(self.floor + self.most_debt().max(cost))
    }

    /// Returns the mark of a tenant that owes as much as it may at the limit.
    pub(super) fn full_mark(&self) -> f64 {
        self.floor + self.depth()
    }

    /// Notes that a tenant was refused because of its debt: the level is in force.
    pub(super) fn note_refusal(&mut self) {
        self.known = self.level;
    }

    /// Forgives all debts: no mark is above the new floor.
    fn clear(&mut self) {
        self.floor += self.most_debt();
    }

    fn most_debt(&self) -> f64 {
        MOST_DEPTHS * self.depth()
    }

    /// Returns the debt that is allowed at the limit. Where costs differ it is the mean of the
    /// request that a unit of cost belongs to, and not the mean over requests.
    fn depth(&self) -> f64 {
        if self.mean > 0.0 { DEPTH * self.mean_square / self.mean } else { DEPTH }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: f64 = 10.0;

    fn at(millis: u64) -> Time {
        Time::from_nanos(millis * 1_000_000)
    }

    fn begun() -> WaterLevel {
        let mut level = WaterLevel::default();
        level.begin(LIMIT, Time::ZERO);
        level.count(1.0);
        level
    }

    #[test]
    fn a_tenant_may_owe_less_the_fuller_the_gate_is() {
        let level = begun();
        let owes = |debt: f64| level.floor + debt;
        assert!(level.allows(owes(100.0), 0.0) && !level.allows(owes(101.0), 0.0));
        assert!(level.allows(owes(50.0), 1.0) && !level.allows(owes(51.0), 1.0));
        assert!(level.allows(owes(0.0), 2.0) && !level.allows(owes(1.0), 2.0));
        assert!(level.allows(owes(-1.0), 3.0), "the gate itself bounds tenants without a debt");
    }

    #[test]
    fn all_debts_are_paid_at_the_level_while_the_gate_is_at_its_limit() {
        let mut level = begun();
        let mark = level.charged(0.0, 30.0);
        level.advance(1.0, at(500));
        level.advance(1.0, at(1_000));
        assert_eq!(mark - level.floor, 20.0);
        level.advance(1.0, at(2_000));
        level.advance(1.0, at(5_000));
        assert!(level.charged(mark, 1.0) >= level.floor + 1.0);
        assert_eq!(level.level, LIMIT);
    }

    #[test]
    fn the_level_rises_while_the_gate_has_room_and_falls_while_it_is_beyond_its_limit() {
        let after = |fill: f64| {
            let mut level = begun();
            (1..=20).for_each(|tick| level.advance(fill, at(100 * tick)));
            level.level
        };
        assert!(after(0.3) > 50.0 * LIMIT, "{}", after(0.3));
        assert!(after(0.9) > 1.1 * LIMIT && after(0.9) < 1.3 * LIMIT, "{}", after(0.9));
        assert!(after(1.1) < 0.9 * LIMIT && after(2.0) > 0.6 * LIMIT, "{}", after(1.1));
    }

    #[test]
    fn where_costs_differ_the_allowed_debt_is_that_of_the_expensive_requests() {
        let mut level = begun();
        level.forget();
        (0..500).for_each(|_| [1.0, 1.0, 1.0, 97.0].into_iter().for_each(|c| level.count(c)));
        let depth = level.depth();
        assert!((4_500.0..4_900.0).contains(&depth), "{depth}");
    }

    #[test]
    fn an_overload_begins_without_debts_at_the_level_of_the_last() {
        let mut level = begun();
        level.advance(0.9, at(800));
        level.note_refusal();
        let known = level.level;
        let mark = level.charged(level.full_mark(), 50.0);
        (9..30).for_each(|tick| level.advance(0.1, at(100 * tick)));
        level.begin(LIMIT, at(60_000));
        assert_eq!((level.level, level.allows(mark, 2.0)), (known, true));
    }
}
