//! What stages do about queues that stand goes to the journal: not each event that is given up, but
//! when it began and when it ended, as seen at the ticks. What ends within a tick is only counted.

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
    stood: AqmState,
    /// Events that CoDel gave up since the graph began, or would have.
    given_up: u64,
}

/// What was being done about a stage's queue at the last tick.
#[derive(Clone, Copy, Debug, Default)]
struct Episodes {
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

/// Journals what stages do about queues that stand.
pub(super) struct AqmController {
    episodes: Stages<Episodes>,
}

impl AqmController {
    pub(super) fn new(topology: &Topology) -> Self {
        Self { episodes: topology.stages.map(|_, _| Episodes::default()) }
    }

    /// All stages' queues.
    pub(super) fn observe(&self, monitor: &Monitor) -> Stages<QueueObservation> {
        monitor.queues.map(|_, queue| {
            let shed = queue.total().shed;
            let delayed = LossReason::ALL.iter().zip(shed);
            let delayed = delayed.filter(|(reason, _)| **reason == LossReason::Delay);
            let shed: u64 = delayed.map(|(_, n)| n).sum();
            let given_up = shed + queue.stood.spared;
            QueueObservation { depth: queue.depth, stood: queue.stood, given_up }
        })
    }

    /// Journals what began or ended since the last tick.
    pub(super) fn act(&mut self, seen: &Stages<QueueObservation>, tick: &Tick<'_>) {
        let stages = tick.topology.stages.entries().zip(&tick.settings.stages);
        for ((stage, plan), set) in stages {
            let told = Told { stage: plan.core.name(), tick };
            self.episodes[stage].follow(seen[stage], set, &told);
        }
    }
}

/// What a stage's episodes are journaled with.
struct Told<'a> {
    stage: &'a str,
    tick: &'a Tick<'a>,
}

impl Told<'_> {
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
    fn follow(&mut self, seen: QueueObservation, set: &StageSettings, told: &Told<'_>) {
        let acts = told.tick.acts;
        let QueueObservation { depth, stood, given_up } = seen;
        let waits = format!("{depth} queued, the oldest for {:?}", stood.oldest);
        // An empty queue does not stand, unless it was emptied by shedding just now.
        let sheds = stood.sheds && (depth > 0 || given_up > self.given_up);
        let before = self.shedding;
        self.shedding = follow(before, sheds, acts, self.given_up);
        match change(before, self.shedding) {
            EpisodeChange::Began => {
                let codel = set.standing.codel.as_ref().map(ToString::to_string);
                let seen = format!("{waits}; {}", codel.unwrap_or_default());
                told.record(acts, seen, "began shedding", "shedding false → true");
            }
            EpisodeChange::Ended(Episode { acts, since }) => {
                let n = given_up - since;
                let how = if acts { "given up" } else { "would have been given up" };
                let seen = format!("{waits}; {n} {how} meanwhile");
                told.record(acts, seen, "ended shedding", "shedding true → false");
            }
            EpisodeChange::None => {}
        }
        let before = self.turned;
        self.turned = follow(before, stood.turned, acts, self.given_up);
        match change(before, self.turned) {
            EpisodeChange::Began => {
                told.record(acts, waits, "serves the newest first", "oldest → newest");
            }
            EpisodeChange::Ended(Episode { acts, .. }) => {
                told.record(acts, waits, "serves the oldest first again", "newest → oldest");
            }
            EpisodeChange::None => {}
        }
        self.given_up = given_up;
    }
}

enum EpisodeChange {
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
fn change(before: Option<Episode>, now: Option<Episode>) -> EpisodeChange {
    match (before, now) {
        (Some(before), None) => EpisodeChange::Ended(before),
        (Some(before), Some(now)) if before.acts == now.acts => EpisodeChange::None,
        (_, Some(_)) => EpisodeChange::Began,
        (None, None) => EpisodeChange::None,
    }
}
