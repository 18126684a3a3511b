//! The input of a simulation, as a TOML file has it: a graph, its machine, its clients, its faults.
//!
//! Unknown keys are errors. [`Spec::check`] names a value that is not allowed: its key, the value,
//! and the values that are allowed. The settings of the graph itself are in `[graph]`, with the
//! keys of a server's own file.
//!
//! Imports `base`. Anything that runs, counts or reports does not belong here.

mod arrivals;
mod bounds;
pub(crate) mod capacity;
mod check;
mod class;
mod demand;
mod error;
mod fault;
mod flood;
mod from_report;
mod moments;
mod process;
mod profile;
mod quantiles;
mod routing;
mod scale;
mod senders;
mod stage;
mod trace;

pub use arrivals::ArrivalsSpec;
pub use class::ClassSpec;
pub use demand::Demand;
pub use error::SpecError;
pub use fault::Fault;
pub use flood::stretches;
pub use moments::Moments;
pub use process::{Process, ProcessError};
pub use profile::{Part, ProfileError, Stretch, parse_profile};
pub use senders::{ClientSpec, HeavyTenant, LimiterSpec, NewKeys, TenantsSpec};
pub use stage::{PoolSpec, RouteSpec, StageSpec};
pub use trace::Trace;

use seda_core::GraphConfig;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

/// The input of a simulation: a graph, its machine, its clients, its faults.
///
/// ```
/// use seda_sim::Spec;
///
/// let spec: Spec = r#"
///     cores = 2
///     window = "10s"
///     arrivals = { rate = 70.0 }
///     [[stage]]
///     name = "serve"
///     capacity = 1000
///     demand = { kind = "exponential", mean = "10ms" }
/// "#.parse()?;
/// assert_eq!((spec.stages[0].name.as_str(), spec.mean_rate()), ("serve", 70.0));
/// # Ok::<(), seda_sim::SpecError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spec {
    /// The name in reports.
    #[serde(default = "default_name")]
    pub name: String,
    /// Cores that all workers share, 1 to 1,024.
    #[serde(default = "default_cores")]
    pub cores: usize,
    /// The seed of all random numbers.
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Length of the load before the window, 0 to 100 days.
    #[serde(default = "default_warm_up", with = "humantime_serde")]
    pub warm_up: Duration,
    /// Length of the measured window, 1 µs to 100 days. The requests that start in it are reported.
    #[serde(default = "default_window", with = "humantime_serde")]
    pub window: Duration,
    /// Length of a slice of the window. Each slice is reported beside the whole, for the requests
    /// that start in it; there are a thousand at most. `None`: no slices.
    #[serde(default, with = "humantime_serde")]
    pub slice: Option<Duration>,
    /// The most load behind the window, 0 to 100 days, so that its requests end under the same
    /// load. The run ends earlier when all of them have ended.
    #[serde(default = "default_cool_down", with = "humantime_serde")]
    pub cool_down: Duration,
    /// The SLO of an answer: a longer response time counts as late. 1 ms to 10 minutes. `None`:
    /// every answer is good.
    #[serde(default, with = "humantime_serde")]
    pub slo: Option<Duration>,
    /// Core time of refusing a request, up to 1 s.
    #[serde(default, with = "humantime_serde")]
    pub refusal_cpu: Duration,
    /// Whether the program knows a request's route from the first stage at the entry, and states it
    /// ([`seda_core::SendOptions::route`]): the entry then refuses on behalf of that stage.
    /// Otherwise every stage refuses for itself.
    #[serde(default)]
    pub routes_known: bool,
    /// The arrivals; requests enter at the first stage.
    #[serde(default)]
    pub arrivals: ArrivalsSpec,
    /// The tenants that requests are sent for. `None`: requests have no tenant.
    #[serde(default)]
    pub tenants: Option<TenantsSpec>,
    /// The classes, most important first. Empty: one class named `default`.
    #[serde(default, rename = "class")]
    pub classes: Vec<ClassSpec>,
    /// The behaviour of clients.
    #[serde(default)]
    pub client: ClientSpec,
    /// The pools that stages share.
    #[serde(default, rename = "pool")]
    pub pools: Vec<PoolSpec>,
    /// The stages, one at least; requests enter at the first.
    #[serde(rename = "stage")]
    pub stages: Vec<StageSpec>,
    /// The faults.
    #[serde(default, rename = "fault")]
    pub faults: Vec<Fault>,
    /// Settings of the graph and its controllers, as in a server's file.
    #[serde(default)]
    pub graph: GraphConfig,
}

