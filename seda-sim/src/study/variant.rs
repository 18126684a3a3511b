//! Servers that a study compares: seda, and models of others.

use crate::spec::{LimiterSpec, Spec};
use seda_core::{Mode, SloConfig, WorkerRange};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The SLO of [`Variant::Slo`]: two thirds of the clients' timeout in the specs of the lab.
const SLO: Duration = Duration::from_millis(500);
/// The places of a bounded queue. One of 16 keeps a server of 1 ms upright.
const BOUNDED: usize = 16;
/// The places of a queue without a bound. No run of the lab fills it.
const UNBOUNDED: usize = 1_000_000;
/// A server in the place of the spec's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Variant {
    /// seda, as the spec has it.
    Seda,
    /// seda with an SLO of 500 ms.
    Slo,
    /// seda's queues and workers, with all controllers off.
    Off,
    /// A queue of 16 places before the workers, which refuses what it cannot hold.
    Bounded,
    /// A queue without a bound before the workers, as tokio's `spawn_blocking` has it.
    SpawnBlocking,
    /// That queue behind a limit of concurrency by AIMD, with the defaults of its libraries: 20 to
    /// 200 inside, and 5 s are in time.
    Aimd,
    /// The same, tuned by hand: from 1 inside, and 750 ms are in time, the clients' timeout in the
    /// specs of the lab.
    AimdTuned,
    /// That queue behind a limit of concurrency by the least response time, as TCP Vegas.
    MinRtt,
}

impl Variant {
    /// All variants, in order of declaration.
    pub const ALL: [Self; 8] = [
        Self::Seda,
        Self::Slo,
        Self::Off,
        Self::Bounded,
        Self::SpawnBlocking,
        Self::Aimd,
        Self::AimdTuned,
        Self::MinRtt,
    ];

    /// Returns the name in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seda => "seda",
            Self::Slo => "slo",
            Self::Off => "off",
            Self::Bounded => "bounded",
            Self::SpawnBlocking => "spawn_blocking",
            Self::Aimd => "aimd",
            Self::AimdTuned => "aimd_tuned",
            Self::MinRtt => "min_rtt",
        }
    }

    /// Returns the spec of the same load and machine with this server.
    #[must_use]
    pub fn apply(self, mut spec: Spec) -> Spec {
        match self {
            Self::Seda => {}
            Self::Slo => spec.graph.slo = SloConfig::new(SLO),
            Self::Off => turn_off(&mut spec),
            Self::Bounded => {
                turn_off(&mut spec);
                set_capacity(&mut spec, BOUNDED);
            }
            Self::SpawnBlocking => unbound(&mut spec),
            Self::Aimd => limit(&mut spec, aimd(20, Duration::from_secs(5))),
            Self::AimdTuned => limit(&mut spec, aimd(1, Duration::from_millis(750))),
            Self::MinRtt => limit(&mut spec, LimiterSpec::Vegas { initial: 20, most: 1_000 }),
        }
        spec
    }
}

/// Turns all controllers off. A pool that no controller sizes has its largest size.
fn turn_off(spec: &mut Spec) {
    spec.graph.control.set_mode(Mode::Off);
    for workers in spec.stages.iter_mut().filter_map(|stage| stage.workers.as_mut()) {
        *workers = WorkerRange::exactly(workers.max);
    }
}

/// Turns all controllers off and gives every queue more places than it needs.
fn unbound(spec: &mut Spec) {
    turn_off(spec);
    set_capacity(spec, UNBOUNDED);
    spec.graph.budget = Some(UNBOUNDED);
}

/// Puts a limit of concurrency before such queues.
fn limit(spec: &mut Spec, limiter: LimiterSpec) {
    unbound(spec);
    spec.client.limiter = Some(limiter);
}

/// Returns AIMD with the defaults of Netflix's library but for these two.
fn aimd(least: u32, timeout: Duration) -> LimiterSpec {
    LimiterSpec::Aimd { initial: 20, least, most: 200, backoff: 0.9, timeout }
}

fn set_capacity(spec: &mut Spec, capacity: usize) {
    for stage in &mut spec.stages {
        stage.capacity = capacity;
    }
}
