//! What can be wrong with a spec.

use super::Spec;
use super::arrivals::Process;
use seda_core::Balance;
use std::fmt;
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
const LONGEST: Duration = Duration::from_secs(100 * 24 * 60 * 60);

impl Spec {
    /// Checks every value that the graph itself does not check when it starts.
    ///
    /// # Errors
    /// The first that is out of bounds: its key, its value and what is allowed.
    pub fn check(&self) -> Result<(), SpecError> {
        if !(1..=1_024).contains(&self.cores) {
            return Err(SpecError::value("cores", self.cores, "1 to 1024"));
        }
        if self.window.is_zero() {
            return Err(SpecError::value("window", "0s", "more than nothing"));
        }
        for (key, length) in
            [("warm_up", self.warm_up), ("window", self.window), ("cool_down", self.cool_down)]
        {
            if length > LONGEST {
                return Err(SpecError::value(key, format!("{length:?}"), "100 days at most"));
            }
        }
        if self.stages.is_empty() {
            return Err(SpecError::value("stage", "none", "one at least"));
        }
        self.stages.iter().try_for_each(|stage| stage.check())?;
        self.check_names()?;
        self.arrivals.check()?;
        self.classes.iter().try_for_each(|class| class.check())?;
        self.check_load()?;
        self.client.check()?;
        let stages = self.queue_names();
        let classes: Vec<&str> = self.classes.iter().map(|class| class.name.as_str()).collect();
        let classes = if classes.is_empty() { vec!["default"] } else { classes };
        self.faults.iter().try_for_each(|fault| fault.check(&stages, &classes))
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
        for stage in &self.stages {
            let key = |what: &str| format!("stage.{}.{what}", stage.name);
            let unknown = stage.routes.iter().find(|route| !stages.contains(&route.to.as_str()));
            if let Some(route) = unknown {
                return Err(SpecError::value(key("routes.to"), &route.to, listed(stages)));
            }
            if let Some(pool) = stage.pool.as_ref().filter(|pool| !pools.contains(&pool.as_str())) {
                return Err(SpecError::value(key("pool"), pool, listed(pools)));
            }
        }
        Ok(())
    }

    fn check_load(&self) -> Result<(), SpecError> {
        let own = self.classes.iter().any(|class| class.rate.is_some_and(|rate| rate > 0.0));
        let shared = match self.arrivals.process {
            Process::Trace => !self.arrivals.times.is_empty(),
            _ => self.arrivals.rates()?.iter().any(|stretch| stretch.rate > 0.0),
        };
        if own || shared {
            return Ok(());
        }
        Err(SpecError::value("arrivals", "silent", "a rate, a profile or a trace"))
    }
}
