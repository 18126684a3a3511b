//! One change of a graph.

use crate::spec::{Process, Spec, SpecError, StageSpec};
use seda_core::WorkerRange;
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// The shortest thinking time of a closed loop: none, in a simulation.
const NO_THINKING: Duration = Duration::from_micros(1);

/// One change of a graph. `Display` writes it as the flags of `seda plan` do.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Change {
    /// The number of requests per second.
    Rate(f64),
    /// The number of clients of a closed loop, in place of a rate.
    Clients(u32),
    /// The number of cores.
    Cores(usize),
    /// The number of workers of a pool: a stage's own, a shared one, or that of each replica.
    Workers {
        /// The stage or the pool.
        of: String,
        /// The new number.
        count: usize,
    },
    /// The most workers of a shared pool that run a stage at once.
    Cap {
        /// The stage.
        of: String,
        /// The new number.
        count: usize,
    },
    /// The number of events of a deferring stage that may be outside.
    Places {
        /// The stage.
        of: String,
        /// The new number.
        count: usize,
    },
    /// The service demand of a stage, with its time outside.
    Demand {
        /// The stage.
        of: String,
        /// The new demand.
        demand: NewDemand,
    },
}

/// A new service demand.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum NewDemand {
    /// A multiple of the present one.
    Times(f64),
    /// A new mean; the shape stays.
    Mean(Duration),
}

/// The reason why a change cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// No stage or pool has the name.
    #[error("{change}: there is no `{name}`; allowed: {known}")]
    Unknown {
        /// The change.
        change: String,
        /// The unknown name.
        name: String,
        /// The known names.
        known: String,
    },
    /// The stage has no such bound.
    #[error("{change}: {reason}; allowed: {allowed}")]
    Without {
        /// The change.
        change: String,
        /// What the stage lacks.
        reason: String,
        /// The stages that have it, or another change.
        allowed: String,
    },
    /// The changed spec is out of bounds.
    #[error("{change}: {error}")]
    Spec {
        /// The change.
        change: String,
        /// The error of the spec.
        error: String,
    },
}

impl Change {
    /// Makes the change.
    ///
    /// # Errors
    /// The stage is unknown or has no such bound; or the changed spec is out of bounds.
    pub fn apply(&self, spec: &mut Spec) -> Result<(), ChangeError> {
        match self {
            Change::Rate(rate) => *spec = spec.at_rate(*rate).map_err(|error| self.out(&error))?,
            Change::Clients(count) => close_loop(spec, *count),
            Change::Cores(count) => spec.cores = *count,
            Change::Workers { of, count } => self.set_workers(spec, of, *count)?,
            Change::Cap { of, count } => {
                let is_shared = |stage: &StageSpec| stage.pool.is_some();
                self.stage(spec, of, "runs in no shared pool", is_shared)?.cap = Some(*count);
            }
            Change::Places { of, count } => {
                let defers = |stage: &StageSpec| stage.outside.is_some();
                self.stage(spec, of, "defers no events", defers)?;
                let config = spec.graph.stages.entry(of.clone()).or_default();
                config.outstanding = Some(*count);
                config.pending = Some(config.pending.unwrap_or(*count).max(*count));
            }
            Change::Demand { of, demand } => {
                let takes_time = |stage: &StageSpec| time_of(stage) > 0.0;
                let stage = self.stage(spec, of, "takes no time", takes_time)?;
                let factor = match demand {
                    NewDemand::Times(factor) => *factor,
                    NewDemand::Mean(mean) => mean.as_secs_f64() / time_of(stage),
                };
                stage.demand = stage.demand.scaled(factor);
                stage.outside = stage.outside.as_ref().map(|outside| outside.scaled(factor));
            }
        }
        spec.check().map_err(|error| self.out(&error))
    }

    /// Returns the stage of the change.
    fn stage<'a>(
        &self,
        spec: &'a mut Spec,
        name: &str,
        lacks: &str,
        fits: impl Fn(&StageSpec) -> bool,
    ) -> Result<&'a mut StageSpec, ChangeError> {
        let fitting = spec.stages.iter().filter(|stage| fits(stage));
        let fitting: Vec<String> = fitting.map(|stage| stage.name.clone()).collect();
        let known: Vec<String> = spec.stages.iter().map(|stage| stage.name.clone()).collect();
        let Some(stage) = spec.stages.iter_mut().find(|stage| stage.name == name) else {
            return Err(self.unknown(name, &known));
        };
        if fits(stage) {
            return Ok(stage);
        }
        let allowed = match fitting.as_slice() {
            [] => "another change, because no stage does".to_owned(),
            names => names.join(", "),
        };
        Err(ChangeError::Without {
            change: self.to_string(),
            reason: format!("`{name}` {lacks}"),
            allowed,
        })
    }

    fn set_workers(&self, spec: &mut Spec, of: &str, count: usize) -> Result<(), ChangeError> {
        let range = WorkerRange::exactly(count);
        if let Some(pool) = spec.pools.iter_mut().find(|pool| pool.name == of) {
            pool.workers = range;
            return Ok(());
        }
        let shared = spec.stages.iter().find(|stage| stage.name == of);
        if let Some(pool) = shared.and_then(|stage| stage.pool.clone()) {
            return Err(ChangeError::Without {
                change: self.to_string(),
                reason: format!("`{of}` has no workers of its own"),
                allowed: format!(
                    "the pool that it shares, {}",
                    self.to_string().replace(of, &pool)
                ),
            });
        }
        let own = |stage: &&mut StageSpec| stage.name == of || is_replica(&stage.name, of);
        let mut found = false;
        for stage in spec.stages.iter_mut().filter(|stage| stage.pool.is_none()).filter(own) {
            stage.workers = Some(range);
            found = true;
        }
        if found {
            return Ok(());
        }
        let own = spec.stages.iter().filter(|stage| stage.pool.is_none());
        let own = own.map(|stage| stage.name.clone());
        let pools = spec.pools.iter().map(|pool| pool.name.clone());
        Err(self.unknown(of, &own.chain(pools).collect::<Vec<_>>()))
    }

    fn unknown(&self, name: &str, known: &[String]) -> ChangeError {
        ChangeError::Unknown {
            change: self.to_string(),
            name: name.to_owned(),
            known: known.join(", "),
        }
    }

    fn out(&self, error: &SpecError) -> ChangeError {
        ChangeError::Spec { change: self.to_string(), error: error.to_string() }
    }
}

