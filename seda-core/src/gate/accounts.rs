//! The accounts of tenants: a table of bounded size.

use crate::config::Class;
use crate::platform::Time;
use crate::platform::rng::mix;
use crate::platform::sync::Mutex;
use std::time::Duration;

/// The accounts that a hash chooses among. With half of the table in use, one set in four hundred
/// has more tenants than accounts.
const WAYS: usize = 8;
/// Sets under one lock.
const SETS: usize = 120;
/// A power of two. All accounts together take 64 × 120 × 8 × 32 bytes = 1.9 MiB.
const SHARDS: usize = 64;
/// The time over which the rate of a tenant is smoothed. It bridges the pauses of a tenant with a
/// request per second, and follows a change while an operator watches.
const SMOOTHED: f64 = 10.0;
/// An account with several requests is kept for this time, even if its place is needed: unknown
/// keys must not displace the tenants that are served.
const KEPT: Duration = Duration::from_secs(60);

/// A class at a gate. Each has accounts of its own, because another stage has another level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) stage: u16,
    pub(super) class: Class,
}

/// A moment in milliseconds. It wraps after 49 days; an account that was not used for so long has
/// an arbitrary age.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Millis(u32);

/// The requests of a tenant in the last seconds, each counted with a weight that decays with its
/// age.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Traffic {
    offered: f32,
    refused: f32,
    last: Millis,
}

/// The account of a tenant in a class at a gate.
#[derive(Clone, Copy, Debug)]
struct Account {
    key: u64,
    /// The mark of its debt at the water level.
    mark: f64,
    traffic: Traffic,
    stage: u16,
    class: Class,
    /// Whether it had more than one request.
    returned: bool,
}

/// The traffic of a tenant now.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct TenantRate {
    /// Requests per second that it sends to one gate.
    pub(crate) offered_per_second: f64,
    /// The share of them that is refused, 0 to 1.
    pub(crate) refused_share: f64,
}

/// The accounts under one lock; `None` is free.
type Shard = Box<[Option<Account>]>;

/// The accounts of all tenants of a graph. A shard is allocated with its first account.
#[derive(Debug)]
pub(super) struct Accounts {
    salt: u64,
    shards: Box<[Mutex<Shard>]>,
}

impl Accounts {
    /// The empty table. `salt` keeps clients from choosing keys that displace a certain tenant.
    pub(super) fn new(salt: u64) -> Self {
        Self { salt, shards: (0..SHARDS).map(|_| Mutex::default()).collect() }
    }

    /// Returns the mark of a tenant; `None` if it has no account.
    pub(super) fn mark(&self, place: Place, key: u64) -> Option<f64> {
        self.with_set(place, key, |set| find(set, place, key).map(|account| account.mark))
    }

    /// Counts an admitted request, and sets the tenant's mark to the one that `charged` makes of
    /// the old one. A tenant without an account gets one with the mark `charged(None)`, if there is
    /// a place.
    pub(super) fn admit(
        &self,
        place: Place,
        key: u64,
        now: Time,
        charged: impl FnOnce(Option<f64>) -> f64,
    ) {
        self.with_set(place, key, |set| {
            if let Some(account) = find(set, place, key) {
                account.mark = charged(Some(account.mark));
                account.returned = true;
                account.traffic.count(false, now);
            } else if let Some(free) = replaceable(set, Millis::of(now)) {
                let mut traffic = Traffic::default();
                traffic.count(false, now);
                let Place { stage, class } = place;
                let mark = charged(None);
                *free = Some(Account { key, mark, traffic, stage, class, returned: false });
            }
        });
    }

    /// Counts a refused request; returns false if the tenant has no account.
    pub(super) fn refuse(&self, place: Place, key: u64, now: Time) -> bool {
        self.with_set(place, key, |set| {
            let account = find(set, place, key);
            account.map(|account| account.traffic.count(true, now)).is_some()
        })
    }

