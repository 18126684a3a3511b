//! Fairness among tenants: under overload each tenant of a class gets its max-min fair share.

use crate::config::PerClass;
use crate::gate::accounts::{Accounts, Place, TenantRate, Traffic};
use crate::gate::cost::CostUnit;
use crate::gate::entry_gate::Fill;
use crate::gate::gate_charge::GateCharge;
use crate::gate::water_level::WaterLevel;
use crate::platform::Time;
use crate::platform::sync::{AtomicBool, AtomicU64, Mutex, OnceLock, Ordering};
use std::time::Duration;

/// A gate is no longer contended after this time without a refusal.
const OPEN_AFTER: Duration = Duration::from_secs(1);
/// For this time after the first request with a key every tenant is new, and new keys are admitted
/// like tenants without a debt. A tenant with a request in ten seconds is known afterwards.
const LEARNING: Duration = Duration::from_secs(30);

/// The tenants of all gates of a graph.
///
/// While a gate refuses no request, only the keys that come are noted. From its first refusal on it
/// is *contended*: a [`WaterLevel`] for each class then decides which requests find room. The gate
/// bounds all of them together as ever.
///
/// A key without an account is *new*. All new keys together are one tenant of the contended gate,
/// so a new key with each request gains nothing. A key gets its account with its first admitted
/// request, so a tenant that was seen before the overload is never new.
#[derive(Debug)]
pub(crate) struct Tenants {
    /// Whether a request had a tenant. Until then no request pays for any of this.
    in_use: AtomicBool,
    /// The time of the first request with a tenant, in nanoseconds; `u64::MAX` before it.
    began: AtomicU64,
    /// The time of the last decision, in nanoseconds.
    latest: AtomicU64,
    salt: AtomicU64,
    accounts: OnceLock<Accounts>,
    /// By gate.
    gates: Box<[OnceLock<Box<PerClass<Share>>>]>,
}

/// A class at a gate.
#[derive(Debug, Default)]
struct Share {
    contended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    level: WaterLevel,
    /// Whether the gate became contended since the last request.
    begins: bool,
    /// The unit of costs that the level is in; `None` for requests.
    unit: Option<CostUnit>,
    last_refusal: Time,
    /// The tenant of all requests without a key.
    keyless: GroupAccount,
    /// The tenant of all new keys.
    new_keys: GroupAccount,
}

/// The account of a group of requests, which is never forgotten.
#[derive(Debug, Default)]
struct GroupAccount {
    mark: f64,
    traffic: Traffic,
}

/// The part of a tenant in the decision about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The gate decides alone.
    Uncontended,
    /// The tenant is below the water level: it may use the places that the limit leaves free for
    /// such tenants.
    Below,
    /// The tenant has had its share.
    Above,
}

/// When a gate is asked about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// The request enters, unless it is refused.
    AtEntry,
    /// The request may enter later, and be judged again.
    Before,
}

/// A tenant in the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TenantName {
    Key(u64),
    /// The requests without a key.
    Keyless,
    /// The requests with a new key.
    New,
}

impl Tenants {
    /// No tenants yet, at a number of gates.
    pub(super) fn new(gates: usize) -> Self {
        Self {
            in_use: AtomicBool::new(false),
            began: AtomicU64::new(u64::MAX),
            latest: AtomicU64::new(0),
            salt: AtomicU64::new(0),
            accounts: OnceLock::new(),
            gates: (0..gates).map(|_| OnceLock::new()).collect(),
        }
    }

    /// Sets the salt of the table; to be called before the first request.
    pub(super) fn set_salt(&self, salt: u64) {
        self.salt.store(salt, Ordering::Relaxed);
    }

    /// Decides whether the tenant of a request may use the gate of `stage`, and charges nothing.
    /// `fill` is asked only if that matters. The cost joins the means of the level at the entry, so
    /// that no request counts twice.
    pub(super) fn judge(
        &self,
        stage: usize,
        charge: &GateCharge,
        asked: Asked,
        fill: impl FnOnce() -> Option<Fill>,
        now: impl Fn() -> Time,
    ) -> Verdict {
        let Some((share, place)) = self.share_of(stage, charge, &now) else {
            return Verdict::Uncontended;
        };
        if !share.contended.load(Ordering::Relaxed) {
            return Verdict::Uncontended;
        }
        let Some(fill) = fill() else { return Verdict::Uncontended };
        let now = self.note_time(now());
        let mut state = share.state.lock();
        if !state.is_contended(fill, now) {
            share.contended.store(false, Ordering::Relaxed);
            return Verdict::Uncontended;
        }
        if asked == Asked::AtEntry || state.level.knows_no_cost() {
            state.level.count(fill.amount);
        }
        state.level.advance(fill.ratio, now);
        let known = charge.tenant.map(|key| self.accounts().mark(place, key));
        let mark = match known {
            None => state.keyless.mark,
            Some(Some(mark)) => mark,
            Some(None) if self.is_learning(now) => 0.0,
            Some(None) => state.new_keys.mark,
        };
        // Workers would be idle behind an empty gate.
        if fill.ratio <= 0.0 || state.level.allows(mark, fill.ratio) {
            Verdict::Below
        } else {
            state.level.note_refusal();
            Verdict::Above
        }
    }

