//! The check of a whole spec, before it is run.

use super::bounds::{
    LENGTH, MAX_RATE, REFUSAL, SHORTEST, SLO, TIME, check_duration, check_names, one_of,
};
use super::error::SpecError;
use super::fault::FaultScope;
use super::flood::stretches;
use super::process::Process;
use super::profile::Stretch;
use super::senders::TenantsSpec;
use super::{Spec, StageSpec, beside, routing};
use seda_core::Balance;
use std::time::Duration;

/// The most slices of a window, because each slice has a histogram of 31 KB.
const MAX_SLICES: u32 = 1_000;

impl Spec {
    /// Checks every value that the graph does not check itself when it starts, and that every
    /// setting has an effect.
    ///
    /// # Errors
    /// The first value that is not allowed: its key, the value and the values that are allowed.
    pub fn check(&self) -> Result<(), SpecError> {
        if !(1..=1_024).contains(&self.cores) {
            return Err(SpecError::value("cores", self.cores, "1 to 1024"));
        }
        self.check_times()?;
        if self.stages.is_empty() {
            return Err(SpecError::value("stage", "none", "one at least"));
        }
        self.check_all_names()?;
        self.stages.iter().try_for_each(|stage| stage.check())?;
        beside::check(&self.arrivals.timers, &self.stages)?;
        routing::check(&self.stages, &self.arrivals.timers)?;
        self.client.check()?;
        self.classes.iter().try_for_each(|class| class.check())?;
        self.tenants.as_ref().map_or(Ok(()), TenantsSpec::check)?;
        self.check_load()?;
        self.check_traced()?;
        self.check_faults()?;
        self.check_floods()
    }

    fn check_times(&self) -> Result<(), SpecError> {
        check_duration("warm_up", self.warm_up, TIME)?;
        check_duration("window", self.window, LENGTH)?;
        check_duration("cool_down", self.cool_down, TIME)?;
        if let Some(slice) = self.slice {
            let shortest = (self.window / MAX_SLICES).max(SHORTEST);
            check_duration("slice", slice, shortest..=self.window)?;
        }
        check_duration("refusal_cpu", self.refusal_cpu, REFUSAL)?;
        match self.slo {
            Some(slo) => check_duration("slo", slo, SLO),
            None => Ok(()),
        }
    }

    /// Returns the latest end of the run, from its beginning.
    fn end(&self) -> Duration {
        self.warm_up.saturating_add(self.window).saturating_add(self.cool_down)
    }

    /// Returns the names of some stages, and of their replicas that have a queue each. Replicas
    /// behind one queue have no names, because any of them may take an event.
    fn queue_names(&self, is_counted: impl Fn(&StageSpec) -> bool) -> Vec<String> {
        let mut names = Vec::new();
        for stage in self.stages.iter().filter(|stage| is_counted(stage)) {
            names.push(stage.name.clone());
            if stage.balance.unwrap_or_default() != Balance::Central {
                let count = stage.replicas.unwrap_or(0);
                names.extend((1..=count).map(|n| format!("{}-{n}", stage.name)));
            }
        }
        names
    }

    /// Checks that names are unique, and that routes and pools refer to known ones.
    fn check_all_names(&self) -> Result<(), SpecError> {
        let stages: Vec<&str> = self.stages.iter().map(|stage| stage.name.as_str()).collect();
        let pools: Vec<&str> = self.pools.iter().map(|pool| pool.name.as_str()).collect();
        let classes: Vec<&str> = self.classes.iter().map(|class| class.name.as_str()).collect();
        let queues = self.queue_names(|_| true);
        let queues: Vec<&str> = queues.iter().map(String::as_str).collect();
        check_names("stage", &queues)?;
        check_names("pool", &pools)?;
        check_names("class", &classes)?;
        for stage in &self.stages {
            let unknown = stage.routes.iter().find(|route| !stages.contains(&route.to.as_str()));
            if let Some(route) = unknown {
                let key = stage.key("routes.to");
                return Err(SpecError::value(key, &route.to, one_of(&stages)));
            }
            if let Some(pool) = &stage.pool
                && !pools.contains(&pool.as_str())
            {
                let known = match pools.as_slice() {
                    [] => "one that a [[pool]] names".to_owned(),
                    pools => one_of(pools),
                };
                return Err(SpecError::value(stage.key("pool"), pool, known));
            }
        }
        Ok(())
    }

    /// Checks that there is a load, either open or closed.
    fn check_load(&self) -> Result<(), SpecError> {
        let is_silent = self.arrivals.is_silent()?;
        let is_closed = self.client.clients > 0;
        let has_shared = !is_silent || is_closed;
        let no_class_shares = self.classes.iter().all(|class| class.share <= 0.0);
        if has_shared && !self.classes.is_empty() && no_class_shares {
            let allowed = "above 0 for one class at least, which gets the arrivals";
            return Err(SpecError::value("class.share", "0 for all", allowed));
        }
        if is_closed && !is_silent {
            let allowed = "0 beside arrivals: the load is either open or closed";
            return Err(SpecError::value("client.clients", self.client.clients, allowed));
        }
        self.arrivals.check(self.warm_up.saturating_add(self.window))?;
        let has_own = self.classes.iter().any(|class| class.rate.is_some_and(|rate| rate > 0.0));
        if has_own || has_shared {
            return Ok(());
        }
        let allowed = "a rate, a profile or a trace, or `client.clients`";
        Err(SpecError::value("arrivals", "silent", allowed))
    }

    /// Checks that the trace has the demands that a stage takes from it.
    fn check_traced(&self) -> Result<(), SpecError> {
        let Some(stage) = self.stages.iter().find(|stage| stage.demand.is_traced()) else {
            return Ok(());
        };
        let recorded = &self.arrivals.recorded;
        let has_demands =
            !recorded.times.is_empty() && recorded.demands.len() == recorded.times.len();
        let has_own = self.classes.iter().any(|class| class.rate.is_some());
        if has_demands && !has_own {
            return Ok(());
        }
        let allowed =
            "where all requests come from a trace that has their demands in its second column";
        Err(SpecError::value(stage.key("demand.kind"), "trace", allowed))
    }

    fn check_faults(&self) -> Result<(), SpecError> {
        let queues = self.queue_names(|_| true);
        let cached = self.queue_names(|stage| stage.demand.is_cached());
        let classes = self.classes_or_default();
        let has_rate = self.arrivals.process != Process::Trace && self.client.clients == 0;
        let scope = FaultScope {
            queues: &queues,
            cached: &cached,
            classes: &classes,
            has_rate,
            end: self.end(),
        };
        self.faults.iter().try_for_each(|fault| fault.check(scope))
    }

    /// Checks the rates under floods, because floods of one class at the same time multiply.
    fn check_floods(&self) -> Result<(), SpecError> {
        let rates = self.arrivals.rates()?;
        for class in self.classes_or_default().iter() {
            let mut flooded = stretches(&rates, 1.0, &class.name, &self.faults);
            let own = class.rate.map(|rate| Stretch { until: u64::MAX, rate });
            flooded.extend(stretches(own.as_slice(), 1.0, &class.name, &self.faults));
            let excess =
                flooded.iter().find(|stretch| stretch.rate.is_nan() || stretch.rate > MAX_RATE);
            if let Some(excess) = excess {
                let value = format!("{} per second of class {} together", excess.rate, class.name);
                return Err(SpecError::value("fault.factor", value, "10000000 per second at most"));
            }
        }
        Ok(())
    }
}