/// Returns the mean time of an event at a stage, outside included.
pub(super) fn time_of(stage: &StageSpec) -> f64 {
    stage.demand.mean() + stage.outside.as_ref().map_or(0.0, |outside| outside.mean())
}

/// Returns whether a stage is one of the replicas of a stage, by its name.
fn is_replica(name: &str, of: &str) -> bool {
    let number = name.strip_prefix(of).and_then(|rest| rest.strip_prefix('-'));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// Makes the load a closed loop.
fn close_loop(spec: &mut Spec, clients: u32) {
    let arrivals = &mut spec.arrivals;
    (arrivals.process, arrivals.rate, arrivals.profile) = (Process::Poisson, None, None);
    (arrivals.on, arrivals.off) = (None, None);
    spec.client.clients = clients;
    if spec.client.think.is_zero() {
        spec.client.think = NO_THINKING;
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Rate(rate) => write!(f, "--rate {rate:.0}"),
            Change::Clients(count) => write!(f, "--clients {count}"),
            Change::Cores(count) => write!(f, "--cores {count}"),
            Change::Workers { of, count } => write!(f, "--workers {of}={count}"),
            Change::Cap { of, count } => write!(f, "--cap {of}={count}"),
            Change::Places { of, count } => write!(f, "--places {of}={count}"),
            Change::Demand { of, demand: NewDemand::Times(factor) } => {
                write!(f, "--demand {of}={factor}x")
            }
            Change::Demand { of, demand: NewDemand::Mean(mean) } => {
                write!(f, "--demand {of}={}", humantime::format_duration(*mean))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Capacity;

    fn spec() -> Spec {
        r#"
        cores = 4
        arrivals = { rate = 10.0 }
        pool = [{ name = "both", workers = 4 }]
        [[stage]]
        name = "parse"
        capacity = 10
        pool = "both"
        demand = { kind = "exponential", mean = "1ms" }
        routes = [{ to = "app-1" }]
        [[stage]]
        name = "app-1"
        capacity = 10
        workers = 2
        demand = { kind = "exponential", mean = "10ms" }
        "#
        .parse()
        .unwrap()
    }

    fn workers(of: &str, count: usize) -> Change {
        Change::Workers { of: of.to_owned(), count }
    }

    #[test]
    fn a_change_moves_the_capacity() {
        let mut spec = spec();
        assert_eq!(Capacity::of(&spec).per_second.round(), 200.0);
        workers("app", 4).apply(&mut spec).unwrap();
        assert_eq!(spec.stages[1].workers, Some(WorkerRange::exactly(4)));
        let half = Change::Demand { of: "app-1".to_owned(), demand: NewDemand::Times(0.5) };
        half.apply(&mut spec).unwrap();
        assert!((spec.stages[1].demand.mean() - 0.005).abs() < 1e-9);
        let mean = NewDemand::Mean(Duration::from_millis(2));
        Change::Demand { of: "parse".to_owned(), demand: mean }.apply(&mut spec).unwrap();
        assert!((spec.stages[0].demand.mean() - 0.002).abs() < 1e-9);
        Change::Cap { of: "parse".to_owned(), count: 1 }.apply(&mut spec).unwrap();
        assert_eq!(Capacity::of(&spec).limit, "parse");
        Change::Rate(33.0).apply(&mut spec).unwrap();
        assert!((spec.mean_rate() - 33.0).abs() < 1e-9);
        Change::Clients(5).apply(&mut spec).unwrap();
        assert_eq!((spec.client.clients, spec.arrivals.rate), (5, None));
    }

    #[test]
    fn a_change_that_cannot_be_made_names_what_is_allowed() {
        let error = |change: Change| change.apply(&mut spec()).unwrap_err().to_string();
        assert_eq!(
            error(workers("wrok", 4)),
            "--workers wrok=4: there is no `wrok`; allowed: app-1, both"
        );
        let shared = error(workers("parse", 4));
        assert!(shared.contains("no workers of its own") && shared.contains("--workers both=4"));
        let cap = error(Change::Cap { of: "app-1".to_owned(), count: 1 });
        assert!(cap.contains("runs in no shared pool; allowed: parse"), "{cap}");
        let places = error(Change::Places { of: "app-1".to_owned(), count: 1 });
        assert!(places.contains("defers no events"), "{places}");
        let cores = error(Change::Cores(0));
        assert!(cores.contains("--cores 0: `cores` is 0; allowed: 1 to 1024"), "{cores}");
    }
}
