//! How much of something is inside, and how much may be.

use crate::config::{Class, MAX_CLASSES, PerClass};
use crate::platform::sync::{AtomicU64, Ordering};

/// No limit.
pub(crate) const UNLIMITED: u64 = u64::MAX;

/// Amounts inside, by class, and their limits. Unlimited until limits are set. Nothing else is
/// ordered by these counters.
#[derive(Debug)]
pub(super) struct ClassLimiter {
    inside: AtomicU64,
    /// Of it, by class.
    by_class: PerClass<AtomicU64>,
    limits: PerClass<AtomicU64>,
    /// How much of a class may be, whoever else is there.
    guaranteed: PerClass<AtomicU64>,
}

impl Default for ClassLimiter {
    fn default() -> Self {
        Self {
            inside: AtomicU64::new(0),
            by_class: PerClass::default(),
            limits: std::array::from_fn(|_| AtomicU64::new(UNLIMITED)),
            guaranteed: PerClass::default(),
        }
    }
}

impl ClassLimiter {
    /// So much more, if there is room for its class, when of what is inside `done` does not count.
    pub(super) fn enter(&self, class: Class, amount: u64, done: u64) -> bool {
        let limit = self.limit(class);
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
            self.count(class, amount);
        }
        entered
    }

    /// Whether so much more would be let in now, when of what is inside `done` does not count.
    pub(super) fn has_room(&self, class: Class, amount: u64, done: u64) -> bool {
        let limit = self.limit(class);
        limit == UNLIMITED
            || self.is_guaranteed(class, amount)
            || fits(self.inside(), amount, done, limit)
    }

    /// Whether so much more of a class would fit if no lower class were there.
    pub(super) fn fits_above(&self, class: Class, amount: u64) -> bool {
        let above = self.by_class.iter().take(class.index() + 1);
        let inside: u64 = above.map(|here| here.load(Ordering::Relaxed)).sum();
        inside.saturating_add(amount) <= self.limit(class)
    }

    /// Whether with so much more a class has no more than it is guaranteed; two who ask at once may
    /// both come.
    fn is_guaranteed(&self, class: Class, amount: u64) -> bool {
        of(&self.by_class, class, 0).saturating_add(amount) <= of(&self.guaranteed, class, 0)
    }

    pub(super) fn enter_anyway(&self, class: Class, amount: u64) {
        self.inside.fetch_add(amount, Ordering::Relaxed);
        self.count(class, amount);
    }

    fn count(&self, class: Class, amount: u64) {
        if let Some(here) = self.by_class.get(class.index()) {
            here.fetch_add(amount, Ordering::Relaxed);
        }
    }

    pub(super) fn leave(&self, class: Class, amount: u64) {
        self.inside.fetch_sub(amount, Ordering::Relaxed);
        if let Some(here) = self.by_class.get(class.index()) {
            here.fetch_sub(amount, Ordering::Relaxed);
        }
    }

    /// Whether there is more of a class than it is guaranteed.
    pub(super) fn exceeds_guarantee(&self, class: Class) -> bool {
        of(&self.by_class, class, 0) > of(&self.guaranteed, class, 0)
    }

    pub(super) fn inside(&self) -> u64 {
        self.inside.load(Ordering::Relaxed)
    }

    pub(super) fn limit(&self, class: Class) -> u64 {
        of(&self.limits, class, UNLIMITED)
    }

    /// Sets how much may be inside, and how much of a class whoever else is there.
    pub(super) fn set_limits(&self, limits: &Limits) {
        let set = |all: &PerClass<AtomicU64>, to: &[u64; MAX_CLASSES]| {
            all.iter().zip(to).for_each(|(one, to)| one.store(*to, Ordering::Relaxed));
        };
        set(&self.limits, &limits.most);
        set(&self.guaranteed, &limits.guaranteed);
    }
}

/// Whether so much more is within the limit when `done` of what is inside does not count; whatever
/// finds nothing inside is, as it would never find more room.
fn fits(inside: u64, amount: u64, done: u64, limit: u64) -> bool {
    inside.saturating_add(amount).saturating_sub(done) <= limit || inside == 0 && limit > 0
}

fn of(amounts: &PerClass<AtomicU64>, class: Class, else_it_is: u64) -> u64 {
    amounts.get(class.index()).map_or(else_it_is, |amount| amount.load(Ordering::Relaxed))
}

/// Limits, by class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) most: [u64; MAX_CLASSES],
    pub(crate) guaranteed: [u64; MAX_CLASSES],
}