    /// Returns the `most` tenants with the highest rates, the highest first. A tenant at several
    /// gates counts with its highest rate.
    pub(super) fn heaviest(&self, most: usize, now: Time) -> Vec<(u64, TenantRate)> {
        let mut heaviest: Vec<(u64, TenantRate)> = Vec::with_capacity(most + 1);
        for shard in &self.shards {
            for account in shard.lock().iter().flatten() {
                let rate = account.traffic.rate(now);
                match heaviest.iter().position(|(key, _)| *key == account.key) {
                    Some(same) => {
                        let higher = |other: &(u64, TenantRate)| {
                            other.1.offered_per_second < rate.offered_per_second
                        };
                        if heaviest.get(same).is_some_and(higher) {
                            heaviest.remove(same);
                            insert(&mut heaviest, (account.key, rate));
                        }
                    }
                    None => insert(&mut heaviest, (account.key, rate)),
                }
                heaviest.truncate(most);
            }
        }
        heaviest
    }

    /// Calls `act` with the accounts that a tenant may have, under their lock.
    fn with_set<R>(
        &self,
        place: Place,
        key: u64,
        act: impl FnOnce(&mut [Option<Account>]) -> R,
    ) -> R {
        let class = place.class.index() as u64;
        let hash = mix(mix(key ^ self.salt) ^ ((u64::from(place.stage) << 8) | class));
        let shard = (hash >> 32) as usize % SHARDS;
        let set = (((hash & u64::from(u32::MAX)) * SETS as u64) >> 32) as usize;
        let Some(shard) = self.shards.get(shard) else {
            debug_assert!(false, "the number of a shard is below their number");
            return act(&mut []);
        };
        let mut shard = shard.lock();
        if shard.is_empty() {
            *shard = vec![None; SETS * WAYS].into();
        }
        act(shard.get_mut(set * WAYS..(set + 1) * WAYS).unwrap_or_default())
    }
}

fn find(set: &mut [Option<Account>], place: Place, key: u64) -> Option<&mut Account> {
    let Place { stage, class } = place;
    let mut accounts = set.iter_mut().flatten();
    accounts.find(|account| account.key == key && account.stage == stage && account.class == class)
}

/// Returns a place for a new account: a free one, else that of the tenant that had one request
/// only, the longest ago, else of the one that was not seen for the longest time. `None` if all
/// tenants returned lately.
fn replaceable(set: &mut [Option<Account>], now: Millis) -> Option<&mut Option<Account>> {
    let oldest = set.iter_mut().max_by_key(|place| match place {
        None => (2, 0),
        Some(account) => (u8::from(!account.returned), account.traffic.last.until(now)),
    })?;
    let kept = |account: &Account| {
        account.returned && u128::from(account.traffic.last.until(now)) < KEPT.as_millis()
    };
    if oldest.as_ref().is_some_and(kept) { None } else { Some(oldest) }
}

/// Inserts a tenant into a list with falling rates.
fn insert(heaviest: &mut Vec<(u64, TenantRate)>, new: (u64, TenantRate)) {
    let higher =
        |(_, rate): &(u64, TenantRate)| rate.offered_per_second >= new.1.offered_per_second;
    heaviest.insert(heaviest.partition_point(higher), new);
}

impl Traffic {
    /// Counts a request.
    pub(super) fn count(&mut self, is_refused: bool, now: Time) {
        let now = Millis::of(now);
        let kept = self.last.decay_until(now);
        self.offered = self.offered * kept + 1.0;
        self.refused = self.refused * kept + f32::from(u8::from(is_refused));
        self.last = now;
    }

    pub(super) fn rate(&self, now: Time) -> TenantRate {
        let offered = f64::from(self.offered * self.last.decay_until(Millis::of(now)));
        TenantRate {
            offered_per_second: offered / SMOOTHED,
            refused_share: f64::from(self.refused / self.offered.max(f32::MIN_POSITIVE)),
        }
    }
}

impl Millis {
    fn of(time: Time) -> Self {
        // Wraps.
        Self((time.as_nanos() / 1_000_000) as u32)
    }

    fn until(self, now: Self) -> u32 {
        now.0.wrapping_sub(self.0)
    }

