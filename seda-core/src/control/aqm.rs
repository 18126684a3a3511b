//! The journal of active queue management (AQM).
//!
//! A stage itself sheds events that waited too long, or serves the newest first. The journal
//! records, at the ticks, when each such episode began and ended. An episode within one tick is
//! only counted.

use crate::config::{StageSettings, Stages};
use crate::control::tick::Tick;
use crate::event::LossReason;
use crate::monitor::{Monitor, Topology};
use crate::queue::AqmState;
use crate::stage::{Controller, Decision};

/// A stage's queue at a tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueueObservation {
    depth: usize,
    aqm: AqmState,
    /// Events that CoDel has shed since the graph began, or would have shed in mode `observe`.
    shed: u64,
}

/// The episodes of a stage that were in progress at the last tick.
#[derive(Clone, Copy, Debug, Default)]
struct Episodes {
    shedding: Option<Episode>,
    /// The newest event is served first.
    lifo: Option<Episode>,
    /// Events shed up to the last tick.
    shed: u64,
}

/// A period in which the stage sheds, or serves the newest first.
#[derive(Clone, Copy, Debug)]
struct Episode {
    /// False if the stage only observes.
    acts: bool,
    /// Events shed before it began.
    shed_before: u64,
}

/// Journals the episodes of all stages.
pub(super) struct AqmController {
    episodes: Stages<Episodes>,
}

impl AqmController {
    pub(super) fn new(topology: &Topology) -> Self {
        Self { episodes: topology.stages.map(|_, _| Episodes::default()) }
    }

    /// Returns the state of every stage's queue.
    pub(super) fn observe(&self, monitor: &Monitor) -> Stages<QueueObservation> {
        monitor.queues.map(|_, queue| {
            let shed = queue.total().shed.iter();
            let shed: u64 = shed.filter(|(r, _)| *r == LossReason::Delay).map(|(_, n)| n).sum();
            let shed = shed + queue.aqm.exempt;
            QueueObservation { depth: queue.depth, aqm: queue.aqm, shed }
        })
    }

    /// Journals the episodes that began or ended since the last tick.
    pub(super) fn act(&mut self, seen: &Stages<QueueObservation>, tick: &Tick<'_>) {
        let stages = tick.topology.stages.entries().zip(&tick.settings.stages);
        for ((stage, plan), set) in stages {
            let entry = EntryContext { stage: plan.core.name(), tick };
            self.episodes[stage].follow(seen[stage], set, &entry);
        }
    }
}

/// The stage and the tick of a journal entry.
struct EntryContext<'a> {
    stage: &'a str,
    tick: &'a Tick<'a>,
}

impl EntryContext<'_> {
    fn record(&self, acted: bool, seen: String, action: &str, changed: &str) {
        self.tick.record(
            Decision::by(Controller::QueueDelay, self.tick.now)
                .stage(self.stage)
                .seen(seen)
                .action(action)
                .changed(changed)
                .acted(acted),
        );
    }
}

impl Episodes {
    fn follow(&mut self, seen: QueueObservation, set: &StageSettings, entry: &EntryContext<'_>) {
        let acts = entry.tick.acts;
        let QueueObservation { depth, aqm, shed } = seen;
        // CoDel: shedding began or ended.
        let waits = format!("{depth} queued, the oldest for {:?}", aqm.oldest);
        // An empty queue has no standing delay, unless shedding has just emptied it.
        let sheds = aqm.sheds && (depth > 0 || shed > self.shed);
        let before = self.shedding;
        self.shedding = follow(before, sheds, acts, self.shed);
        match change(before, self.shedding) {
            EpisodeChange::Began => {
                let codel = set.aqm.codel.as_ref().map(ToString::to_string);
                let seen = format!("{waits}; {}", codel.unwrap_or_default());
                entry.record(acts, seen, "began shedding", "shedding false → true");
            }
            EpisodeChange::Ended(Episode { acts, shed_before }) => {
                let n = shed - shed_before;
                let how = if acts { "shed" } else { "would have been shed" };
                let seen = format!("{waits}; {n} {how} meanwhile");
                entry.record(acts, seen, "stopped shedding", "shedding true → false");
            }
            EpisodeChange::None => {}
        }
        // Order: serving the newest first began or ended.
        let before = self.lifo;
        self.lifo = follow(before, aqm.lifo, acts, self.shed);
        match change(before, self.lifo) {
            EpisodeChange::Began => {
                entry.record(acts, waits, "serves the newest first", "oldest → newest");
            }
            EpisodeChange::Ended(Episode { acts, .. }) => {
                entry.record(acts, waits, "serves the oldest first again", "newest → oldest");
            }
            EpisodeChange::None => {}
        }
        self.shed = shed;
    }
}

/// The change of an episode between two ticks.
enum EpisodeChange {
    None,
    Began,
    Ended(Episode),
}

/// Returns the present episode: `before` if it continues in the same mode, else a new one.
fn follow(before: Option<Episode>, goes_on: bool, acts: bool, shed: u64) -> Option<Episode> {
    let same = before.filter(|before| before.acts == acts);
    goes_on.then(|| same.unwrap_or(Episode { acts, shed_before: shed }))
}

/// An episode that continues in another mode counts as begun: its events are now shed, or only
/// counted.
fn change(before: Option<Episode>, now: Option<Episode>) -> EpisodeChange {
    match (before, now) {
        (Some(before), None) => EpisodeChange::Ended(before),
        (Some(before), Some(now)) if before.acts == now.acts => EpisodeChange::None,
        (_, Some(_)) => EpisodeChange::Began,
        (None, None) => EpisodeChange::None,
    }
}
