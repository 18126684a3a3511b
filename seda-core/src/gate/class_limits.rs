//! Limits by class on an amount, of requests or of their costs.

use crate::config::{Class, PerClass};
use crate::platform::sync::{AtomicU64, Ordering};

/// The value of a limit that does not limit.
pub(crate) const UNLIMITED: u64 = u64::MAX;

/// The amount inside by class, and the limits on it; unlimited at first.
///
/// The counters order nothing else, so all accesses are relaxed.
#[derive(Debug)]
pub(super) struct ClassLimiter {
    inside: AtomicU64,
    /// The amount inside, by class.
    by_class: PerClass<AtomicU64>,
    limits: PerClass<AtomicU64>,
    /// The amount of a class that is admitted regardless of the other classes.
    guaranteed: PerClass<AtomicU64>,
    /// The amount inside that can be answered in time.
    in_time: PerClass<AtomicU64>,
}

/// Tenants below the water level may fill this multiple of the limit, if it is in time. With a
/// limit of ten requests forty more absorb the bursts of a load that is just below the capacity.
const MOST_OVER_LIMIT: u64 = 5;

impl Default for ClassLimiter {
    fn default() -> Self {
        Self {
            inside: AtomicU64::new(0),
            by_class: PerClass::default(),
            limits: PerClass::from_fn(|_| AtomicU64::new(UNLIMITED)),
            guaranteed: PerClass::default(),
            in_time: PerClass::from_fn(|_| AtomicU64::new(UNLIMITED)),
        }
    }
}

impl ClassLimiter {
    /// Adds `amount` if its class has room, where `done` of the amount inside does not count.
    /// Returns whether it did.
    pub(super) fn enter(&self, class: Class, amount: u64, done: u64) -> bool {
        self.enter_up_to(self.limit(class), class, amount, done)
    }

    /// As [`ClassLimiter::enter`], for a tenant below the water level.
    pub(super) fn enter_below_level(&self, class: Class, amount: u64, done: u64) -> bool {
        let limit = self.room(class).map_or(UNLIMITED, |room| room.most);
        self.enter_up_to(limit, class, amount, done)
    }

    fn enter_up_to(&self, limit: u64, class: Class, amount: u64, done: u64) -> bool {
        let entered = if limit == UNLIMITED || self.is_guaranteed(class, amount) {
            self.inside.fetch_add(amount, Ordering::Relaxed);
            true
        } else {
            let more = |inside: u64| {
                fits(inside, amount, done, limit).then(|| inside.saturating_add(amount))
            };
            self.inside.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
        };
        if entered {
            self.by_class[class].fetch_add(amount, Ordering::Relaxed);
        }
        entered
    }

    /// Returns how much of the room of a class is filled, where `done` of the amount inside does
    /// not count: 0 if it is empty, 1 at the target, 2 if only tenants below the water level fill
    /// the rest, too. A class within its guarantee has room whatever else is inside. `None` without
    /// a limit.
    pub(super) fn fill(&self, class: Class, done: u64) -> Option<f64> {
        let room = self.room(class)?;
        let of_room = room.fill(self.inside().saturating_sub(done));
        let guaranteed = load(&self.guaranteed[class]);
        // The guarantee has the same target as the limit, in proportion.
        let part = room.target as f64 / self.limit(class).max(1) as f64;
        let guarantee = Room { target: (guaranteed as f64 * part) as u64, most: guaranteed };
        let own = load(&self.by_class[class]).saturating_sub(done);
        let is_guaranteed = own < guaranteed;
        Some(if is_guaranteed { of_room.min(guarantee.fill(own)) } else { of_room })
    }

    /// Returns the room of a class if tenants share it; `None` without a limit.
    ///
    /// The target is the limit: the amount that a standing overload may fill. Tenants below the
    /// water level together ask for less than the capacity, so they exceed the target for moments
    /// only, and may fill what is in time. If that is no more than the limit, the target is half of
    /// it. So it is for a class with a lower limit than the highest, because the rest is free for
    /// the higher classes.
    fn room(&self, class: Class) -> Option<Room> {
        let limit = self.limit(class);
        if limit == UNLIMITED {
            return None;
        }
        let is_held_back = limit < self.limit(Class::HIGHEST);
        let in_time = if is_held_back { limit } else { load(&self.in_time[class]).max(limit) };
        let most = in_time.min(limit.saturating_mul(MOST_OVER_LIMIT)).min(UNLIMITED - 1);
        Some(Room { target: limit.min(most / 2), most })
    }

