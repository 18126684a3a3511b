//! The overload valve: which queued events are evicted when the graph holds all that its budget
//! allows.
//!
//! At the budget an event from outside is refused, unless events of a strictly lower class are
//! queued. Then the valve makes room for it. It also makes room for a handler that sends more
//! events than it took. It evicts from the longest queue that has a victim (longest-queue drop:
//! Wei, Coyle & Hsiao 1991; shown competitive by Aiello et al. 2008 for parallel queues): the
//! pressure is there, and the less loaded stages keep their events. The theory does not carry over
//! to stages in a row, where a late drop wastes the work done before; hence the other policies, for
//! comparison, and the `wasted_seconds` of every stage.
//!
//! - `events`: at the event budget; `bytes`: at the byte budget; `preempt`: at a closed gate.
//! - `policy`: the victims of each policy.
//! - `eviction_log`: what the valve did, for the journal.
//!
//! The valve takes the parts of its graph that it reads and changes as a [`ValveScope`]. It knows
//! stages as [`AnyStage`] only.

mod bytes;
mod events;
mod eviction_log;
mod incoming;
mod policy;
mod preempt;

pub(crate) use incoming::Incoming;

use crate::config::{Mode, OverloadPolicy};
use crate::platform::rng::{GOLDEN, SplitMix64};
use crate::platform::sync::{Arc, Mutex, Weak};
use crate::platform::{Clock, Time};
use crate::queue::{Budget, ByteBudget};
use crate::stage::any::AnyStage;
use crate::stage::clock::GraphClock;
use crate::stage::loss_notifier::LossNotifier;
use crate::stage::space_notify::SpaceNotify;
use crate::stage::valve::eviction_log::Evictions;

/// The valve's settings, live, and its decisions since the last tick.
#[derive(Debug)]
pub(crate) struct Valve {
    settings: Mutex<ValveSettings>,
    /// Draws the victims of random drop.
    random: SplitMix64,
    evictions: Evictions,
}

#[derive(Clone, Copy, Debug, Default)]
struct ValveSettings {
    mode: Mode,
    policy: OverloadPolicy,
}

impl Default for Valve {
    fn default() -> Self {
        // A fixed seed makes random drop repeatable.
        let random = SplitMix64::new(GOLDEN);
        Self { settings: Mutex::default(), random, evictions: Evictions::default() }
    }
}

impl Valve {
    pub(crate) fn set(&self, mode: Mode, policy: OverloadPolicy) {
        *self.settings.lock() = ValveSettings { mode, policy };
    }

    /// Returns the decisions since the last tick.
    pub(crate) fn evictions(&self) -> &Evictions {
        &self.evictions
    }

    /// Returns the settings if the valve may act for `incoming`, or would as an observer.
    fn settings_for(&self, scope: &ValveScope<'_>, incoming: Incoming) -> Option<ValveSettings> {
        let settings = *self.settings.lock();
        let is_off = !settings.mode.watches() || settings.policy == OverloadPolicy::None;
        // Below the lowest class there is no victim: refused without a look at any queue.
        let has_victims = incoming.fan_out || scope.has_lower_class(incoming.class);
        // Victims wait for the loss notifier. When it is congested, the sender is refused instead.
        (!is_off && has_victims && scope.notifier.has_room()).then_some(settings)
    }
}

/// The parts of a graph that the valve reads and changes.
#[derive(Clone, Copy)]
pub(super) struct ValveScope<'a> {
    pub(super) clock: &'a GraphClock,
    pub(super) budget: &'a Budget,
    pub(super) bytes: &'a ByteBudget,
    pub(super) space: &'a SpaceNotify,
    pub(super) notifier: &'a LossNotifier,
    /// The number of declared classes.
    pub(super) classes: usize,
    pub(super) stages: &'a [Weak<dyn AnyStage>],
}

impl ValveScope<'_> {
    fn now(&self) -> Time {
        self.clock.now()
    }

    /// Returns all stages that still exist, in order of declaration.
    fn stages(&self) -> Vec<Arc<dyn AnyStage>> {
        self.stages.iter().filter_map(Weak::upgrade).collect()
    }

    /// Returns one stage, if it still exists.
    fn stage(&self, index: usize) -> Option<Arc<dyn AnyStage>> {
        self.stages.get(index)?.upgrade()
    }

    /// Credits `n` events and announces the space.
    fn credit(&self, n: usize) {
        self.budget.credit(n);
        if n > 0 {
            self.space.announce();
        }
    }
}