    /// Returns the part that is left of a count.
    fn decay_until(self, now: Self) -> f32 {
        match self.until(now) {
            0 => 1.0,
            passed => (-f64::from(passed) / 1e3 / SMOOTHED).exp() as f32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORK: Place = Place { stage: 1, class: Class::HIGHEST };

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    fn admit(accounts: &Accounts, key: u64, now: Time) {
        accounts.admit(WORK, key, now, |mark| mark.unwrap_or(0.0) + 1.0);
    }

    #[test]
    fn the_whole_table_takes_less_than_two_mebibytes() {
        assert_eq!(size_of::<Option<Account>>(), 32);
        assert!(size_of::<Option<Account>>() * SHARDS * SETS * WAYS < 2 << 20);
    }

    #[test]
    fn ten_thousand_tenants_have_an_account_each_and_one_per_place() {
        let accounts = Accounts::new(0);
        (0..10_000).for_each(|key| admit(&accounts, key, at(1)));
        (0..10_000).filter(|key| key % 3 == 0).for_each(|key| admit(&accounts, key, at(2)));
        let marks: f64 = (0..10_000).filter_map(|key| accounts.mark(WORK, key)).sum();
        assert_eq!(marks, 13_334.0);
        assert_eq!(accounts.mark(Place { stage: 2, class: Class::HIGHEST }, 3), None);
        assert_eq!(accounts.mark(Place { stage: 1, class: Class::new(1) }, 3), None);
    }

    #[test]
    fn a_million_new_keys_displace_no_tenant_that_returned() {
        let accounts = Accounts::new(7);
        (0..2_000).for_each(|key| {
            admit(&accounts, key, at(1));
            admit(&accounts, key, at(2));
        });
        (1_000_000..2_000_000).for_each(|key| admit(&accounts, key, at(3)));
        assert!((0..2_000).all(|key| accounts.mark(WORK, key) == Some(2.0)));
    }

    #[test]
    fn a_tenant_that_stays_away_makes_room_for_another() {
        let accounts = Accounts::new(7);
        let returned = |key, seconds| {
            admit(&accounts, key, at(seconds));
            admit(&accounts, key, at(seconds));
        };
        (0..200_000).for_each(|key| returned(key, 1));
        let known = |key: u64| accounts.mark(WORK, key).is_some();
        let before = (0..200_000).filter(|key| known(*key)).count();
        assert!(before > 61_000, "the table is full: {before}");
        (200_000..300_000).for_each(|key| returned(key, 30));
        let new = (200_000..300_000).filter(|key| known(*key)).count();
        assert_eq!(before + new, SHARDS * SETS * WAYS, "only a free place is taken");
        (200_000..300_000).for_each(|key| returned(key, 62));
        assert!((200_000..300_000).filter(|key| known(*key)).count() > 55_000);
    }

    #[test]
    fn the_heaviest_are_the_tenants_with_the_highest_rates_at_one_gate() {
        let accounts = Accounts::new(0);
        let other = Place { stage: 2, ..WORK };
        for second in 0..100 {
            for key in 1..=9 {
                (0..key).for_each(|_| admit(&accounts, key, at(second)));
            }
            (0..20).for_each(|_| accounts.admit(other, 3, at(second), |_| 0.0));
            assert!(accounts.refuse(WORK, 9, at(second)));
            assert!(!accounts.refuse(WORK, 10, at(second)));
        }
        let heaviest = accounts.heaviest(3, at(99));
        let rounded = |(key, rate): &(u64, TenantRate)| {
            (*key, rate.offered_per_second.round(), (rate.refused_share * 10.0).round())
        };
        let rounded: Vec<_> = heaviest.iter().map(rounded).collect();
        assert_eq!(rounded, [(3, 21.0, 0.0), (9, 11.0, 1.0), (8, 8.0, 0.0)]);
        let later = accounts.heaviest(1, at(109))[0].1.offered_per_second;
        assert!((7.0..8.0).contains(&later), "{later}");
    }
}