    /// Returns whether [`ClassLimiter::enter`] would succeed now.
    pub(super) fn has_room(&self, class: Class, amount: u64, done: u64) -> bool {
        self.has_room_up_to(self.limit(class), class, amount, done)
    }

    /// Returns whether [`ClassLimiter::enter_below_level`] would succeed now.
    pub(super) fn has_room_below_level(&self, class: Class, amount: u64, done: u64) -> bool {
        let limit = self.room(class).map_or(UNLIMITED, |room| room.most);
        self.has_room_up_to(limit, class, amount, done)
    }

    fn has_room_up_to(&self, limit: u64, class: Class, amount: u64, done: u64) -> bool {
        limit == UNLIMITED
            || self.is_guaranteed(class, amount)
            || fits(self.inside(), amount, done, limit)
    }

    /// Returns whether `amount` of a class would fit if no lower class were inside.
    pub(super) fn fits_above(&self, class: Class, amount: u64) -> bool {
        let above = self.by_class.by_class().take_while(|(other, _)| !other.is_lower_than(class));
        let inside: u64 = above.map(|(_, inside)| load(inside)).sum();
        inside.saturating_add(amount) <= self.limit(class)
    }

    /// Returns whether the class stays within its guarantee with `amount` more. Two requests at the
    /// same time may both enter.
    fn is_guaranteed(&self, class: Class, amount: u64) -> bool {
        load(&self.by_class[class]).saturating_add(amount) <= load(&self.guaranteed[class])
    }

    /// Adds `amount` regardless of the limit.
    pub(super) fn enter_anyway(&self, class: Class, amount: u64) {
        self.inside.fetch_add(amount, Ordering::Relaxed);
        self.by_class[class].fetch_add(amount, Ordering::Relaxed);
    }

    /// Removes `amount`, which has entered.
    pub(super) fn leave(&self, class: Class, amount: u64) {
        for count in [&self.inside, &self.by_class[class]] {
            let before = count.fetch_sub(amount, Ordering::Relaxed);
            debug_assert!(amount <= before, "{amount} leaves where {before} entered");
        }
    }

    /// Returns whether a class exceeds its guarantee.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        load(&self.by_class[class]) > load(&self.guaranteed[class])
    }

    pub(super) fn inside(&self) -> u64 {
        load(&self.inside)
    }

    pub(super) fn limit(&self, class: Class) -> u64 {
        load(&self.limits[class])
    }

    /// Returns the amount of a class that is admitted regardless of the other classes.
    pub(super) fn guaranteed(&self, class: Class) -> u64 {
        load(&self.guaranteed[class])
    }

    /// Returns the lowest limit of all classes.
    pub(super) fn lowest_limit(&self) -> u64 {
        self.limits.iter().map(load).min().unwrap_or(UNLIMITED)
    }

    /// Sets the limits, the guarantees and the amounts in time, live.
    pub(super) fn set_limits(&self, limits: &Limits) {
        let set = |all: &PerClass<AtomicU64>, to: &PerClass<u64>| {
            all.iter().zip(to).for_each(|(one, to)| one.store(*to, Ordering::Relaxed));
        };
        set(&self.limits, &limits.most);
        set(&self.guaranteed, &limits.guaranteed);
        set(&self.in_time, &limits.in_time);
    }
}

/// The room of a class if tenants share it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Room {
    /// The amount that all tenants together fill in a standing overload.
    target: u64,
    /// The amount that tenants below the water level may fill.
    most: u64,
}

impl Room {
    fn fill(self, inside: u64) -> f64 {
        if inside <= self.target {
            inside as f64 / self.target.max(1) as f64
        } else {
            1.0 + (inside - self.target) as f64 / (self.most - self.target).max(1) as f64
        }
    }
}

/// Returns whether `inside + amount − done <= limit`. An empty gate admits any single amount,
/// because an amount above the limit would never fit.
fn fits(inside: u64, amount: u64, done: u64, limit: u64) -> bool {
    inside.saturating_add(amount).saturating_sub(done) <= limit || inside == 0 && limit > 0
}

fn load(amount: &AtomicU64) -> u64 {
    amount.load(Ordering::Relaxed)
}

/// Limits and guarantees, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) most: PerClass<u64>,
    pub(crate) guaranteed: PerClass<u64>,
    /// The amount that can be answered in time; it bounds the tenants below the water level.
    pub(crate) in_time: PerClass<u64>,
}