    /// Charges a request that the gate of `stage` has admitted to its tenant. `amount` is its cost
    /// in the unit of the gate's limit.
    pub(super) fn admit(
        &self,
        stage: usize,
        charge: &GateCharge,
        amount: f64,
        now: impl Fn() -> Time,
    ) {
        let Some((share, place)) = self.share_of(stage, charge, &now) else { return };
        let now = self.note_time(now());
        let contended = share.contended.load(Ordering::Relaxed);
        match charge.tenant {
            None => {
                let mut state = share.state.lock();
                state.keyless.traffic.count(false, now);
                if contended {
                    state.keyless.mark = state.level.charged(state.keyless.mark, amount);
                }
            }
            Some(key) if !contended => {
                self.accounts().admit(place, key, now, Option::unwrap_or_default);
            }
            Some(key) => {
                let mut state = share.state.lock();
                let learns = self.is_learning(now);
                self.accounts().admit(place, key, now, |mark| state.charge(mark, amount, learns));
            }
        }
    }

    /// Counts a refused request: the gate of `stage` is contended.
    pub(super) fn refuse(&self, stage: usize, charge: &GateCharge) {
        let now = Time::from_nanos(self.latest.load(Ordering::Relaxed));
        let Some((share, place)) = self.share_of(stage, charge, || now) else { return };
        let mut state = share.state.lock();
        state.last_refusal = now;
        if !share.contended.swap(true, Ordering::Relaxed) {
            state.begins = true;
        }
        match charge.tenant {
            None => state.keyless.traffic.count(true, now),
            Some(key) if self.accounts().refuse(place, key, now) => {}
            Some(_) => state.new_keys.traffic.count(true, now),
        }
    }

    /// Returns the `most` tenants with the highest rates, the highest first.
    pub(super) fn heaviest(&self, most: usize, now: Time) -> Vec<(TenantName, TenantRate)> {
        if !self.in_use.load(Ordering::Relaxed) {
            return Vec::new();
        }
        let keys = self.accounts().heaviest(most, now).into_iter();
        let mut all: Vec<_> = keys.map(|(key, rate)| (TenantName::Key(key), rate)).collect();
        for share in self.gates.iter().filter_map(OnceLock::get).flat_map(|gate| gate.iter()) {
            let state = share.state.lock();
            all.push((TenantName::Keyless, state.keyless.traffic.rate(now)));
            all.push((TenantName::New, state.new_keys.traffic.rate(now)));
        }
        all.sort_by(|(_, a), (_, b)| b.offered_per_second.total_cmp(&a.offered_per_second));
        let mut heaviest: Vec<(TenantName, TenantRate)> = Vec::with_capacity(most);
        for (name, rate) in all {
            let is_listed = heaviest.iter().any(|(listed, _)| *listed == name);
            if heaviest.len() < most && !is_listed && rate.offered_per_second > 0.0 {
                heaviest.push((name, rate));
            }
        }
        heaviest
    }

    /// Returns the class at a gate that a request counts at; `None` while no request has a tenant.
    fn share_of(
        &self,
        stage: usize,
        charge: &GateCharge,
        now: impl Fn() -> Time,
    ) -> Option<(&Share, Place)> {
        if !self.in_use.load(Ordering::Relaxed) {
            charge.tenant?;
            if !self.in_use.swap(true, Ordering::Relaxed) {
                self.began.store(now().as_nanos(), Ordering::Relaxed);
            }
        }
        let classes = self.gates.get(stage)?.get_or_init(Box::default);
        let place = Place { stage: u16::try_from(stage).ok()?, class: charge.class };
        Some((&classes[charge.class], place))
    }

    fn accounts(&self) -> &Accounts {
        self.accounts.get_or_init(|| Accounts::new(self.salt.load(Ordering::Relaxed)))
    }

    fn is_learning(&self, now: Time) -> bool {
        let began = Time::from_nanos(self.began.load(Ordering::Relaxed));
        now.since(began) < LEARNING
    }

    fn note_time(&self, now: Time) -> Time {
        self.latest.store(now.as_nanos(), Ordering::Relaxed);
        now
    }
}

impl State {
    /// Returns whether the gate still is contended. If it has just become so, the level begins.
    fn is_contended(&mut self, fill: Fill, now: Time) -> bool {
        if std::mem::replace(&mut self.unit, fill.unit) != fill.unit {
            self.level.forget();
            self.begins = true;
        }
        if std::mem::take(&mut self.begins) {
            self.level.begin(fill.limit, now);
        }
        now.since(self.last_refusal) < OPEN_AFTER
    }

    /// Returns the mark of a tenant after an admitted request. A new key pays twice: as one of all
    /// new keys, and with an account that begins with a full debt.
    fn charge(&mut self, mark: Option<f64>, amount: f64, learns: bool) -> f64 {
        match mark {
            Some(mark) => self.level.charged(mark, amount),
            None if learns => self.level.charged(0.0, amount),
            None => {
                self.new_keys.mark = self.level.charged(self.new_keys.mark, amount);
                self.level.charged(self.level.full_mark(), amount)
            }
        }
    }
}