impl Limits {
    pub(crate) const NONE: Self =
        Self { most: [UNLIMITED; MAX_CLASSES], guaranteed: [0; MAX_CLASSES] };

    /// With these limits each class is guaranteed its share of what it might have if it were alone,
    /// as it has its share of the takes: what is guaranteed is served in the time that this stands
    /// for. So no class starves, and a higher one has no less than what it is entitled to. A class
    /// without a limit is entitled to its share of the highest there is.
    pub(crate) fn shared(
        most: [u64; MAX_CLASSES],
        alone: [u64; MAX_CLASSES],
        shares: &[u32],
    ) -> Self {
        let all: u64 = shares.iter().map(|share| u64::from(*share)).sum();
        let limited = alone.iter().take(shares.len()).filter(|alone| **alone < UNLIMITED);
        let highest = limited.max().copied().unwrap_or(UNLIMITED);
        let mut guaranteed = [0; MAX_CLASSES];
        for ((guaranteed, share), alone) in guaranteed.iter_mut().zip(shares).zip(alone) {
            let part = u128::from(alone.min(highest)) * u128::from(*share) / u128::from(all.max(1));
            *guaranteed = u64::try_from(part).unwrap_or(UNLIMITED).max(1);
        }
        Self { most, guaranteed }
    }

    /// The same, each class having what it might have alone.
    #[cfg(test)]
    pub(crate) fn of(most: [u64; MAX_CLASSES], shares: &[u32]) -> Self {
        Self::shared(most, most, shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONLY: Class = Class::new(0);

    #[test]
    fn what_does_not_fit_stays_out_and_less_of_it_comes_in() {
        let allowance = ClassLimiter::default();
        allowance.set_limits(&Limits::of([100; MAX_CLASSES], &[1]));
        assert!(allowance.enter(ONLY, 60, 0));
        assert!(!allowance.enter(ONLY, 41, 0));
        assert!(allowance.enter(ONLY, 40, 0));
        assert_eq!(allowance.inside(), 100);
        allowance.leave(ONLY, 60);
        assert_eq!(allowance.inside(), 40);
    }

    #[test]
    fn what_is_larger_than_the_limit_comes_in_alone() {
        let allowance = ClassLimiter::default();
        allowance.set_limits(&Limits::of([100; MAX_CLASSES], &[1]));
        assert!(allowance.enter(ONLY, 500, 0));
        assert!(!allowance.enter(ONLY, 1, 0));
        allowance.leave(ONLY, 500);
        assert!(allowance.enter(ONLY, 1, 0));
        assert!(!allowance.enter(ONLY, 500, 0));
    }

    #[test]
    fn what_is_done_makes_room_before_it_leaves() {
        let allowance = ClassLimiter::default();
        allowance.set_limits(&Limits::of([100; MAX_CLASSES], &[1]));
        assert!(allowance.enter(ONLY, 100, 0));
        assert!(!allowance.enter(ONLY, 41, 40));
        assert!(allowance.enter(ONLY, 40, 40));
        assert_eq!(allowance.inside(), 140);
    }

    #[test]
    fn no_class_is_guaranteed_more_than_its_share_of_its_own_limit() {
        let mut most = [UNLIMITED; MAX_CLASSES];
        (most[0], most[1]) = (80, 800);
        assert_eq!(Limits::of(most, &[4, 1]).guaranteed[..3], [64, 160, 0]);
        most[1] = UNLIMITED;
        assert_eq!(Limits::of(most, &[4, 1]).guaranteed[..3], [64, 16, 0]);
        most[0] = 1;
        assert_eq!(Limits::of(most, &[4, 1]).guaranteed[..3], [1, 1, 0]);
    }

    #[test]
    fn a_class_has_its_share_whoever_else_is_there() {
        let limits = Limits::of([100; MAX_CLASSES], &[4, 1]);
        assert_eq!(limits.guaranteed[..3], [80, 20, 0]);
        let (allowance, basic) = (ClassLimiter::default(), Class::new(1));
        allowance.set_limits(&limits);
        assert!(allowance.enter(ONLY, 100, 0));
        assert!(!allowance.enter(basic, 21, 0));
        assert!(allowance.enter(basic, 20, 0));
        assert!(!allowance.enter(basic, 1, 0));
        assert!(!allowance.exceeds_guarantee(basic) && allowance.exceeds_guarantee(ONLY));
    }
}
