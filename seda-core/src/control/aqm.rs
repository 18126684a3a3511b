//! What stages do about queues that stand goes to the journal: not each event that is given up, but
//! when it began and when it ended, as seen at the ticks. What ends within a tick is only counted.

use crate::config::{Mode, Settings};
use crate::event::LossReason;
use crate::monitor::{Engine, Monitor};
use crate::queue::AqmState;
use crate::stage::{Controller, Decision};

/// A stage's queue at a tick.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StandingSight {
    depth: usize,
    stood: AqmState,
    /// Events that CoDel gave up since the graph began, or would have.
    given_up: u64,
}

/// What was being done about a stage's queue at the last tick.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Episodes {
    shedding: Option<Episode>,
    turned: Option<Episode>,
    /// Events given up until then.
    given_up: u64,
}

/// Something that is being done, or would be.
#[derive(Clone, Copy, Debug)]
struct Episode {
    acts: bool,
    /// Events given up before it began.
    since: u64,
}

impl Monitor {
    /// All stages' queues.
    pub(crate) fn observe_standing(&self) -> Vec<StandingSight> {
        let sights = self.queues.iter().map(|queue| {
            let shed = queue.total().shed.iter().filter(|(reason, _)| *reason == LossReason::Delay);
            let shed: u64 = shed.map(|(_, n)| n).sum();
            let given_up = shed + queue.stood.exempt;
            StandingSight { depth: queue.depth, stood: queue.stood, given_up }
        });
        sights.collect()
    }
}

impl Engine {
    /// Once per tick: journals what began or ended since the last one.
    pub(crate) fn journal_aqm(&self, seen: &[StandingSight], settings: &Settings) {
        let acts = settings.control.queue_delay == Mode::On;
        let mut standing = self.standing.lock();
        standing.resize_with(self.stages.len(), Episodes::default);
        let stages = self.stages.iter().zip(&settings.stages);
        for (((plan, set), known), seen) in stages.zip(standing.iter_mut()).zip(seen) {
            let tell = |acted, seen: String, action: &str, changed: &str| {
                self.core.journal.write(Decision {
                    at_seconds: self.now().as_secs_f64(),
                    controller: Controller::QueueDelay,
                    stage: Some(plan.core.name().to_string()),
                    seen,
                    action: action.to_owned(),
                    changed: changed.to_owned(),
                    acted,
                });
            };
            let StandingSight { depth, stood, given_up } = *seen;
            let waits = format!("{depth} queued, the oldest for {:?}", stood.oldest);
            // An empty queue does not stand, unless it was emptied by shedding just now.
            let sheds = stood.sheds && (depth > 0 || given_up > known.given_up);
            let before = known.shedding;
            known.shedding = follow(before, sheds, acts, known.given_up);
            match change(before, known.shedding) {
                SettingChange::Began => {
                    let codel = set.standing.codel.as_ref().map(ToString::to_string);
                    let seen = format!("{waits}; {}", codel.unwrap_or_default());
                    tell(acts, seen, "began shedding", "shedding false → true");
                }
                SettingChange::Ended(Episode { acts, since }) => {
                    let n = given_up - since;
                    let how = if acts { "given up" } else { "would have been given up" };
                    let seen = format!("{waits}; {n} {how} meanwhile");
                    tell(acts, seen, "ended shedding", "shedding true → false");
                }
                SettingChange::None => {}
            }
            let before = known.turned;
            known.turned = follow(before, stood.lifo, acts, known.given_up);
            match change(before, known.turned) {
                SettingChange::Began => {
                    tell(acts, waits, "serves the newest first", "oldest → newest")
                }
                SettingChange::Ended(Episode { acts, .. }) => {
                    tell(acts, waits, "serves the oldest first again", "newest → oldest");
                }
                SettingChange::None => {}
            }
            known.given_up = given_up;
        }
    }
}

enum SettingChange {
    None,
    Began,
    Ended(Episode),
}

/// The episode that there is now.
fn follow(before: Option<Episode>, is: bool, acts: bool, since: u64) -> Option<Episode> {
    let same = before.filter(|before| before.acts == acts);
    is.then(|| same.unwrap_or(Episode { acts, since }))
}

/// One that goes on in another mode is news: what was observed is done from now on, or no more.
fn change(before: Option<Episode>, now: Option<Episode>) -> SettingChange {
    match (before, now) {
        (Some(before), None) => SettingChange::Ended(before),
        (Some(before), Some(now)) if before.acts == now.acts => SettingChange::None,
        (_, Some(_)) => SettingChange::Began,
        (None, None) => SettingChange::None,
    }
}