impl Limits {
    pub(crate) const NONE: Self = Self {
        most: PerClass::splat(UNLIMITED),
        guaranteed: PerClass::splat(0),
        in_time: PerClass::splat(UNLIMITED),
    };

    /// Limits that guarantee each class its share of the limit that it would have `alone`.
    ///
    /// The class gets the same share of the takes, so its guaranteed amount is served within the
    /// time that the limit stands for. No class starves, and a higher class keeps its own share. A
    /// class without a limit gets its share of the highest limit.
    pub(crate) fn shared(most: PerClass<u64>, alone: PerClass<u64>, shares: &[u32]) -> Self {
        let all: u64 = shares.iter().map(|share| u64::from(*share)).sum();
        let limited = alone.iter().take(shares.len()).filter(|alone| **alone < UNLIMITED);
        let highest = limited.max().copied().unwrap_or(UNLIMITED);
        let mut guaranteed = PerClass::splat(0);
        for ((guaranteed, share), alone) in guaranteed.iter_mut().zip(shares).zip(alone) {
            let part = u128::from(alone.min(highest)) * u128::from(*share) / u128::from(all.max(1));
            *guaranteed = u64::try_from(part).unwrap_or(UNLIMITED).max(1);
        }
        Self { most, guaranteed, in_time: PerClass::splat(UNLIMITED) }
    }

    /// Limits where each class would have the same limit alone.
    #[cfg(test)]
    pub(crate) fn of(most: PerClass<u64>, shares: &[u32]) -> Self {
        Self::shared(most, most, shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOLD: Class = Class::new(0);
    const BASIC: Class = Class::new(1);

    fn limiter() -> ClassLimiter {
        let limiter = ClassLimiter::default();
        limiter.set_limits(&Limits::of(PerClass::splat(100), &[1]));
        limiter
    }

    fn guaranteed(most: PerClass<u64>, shares: &[u32]) -> [u64; 3] {
        [0, 1, 2].map(|class| Limits::of(most, shares).guaranteed[Class::new(class)])
    }

    #[test]
    fn an_amount_that_does_not_fit_stays_out_and_a_smaller_one_enters() {
        let limiter = limiter();
        assert!(limiter.enter(GOLD, 60, 0));
        assert!(!limiter.enter(GOLD, 41, 0));
        assert!(limiter.enter(GOLD, 40, 0));
        assert_eq!(limiter.inside(), 100);
        limiter.leave(GOLD, 60);
        assert_eq!(limiter.inside(), 40);
    }

    #[test]
    fn an_amount_above_the_limit_enters_alone() {
        let limiter = limiter();
        assert!(limiter.enter(GOLD, 500, 0));
        assert!(!limiter.enter(GOLD, 1, 0));
        limiter.leave(GOLD, 500);
        assert!(limiter.enter(GOLD, 1, 0));
        assert!(!limiter.enter(GOLD, 500, 0));
    }

    #[test]
    fn work_that_is_done_makes_room_before_it_leaves() {
        let limiter = limiter();
        assert!(limiter.enter(GOLD, 100, 0));
        assert!(!limiter.enter(GOLD, 41, 40));
        assert!(limiter.enter(GOLD, 40, 40));
        assert_eq!(limiter.inside(), 140);
    }

    #[test]
    fn no_class_is_guaranteed_more_than_its_share_of_its_own_limit() {
        let mut most = PerClass::splat(UNLIMITED);
        (most[GOLD], most[BASIC]) = (80, 800);
        assert_eq!(guaranteed(most, &[4, 1]), [64, 160, 0]);
        most[BASIC] = UNLIMITED;
        assert_eq!(guaranteed(most, &[4, 1]), [64, 16, 0]);
        most[GOLD] = 1;
        assert_eq!(guaranteed(most, &[4, 1]), [1, 1, 0]);
    }

    #[test]
    fn a_class_has_its_share_regardless_of_the_others() {
        let limits = Limits::of(PerClass::splat(100), &[4, 1]);
        assert_eq!(guaranteed(limits.most, &[4, 1]), [80, 20, 0]);
        let limiter = ClassLimiter::default();
        limiter.set_limits(&limits);
        assert!(limiter.enter(GOLD, 100, 0));
        assert!(!limiter.enter(BASIC, 21, 0));
        assert!(limiter.enter(BASIC, 20, 0));
        assert!(!limiter.enter(BASIC, 1, 0));
        assert!(!limiter.exceeds_guarantee(BASIC) && limiter.exceeds_guarantee(GOLD));
    }
}
