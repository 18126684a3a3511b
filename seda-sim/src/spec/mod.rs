//! What is to be simulated, as a TOML file holds it.
//!
//! Unknown keys are errors. [`Spec::check`] names what is out of bounds: key, value and what is
//! allowed. What the graph itself can be told is in `[graph]`, as in a server's own file.

mod arrivals;
mod check;
mod class;
mod client;
mod demand;
mod fault;
mod from_report;
mod profile;
mod quantiles;
mod scale;
mod stage;
mod trace;
mod ways;

pub use arrivals::{ArrivalsSpec, Process};
pub use check::SpecError;
pub use class::ClassSpec;
pub use client::ClientSpec;
pub use demand::Demand;
pub use fault::Fault;
pub use profile::{Stretch, parse_profile, stretches};
pub use stage::{PoolSpec, RouteSpec, StageSpec};
pub use trace::Trace;

use seda_core::GraphConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// A graph, its machine, its clients.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spec {
    /// What to call it.
    #[serde(default = "default_name")]
    pub name: String,
    /// Cores that workers share, 1 to 1,024.
    #[serde(default = "default_cores")]
    pub cores: usize,
    /// What everything random is drawn with.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Load before the measured window.
    #[serde(default = "default_warm_up", with = "humantime_serde")]
    pub warm_up: Duration,
    /// The measured window; requests that are meant to start in it are reported.
    #[serde(default = "default_window", with = "humantime_serde")]
    pub window: Duration,
    /// Slices of the window that are reported beside the whole, each for the requests that were
    /// meant to start in it; a thousand at most. `None`: none.
    #[serde(default, with = "humantime_serde")]
    pub slice: Option<Duration>,
    /// How long the load goes on behind it, so that they end under the same load. Less if they
    /// have ended before.
    #[serde(default = "default_cool_down", with = "humantime_serde")]
    pub cool_down: Duration,
    /// Answers later than this are late: 1 ms to 10 minutes. `None`: every answer is good.
    #[serde(default, with = "humantime_serde")]
    pub slo: Option<Duration>,
    /// What it costs to refuse a request, on a core.
    #[serde(default, with = "humantime_serde")]
    pub refusal_cpu: Duration,
    /// Whether the program knows at the entry where a request goes from the first stage, and says
    /// so ([`seda_core::Terms::route`]): then it is refused there for that stage's sake. Otherwise
    /// every stage refuses for itself what is sent to it.
    #[serde(default)]
    pub routes_known: bool,
    /// When requests come. They enter at the first stage.
    #[serde(default)]
    pub arrivals: ArrivalsSpec,
    /// Their classes, most important first; without any there is one.
    #[serde(default, rename = "class")]
    pub classes: Vec<ClassSpec>,
    /// Who waits for the answers.
    #[serde(default)]
    pub client: ClientSpec,
    /// Pools that stages share.
    #[serde(default, rename = "pool")]
    pub pools: Vec<PoolSpec>,
    /// The stages; requests enter at the first.
    #[serde(rename = "stage")]
    pub stages: Vec<StageSpec>,
    /// What goes wrong.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// Settings of the graph and its controllers, as a server's file has them.
    #[serde(default)]
    pub graph: GraphConfig,
}

fn default_name() -> String {
    "simulated".to_owned()
}

/// Enough that nothing waits for a core unless the spec is about that.
fn default_cores() -> usize {
    64
}

fn default_seed() -> u64 {
    1
}

/// A queue that starts empty has forgotten it after some seconds, unless it is close to full load.
fn default_warm_up() -> Duration {
    Duration::from_secs(5)
}

fn default_window() -> Duration {
    Duration::from_secs(60)
}

/// Longer than any client waits.
fn default_cool_down() -> Duration {
    Duration::from_secs(60)
}

impl Spec {
    /// Reads a spec from a file; the files it names are looked for beside it.
    ///
    /// # Errors
    /// The file cannot be read, or what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let unreadable =
            |path: &Path, error| SpecError::Unreadable { path: path.to_owned(), error };
        let text = std::fs::read_to_string(path).map_err(|error| unreadable(path, error))?;
        let mut spec: Self = toml::from_str(&text).map_err(Box::new)?;
        let beside = path.parent().unwrap_or(Path::new("."));
        let read = |file: &Path| {
            let file = beside.join(file);
            std::fs::read_to_string(&file).map_err(|error| unreadable(&file, error))
        };
        spec.load(&read)?;
        spec.check()?;
        Ok(spec)
    }

    /// The spec as a file that can be read again, and edited. What it names files for stays there.
    ///
    /// # Errors
    /// What TOML cannot hold: nothing that was read from it.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        Ok(toml::to_string(self).map_err(Box::new)?)
    }

    /// Reads what the spec names files for.
    fn load(&mut self, read: &dyn Fn(&Path) -> Result<String, SpecError>) -> Result<(), SpecError> {
        for stage in &mut self.stages {
            stage.demand.load(&stage.name, read)?;
        }
        let traced = self.stages.iter().any(|stage| stage.demand.is_traced());
        if let Some(trace) = &self.arrivals.trace {
            self.take_trace(Trace::parse(&read(trace)?, traced)?);
        }
        Ok(())
    }

    /// The same spec with these arrivals, in the place of those that its trace would say.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.take_trace(trace);
        self
    }

    fn take_trace(&mut self, trace: Trace) {
        for stage in &mut self.stages {
            if let Demand::Trace { moments } = &mut stage.demand {
                *moments = trace.moments();
            }
        }
        self.arrivals.recorded = trace;
    }
}

impl FromStr for Spec {
    type Err = SpecError;

    /// Reads a spec that names no files.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut spec: Self = toml::from_str(text).map_err(Box::new)?;
        spec.load(&|file: &Path| {
            let allowed = "none, where a spec is not read from a file beside it";
            Err(SpecError::value("file", file.display(), allowed))
        })?;
        spec.check()?;
        Ok(spec)
    }
}