fn default_name() -> String {
    "simulated".to_owned()
}

/// Enough cores that nothing waits for one, unless the spec is about that.
fn default_cores() -> usize {
    64
}

fn default_seed() -> u64 {
    1
}

/// Long enough that the empty queues at the start have no influence, unless the load is nearly
/// full.
fn default_warm_up() -> Duration {
    Duration::from_secs(5)
}

fn default_window() -> Duration {
    Duration::from_secs(60)
}

/// Longer than clients usually wait.
fn default_cool_down() -> Duration {
    Duration::from_secs(60)
}

impl Spec {
    /// Reads a spec from a file. Paths in it are relative to the file's folder.
    ///
    /// # Errors
    /// The file, or one that it names, cannot be read; or the spec is invalid.
    pub fn read(path: &Path) -> Result<Self, SpecError> {
        let mut spec: Self = toml::from_str(&read_text(path)?).map_err(Box::new)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        spec.load(&|file: &Path| read_text(&folder.join(file)))?;
        spec.check()?;
        Ok(spec)
    }

    /// Returns the spec as TOML, to be edited and read again. Paths stay paths: the contents of
    /// their files are not in the text.
    ///
    /// # Errors
    /// A value that TOML cannot represent. A spec that was read has none.
    pub fn to_toml(&self) -> Result<String, SpecError> {
        Ok(toml::to_string(self).map_err(Box::new)?)
    }

    /// Reads the files that the spec names.
    fn load(&mut self, read: &dyn Fn(&Path) -> Result<String, SpecError>) -> Result<(), SpecError> {
        for stage in &mut self.stages {
            stage.demand.load(&stage.name, read)?;
            if let Some(outside) = &mut stage.outside {
                outside.load(&format!("{}.outside", stage.name), read)?;
            }
        }
        let is_traced = self.stages.iter().any(|stage| stage.demand.is_traced());
        if let Some(trace) = &self.arrivals.trace {
            self.set_trace(Trace::parse(&read(trace)?, is_traced)?);
        }
        Ok(())
    }

    /// Returns the same spec with these recorded arrivals, in place of those of its trace.
    #[must_use]
    pub fn with_trace(mut self, trace: Trace) -> Self {
        self.set_trace(trace);
        self
    }

    fn set_trace(&mut self, trace: Trace) {
        for stage in &mut self.stages {
            if let Demand::Trace { moments } = &mut stage.demand {
                *moments = trace.moments();
            }
        }
        self.arrivals.recorded = trace;
    }

    /// Returns the classes; the one named `default` if the spec has none.
    pub(crate) fn classes_or_default(&self) -> Cow<'_, [ClassSpec]> {
        if self.classes.is_empty() {
            return Cow::Owned(vec![ClassSpec::default()]);
        }
        Cow::Borrowed(&self.classes)
    }
}

fn read_text(path: &Path) -> Result<String, SpecError> {
    std::fs::read_to_string(path)
        .map_err(|error| SpecError::Unreadable { path: path.to_owned(), error })
}

impl FromStr for Spec {
    type Err = SpecError;

    /// Reads a spec from text. It must not name any files, because text has no folder.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        let mut spec: Self = toml::from_str(text).map_err(Box::new)?;
        spec.load(&|file: &Path| {
            let allowed = "none in a spec that is text: read it from a file";
            Err(SpecError::value("file", file.display(), allowed))
        })?;
        spec.check()?;
        Ok(spec)
    }
}
