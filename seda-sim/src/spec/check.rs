//! What can be wrong with a spec.

use super::profile::stretches;
use super::{ClassSpec, Spec, routing};
use crate::base::time::words;
use seda_core::Balance;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;
use thiserror::Error;

/// Why a spec cannot be run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// A file cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// It is not TOML, or not of the right shape.
    #[error("{0}")]
    Shape(#[from] Box<toml::de::Error>),
    /// TOML cannot hold it.
    #[error("it cannot be written as TOML: {0}")]
    Unwritable(#[from] Box<toml::ser::Error>),
    /// A value is out of bounds.
    #[error("`{key}` is {value}; allowed is {allowed}")]
    Value {
        /// Which.
        key: String,
        /// What it is.
        value: String,
        /// What it may be.
        allowed: String,
    },
}

impl SpecError {
    pub(crate) fn value(
        key: impl Into<String>,
        value: impl fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Value { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }
}

/// Times are computed in `f64`, which holds every whole nanosecond up to 104 days.
pub(super) const LONGEST: Duration = Duration::from_secs(100 * 24 * 60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A shorter one is a slip: no machine's clock is finer.
const SHORTEST: Duration = Duration::from_micros(1);

/// Moments of a run, from its beginning.
pub(super) const TIME: RangeInclusive<Duration> = Duration::ZERO..=LONGEST;
/// What lasts for a while.
pub(super) const LENGTH: RangeInclusive<Duration> = SHORTEST..=LONGEST;
/// Nobody waits for longer than a day, or tries again later than that.
pub(super) const PATIENCE: RangeInclusive<Duration> = SHORTEST..=DAY;
pub(super) const PAUSE: RangeInclusive<Duration> = Duration::ZERO..=DAY;
/// What the graph itself can be told ([`seda_core::SloConfig`]).
const SLO: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(600);
/// A refusal that takes longer than a second is none.
const REFUSAL: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(1);

/// A duration has to be within a range.
pub(super) fn check_duration(
    key: impl Into<String>,
    value: Duration,
    range: RangeInclusive<Duration>,
) -> Result<(), SpecError> {
    if range.contains(&value) {
        return Ok(());
    }
    let allowed = format!("{} to {}", words(*range.start()), words(*range.end()));
    Err(SpecError::value(key, words(value), allowed))
}

impl Spec {
    /// Checks every value that the graph itself does not check when it starts, and that what is
    /// set has an effect.
    ///
    /// # Errors
    /// The first that is out of bounds: its key, its value and what is allowed.
    pub fn check(&self) -> Result<(), SpecError> {
        if !(1..=1_024).contains(&self.cores) {
            return Err(SpecError::value("cores", self.cores, "1 to 1024"));
        }
        check_duration("warm_up", self.warm_up, TIME)?;
        check_duration("window", self.window, LENGTH)?;
        check_duration("cool_down", self.cool_down, TIME)?;
        if let Some(slice) = self.slice {
            // Each has a histogram of its own, of 31 KB.
            check_duration("slice", slice, (self.window / 1_000).max(SHORTEST)..=self.window)?;
        }
        check_duration("refusal_cpu", self.refusal_cpu, REFUSAL)?;
        self.slo.map_or(Ok(()), |slo| check_duration("slo", slo, SLO))?;
        if self.stages.is_empty() {
            return Err(SpecError::value("stage", "none", "one at least"));
        }
        self.check_names()?;
        self.stages.iter().try_for_each(|stage| stage.check())?;
        routing::check(&self.stages)?;
        self.client.check()?;
        self.classes.iter().try_for_each(|class| class.check())?;
        self.check_load()?;
        self.check_traced()?;
        let queues = self.queue_names();
        self.faults.iter().try_for_each(|fault| fault.check(&queues, self))?;
        self.check_floods()
    }

    /// When the run ends at the latest, from its beginning.
    pub(super) fn end(&self) -> Duration {
        self.warm_up.saturating_add(self.window).saturating_add(self.cool_down)
    }

    /// Names of stages, and of replicas that have a queue each.
    fn queue_names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for stage in &self.stages {
            names.push(stage.name.clone());
            // Behind one queue nobody knows which of them takes an event.
            let apart = stage.balance.unwrap_or_default() != Balance::Central;
            let replicas = stage.replicas.filter(|_| apart).unwrap_or(0);
            names.extend((1..=replicas).map(|n| format!("{}-{n}", stage.name)));
        }
        names
    }

    fn check_names(&self) -> Result<(), SpecError> {
        let listed = |names: Vec<&str>| format!("one of {}", names.join(", "));
        let stages: Vec<&str> = self.stages.iter().map(|stage| stage.name.as_str()).collect();
        let pools: Vec<&str> = self.pools.iter().map(|pool| pool.name.as_str()).collect();
        let classes: Vec<&str> = self.classes.iter().map(|class| class.name.as_str()).collect();
        let queues = self.queue_names();
        let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
        for (key, names) in [("stage", &queues), ("pool", &pools), ("class", &classes)] {
            check_unique(key, names)?;
        }
        for stage in &self.stages {
            let key = |what: &str| format!("stage.{}.{what}", stage.name);
            let unknown = stage.routes.iter().find(|route| !stages.contains(&route.to.as_str()));
            if let Some(route) = unknown {
                return Err(SpecError::value(key("routes.to"), &route.to, listed(stages)));
            }
            let Some(pool) = stage.pool.as_ref().filter(|pool| !pools.contains(&pool.as_str()))
            else {
                continue;
            };
            let known = if pools.is_empty() {
                "one that a [[pool]] names".to_owned()
            } else {
                listed(pools)
            };
            return Err(SpecError::value(key("pool"), pool, known));
        }
        Ok(())
    }

    /// Something has to come, from one source.
    fn check_load(&self) -> Result<(), SpecError> {
        let silent = self.arrivals.is_silent()?;
        let shared = !silent || self.client.clients > 0;
        if shared && !self.classes.is_empty() && self.classes.iter().all(|c| c.share <= 0.0) {
            let allowed = "above 0 for one class at least, which the arrivals are of";
            return Err(SpecError::value("class.share", "0 for all", allowed));
        }
        if self.client.clients > 0 && !silent {
            let allowed = "0 beside arrivals: the load is either open or closed";
            return Err(SpecError::value("client.clients", self.client.clients, allowed));
        }
        self.arrivals.check(self.warm_up.saturating_add(self.window))?;
        let own = self.classes.iter().any(|class| class.rate.is_some_and(|rate| rate > 0.0));
        if own || shared {
            return Ok(());
        }
        let allowed = "a rate, a profile or a trace, or `client.clients`";
        Err(SpecError::value("arrivals", "silent", allowed))
    }

    /// A demand that a trace is to say has to be in it.
    fn check_traced(&self) -> Result<(), SpecError> {
        let recorded = &self.arrivals.recorded;
        let known = !recorded.times.is_empty() && recorded.demands.len() == recorded.times.len();
        let own = self.classes.iter().any(|class| class.rate.is_some());
        match self.stages.iter().find(|stage| stage.demand.is_traced()) {
            Some(stage) if !known || own => Err(SpecError::value(
                format!("stage.{}.demand.kind", stage.name),
                "trace",
                "where all requests come by a trace that has their demands in its second column",
            )),
            _ => Ok(()),
        }
    }

    /// Floods of one class multiply.
    fn check_floods(&self) -> Result<(), SpecError> {
        let rates = self.arrivals.rates()?;
        let default = [ClassSpec::default()];
        let classes = if self.classes.is_empty() { &default[..] } else { &self.classes };
        for class in classes {
            let mut flooded = stretches(&rates, 1.0, &class.name, &self.faults);
            let own = class.rate.map(|rate| super::Stretch { until: u64::MAX, rate });
            flooded.extend(stretches(own.as_slice(), 1.0, &class.name, &self.faults));
            if let Some(most) =
                flooded.iter().find(|stretch| stretch.rate.is_nan() || stretch.rate > 1e7)
            {
                let value = format!("{} per second of class {} together", most.rate, class.name);
                return Err(SpecError::value("fault.factor", value, "10000000 per second at most"));
            }
        }
        Ok(())
    }
}

/// Things of one kind have names, each its own.
fn check_unique(kind: &str, names: &[&str]) -> Result<(), SpecError> {
    let key = format!("{kind}.name");
    for (place, name) in names.iter().enumerate() {
        if name.is_empty() {
            return Err(SpecError::value(key, "empty", "a name"));
        }
        if names.iter().take(place).any(|other| other == name) {
            return Err(SpecError::value(key, format!("{name} twice"), "each name once"));
        }
    }
    Ok(())
}
