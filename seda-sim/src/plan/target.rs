//! The cheapest change of a graph that meets an SLO at a rate.

use super::change::{Change, ChangeError, NewDemand, time_of};
use super::forecast::{Forecast, Limit};
use super::search::{Knob, Search, SearchError, cheapest, price};
use crate::model::error::SimError;
use crate::spec::Spec;
use crate::spec::capacity::{Capacity, Resource, ResourceKind};
use std::time::Duration;
use thiserror::Error;

/// The most changes that are tried; more take minutes.
const MOST_TRIED: usize = 1_000;
/// A step of a demand, as a share of it, and the most steps: half of it.
const DEMAND_STEP: f64 = 0.1;
const MOST_DEMAND_STEPS: usize = 5;
/// The most workers and cores, as a multiple of those now or of those that the rate needs, and in
/// addition to it.
const MOST_TIMES: f64 = 2.0;
const MOST_MORE: usize = 8;
/// With more stages than this, those below this load are left as they are: their waits are short.
const ALL_STAGES: usize = 4;
const LOADED: f64 = 0.3;
/// The share of requests that has to be answered.
const ANSWERED: f64 = 0.99;
/// A first run that misses the SLO by this factor is not repeated.
const CLEAR: f64 = 1.3;

/// What a change has to reach.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Target {
    /// The response time that 99 % of the answers keep.
    pub slo: Duration,
    /// The factor between the p99 that was measured and the simulated one.
    pub error: f64,
    /// The first seed, and the number of runs of each change.
    pub seed: u64,
    /// The number of runs.
    pub runs: u32,
}

impl Target {
    /// Returns the target of an SLO, for a model with an exact p99.
    pub fn new(slo: Duration, seed: u64, runs: u32) -> Self {
        Self { slo, error: 1.0, seed, runs }
    }

    /// Returns whether a forecast reaches it: all runs of it do.
    fn is_met_by(&self, forecast: &Forecast) -> bool {
        let p99 = forecast.p99.map_or(f64::INFINITY, |p99| p99.high);
        p99 * self.error <= self.slo.as_secs_f64() && forecast.answered.low >= ANSWERED
    }
}

/// The prices of changes, all above 0, in any one unit.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Prices {
    /// Of one worker more.
    pub worker: f64,
    /// Of one core more.
    pub core: f64,
    /// Of one per cent less demand at one stage.
    pub percent: f64,
}

impl Default for Prices {
    /// A worker is a thread. A core costs money every month, as much as some days of work on a
    /// demand.
    fn default() -> Self {
        Self { worker: 1.0, core: 20.0, percent: 2.0 }
    }
}

impl Prices {
    /// Returns prices.
    pub fn new(worker: f64, core: f64, percent: f64) -> Self {
        Self { worker, core, percent }
    }
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Remedy {
    /// The cheapest changes together, none if the graph meets the SLO as it is; and their price.
    Found {
        /// The changes.
        changes: Vec<Change>,
        /// The price.
        price: f64,
    },
    /// No change meets the SLO.
    None(String),
}

/// The reason why a search has no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NoChange {
    /// A changed graph cannot be simulated.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A change cannot be made.
    #[error(transparent)]
    Change(#[from] ChangeError),
}

impl Remedy {
    /// Searches the cheapest changes with which a spec meets a target at its own rate.
    ///
    /// # Errors
    /// A changed graph cannot be simulated, or the search becomes too large.
    pub fn search(
        spec: &Spec,
        target: &Target,
        prices: &Prices,
    ) -> Result<Self, SearchError<NoChange>> {
        let dials = dials(spec, prices);
        let knobs: Vec<Knob> = dials.iter().map(|dial| dial.knob).collect();
        let rate = spec.mean_rate();
        let mut trial = Trial { spec, target, dials: &dials, knobs: &knobs, rate };
        let found = cheapest(&knobs, &mut trial, MOST_TRIED)?;
        Ok(match found {
            Some(steps) => {
                Remedy::Found { changes: trial.changes(&steps), price: price(&knobs, &steps) }
            }
            None => Remedy::None(trial.reason()?),
        })
    }
}

/// Something of the graph that can be changed.
#[derive(Clone, Debug)]
struct Dial {
    knob: Knob,
    of: Turned,
}

/// What a dial changes.
#[derive(Clone, Debug)]
enum Turned {
    /// The workers of a pool, from a number on.
    Workers(String, usize),
    Cores(usize),
    /// The demand of a stage.
    Demand(String),
}

impl Dial {
    /// Returns whether the dial lowers the load of a resource.
    fn helps(&self, resource: &Resource) -> bool {
        match (&self.of, resource.kind) {
            (_, ResourceKind::Rate) => false,
            (Turned::Workers(of, _), ResourceKind::Workers | ResourceKind::Pool) => {
                *of == resource.name
            }
            (Turned::Workers(..), _) => false,
            (Turned::Cores(_), kind) => kind == ResourceKind::Cores,
            (Turned::Demand(_), ResourceKind::Pool | ResourceKind::Cores) => true,
            (Turned::Demand(of), _) => *of == resource.name,
        }
    }
}

/// Returns all that can be changed.
fn dials(spec: &Spec, prices: &Prices) -> Vec<Dial> {
    let rate = spec.mean_rate();
    let resources = Capacity::resources(spec);
    let is_open = |load: f64| spec.stages.len() <= ALL_STAGES || load >= LOADED;
    let mut dials = Vec::new();
    for resource in &resources {
        let load = resource.load(rate);
        let now = resource.servers as usize;
        let needed = load * resource.servers * MOST_TIMES;
        let most =
            (needed.max(resource.servers * MOST_TIMES) as usize + MOST_MORE).saturating_sub(now);
        let (price, of) = match resource.kind {
            ResourceKind::Workers | ResourceKind::Pool if is_open(load) => {
                (prices.worker, Turned::Workers(resource.name.clone(), now))
            }
            ResourceKind::Cores => (prices.core, Turned::Cores(now)),
            _ => continue,
        };
        dials.push(Dial {
            knob: Knob::new(price, most.min(MOST_SERVERS - now.min(MOST_SERVERS))),
            of,
        });
    }
    for stage in spec.stages.iter().filter(|stage| time_of(stage) > 0.0) {
        let own = resources.iter().filter(|resource| resource.stage.as_ref() == Some(&stage.name));
        let load = own.map(|resource| resource.load(rate)).fold(0.0, f64::max);
        if is_open(load) {
            let knob = Knob::new(prices.percent * DEMAND_STEP * 100.0, MOST_DEMAND_STEPS);
            dials.push(Dial { knob, of: Turned::Demand(stage.name.clone()) });
        }
    }
    dials
}

/// The most workers of a pool and cores of a machine.
const MOST_SERVERS: usize = 1_024;

/// A search among the dials of a spec.
struct Trial<'a> {
    spec: &'a Spec,
    target: &'a Target,
    dials: &'a [Dial],
    knobs: &'a [Knob],
    rate: f64,
}

impl Trial<'_> {
    /// Returns the changes of some steps.
    fn changes(&self, steps: &[usize]) -> Vec<Change> {
        let turned = self.dials.iter().zip(steps).filter(|(_, steps)| **steps > 0);
        turned
            .map(|(dial, steps)| match &dial.of {
                Turned::Workers(of, now) => Change::Workers { of: of.clone(), count: now + steps },
                Turned::Cores(now) => Change::Cores(now + steps),
                Turned::Demand(of) => {
                    let tenths = 1.0 - DEMAND_STEP * *steps as f64;
                    let factor = (tenths * 100.0).round() / 100.0;
                    Change::Demand { of: of.clone(), demand: NewDemand::Times(factor) }
                }
            })
            .collect()
    }

    fn changed(&self, steps: &[usize]) -> Result<Spec, NoChange> {
        let mut spec = self.spec.clone();
        for change in self.changes(steps) {
            change.apply(&mut spec)?;
        }
        Ok(spec)
    }

    /// Returns a lower bound of the price at which the load of one resource falls to 1.
    ///
    /// Steps multiply the load, so their logarithms add up. A step of servers lowers it the most
    /// now, and a step of a demand at its last; the cheapest per logarithm bounds them all.
    fn missing_of(&self, resource: &Resource, steps: &[usize]) -> f64 {
        let missing = resource.load(self.rate).ln();
        if missing <= 0.0 {
            return 0.0;
        }
        let dials = self.dials.iter().zip(steps);
        let open = dials.filter(|(dial, steps)| dial.helps(resource) && **steps < dial.knob.most);
        let prices = open.map(|(dial, _)| {
            let most = match dial.of {
                Turned::Workers(..) | Turned::Cores(_) => 1.0 / resource.servers,
                Turned::Demand(_) => {
                    let left = 1.0 - DEMAND_STEP * MOST_DEMAND_STEPS as f64;
                    DEMAND_STEP / left
                }
            };
            dial.knob.price / most.ln_1p()
        });
        missing * prices.fold(f64::INFINITY, f64::min)
    }

    /// Returns why nothing meets the target: the resource that is full, or the slow stage, with the
    /// most of everything.
    fn reason(&self) -> Result<String, NoChange> {
        let most: Vec<usize> = self.knobs.iter().map(|knob| knob.most).collect();
        let spec = self.changed(&most)?;
        let limit = Limit::of(&spec, self.rate);
        let slo = self.target.slo.as_secs_f64() * 1e3;
        if limit.load >= 1.0 {
            let stage = limit.stage.clone().unwrap_or_default();
            return Ok(format!(
                "{} is full at {:.0}/s with the most workers and cores and half of the demand{}",
                limit.resource,
                limit.full_at.unwrap_or(0.0),
                if stage.is_empty() { String::new() } else { format!(" (stage {stage})") }
            ));
        }
        let forecast = Forecast::of(&spec, self.target.seed, 1)?;
        let slowest = self.slowest(&spec, &forecast);
        let p99 = forecast.p99.map_or(f64::INFINITY, |p99| p99.median) * self.target.error * 1e3;
        Ok(format!(
            "with the most workers and cores and half of the demand the p99 is {p99:.1} ms, above \
             {slo:.1} ms, with {:.1} % answered; {slowest}",
            forecast.answered.median * 100.0
        ))
    }

    /// Returns the stage that takes the most of a request's time.
    fn slowest(&self, spec: &Spec, forecast: &Forecast) -> String {
        let visits = Capacity::of(spec).visits;
        let times = spec.stages.iter().zip(visits).map(|(stage, visits)| {
            let waits = forecast.stages.iter().find(|found| found.name == stage.name);
            let wait = waits.map_or(0.0, |found| found.wait_p99.median);
            (visits * (time_of(stage) + wait), stage, wait)
        });
        let slowest = times.max_by(|a, b| a.0.total_cmp(&b.0));
        slowest.map_or_else(String::new, |(_, stage, wait)| {
            format!(
                "the longest part is stage {}: {:.1} ms of service, which no worker shortens, and a \
                 wait of {:.1} ms (p99)",
                stage.name,
                time_of(stage) * 1e3,
                wait * 1e3
            )
        })
    }
}

impl Search for Trial<'_> {
    type Error = NoChange;

    fn missing(&self, steps: &[usize]) -> f64 {
        let Ok(spec) = self.changed(steps) else { return f64::INFINITY };
        let resources = Capacity::resources(&spec);
        // Own pools have no dial in common, so what they miss adds up.
        let (own, others): (Vec<&Resource>, Vec<&Resource>) =
            resources.iter().partition(|resource| resource.kind == ResourceKind::Workers);
        let own: f64 = own.into_iter().map(|resource| self.missing_of(resource, steps)).sum();
        let others = others.into_iter().map(|resource| self.missing_of(resource, steps));
        others.fold(own, f64::max)
    }

    fn holds(&mut self, steps: &[usize]) -> Result<bool, NoChange> {
        let spec = self.changed(steps)?;
        // One run tells most of the bad ones.
        let first = Forecast::of(&spec, self.target.seed, 1)?;
        let clear = Target { slo: self.target.slo.mul_f64(CLEAR), ..*self.target };
        if !clear.is_met_by(&first) || !self.target.is_met_by(&first) {
            return Ok(false);
        }
        Ok(self.target.is_met_by(&Forecast::of(&spec, self.target.seed, self.target.runs)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two stages, of which the second is full at 100/s.
    const LINE: &str = r#"
        cores = 8
        window = "20s"
        arrivals = { rate = 90.0 }
        [[stage]]
        name = "parse"
        capacity = 1000
        demand = { kind = "exponential", mean = "2ms" }
        routes = [{ to = "work" }]
        [[stage]]
        name = "work"
        capacity = 1000
        demand = { kind = "exponential", mean = "10ms" }
        [graph.control]
        admission = "off"
        pool_size = "off"
        batch_size = "off"
        valve = "off"
    "#;

    fn spec(text: &str) -> Spec {
        text.parse().unwrap_or_else(|error| panic!("{error}"))
    }

    fn search(text: &str, slo: u64, prices: &Prices) -> Remedy {
        let target = Target::new(Duration::from_millis(slo), 1, 2);
        Remedy::search(&spec(text), &target, prices).unwrap()
    }

    #[test]
    fn the_cheapest_change_depends_on_the_prices() {
        let Remedy::Found { changes, price } = search(LINE, 100, &Prices::default()) else {
            panic!("a worker more meets it")
        };
        assert_eq!((changes.len(), price), (1, 1.0));
        assert_eq!(changes[0], Change::Workers { of: "work".to_owned(), count: 2 });
        // Where a worker is dear, 30 % of the demand are cheaper: the load falls to 63 %.
        let dear = Prices::new(1_000.0, 1_000.0, 1.0);
        let Remedy::Found { changes, .. } = search(LINE, 150, &dear) else {
            panic!("less demand meets it")
        };
        assert!(matches!(&changes[..], [Change::Demand { of, .. }] if of == "work"), "{changes:?}");
        let kept = search(&LINE.replace("90.0", "30.0"), 150, &Prices::default());
        assert_eq!(kept, Remedy::Found { changes: Vec::new(), price: 0.0 });
    }

    #[test]
    fn no_change_is_an_answer_with_the_stage_and_the_reason() {
        // Half of an exponential demand of 10 ms has a p99 of 23 ms.
        let Remedy::None(reason) = search(LINE, 10, &Prices::default()) else {
            panic!("services alone take longer")
        };
        assert!(reason.contains("stage work") && reason.contains("no worker shortens"), "{reason}");
        let limited =
            LINE.to_owned() + "[graph.stages.work]\nrate = { per_second = 50.0, burst = 5 }\n";
        let Remedy::None(reason) = search(&limited, 100, &Prices::default()) else {
            panic!("the rate admits too few")
        };
        assert!(reason.contains("rate of work is full at 50/s"), "{reason}");
    }

    #[test]
    fn the_search_of_simulations_finds_what_trying_all_of_them_finds() {
        let text = LINE.replace("rate = 90.0", "rate = 150.0").replace("\"20s\"", "\"5s\"");
        let spec = spec(&text);
        let (target, prices) =
            (Target::new(Duration::from_millis(60), 1, 1), Prices::new(1.0, 5.0, 0.08));
        let dials = dials(&spec, &prices);
        let knobs: Vec<Knob> = dials.iter().map(|dial| dial.knob).collect();
        let mut trial =
            Trial { spec: &spec, target: &target, dials: &dials, knobs: &knobs, rate: 150.0 };
        let found = cheapest(&knobs, &mut trial, MOST_TRIED).unwrap().unwrap();
        let cost = price(&knobs, &found);
        // All cheaper vectors, in any order.
        let mut cheaper = vec![vec![0; knobs.len()]];
        for (index, knob) in knobs.iter().enumerate() {
            let before = cheaper.clone();
            for steps in 1..=knob.most {
                cheaper.extend(before.iter().map(|vector| {
                    let mut vector = vector.clone();
                    vector[index] = steps;
                    vector
                }));
            }
            cheaper.retain(|vector| price(&knobs, vector) < cost - 1e-9);
        }
        assert!(cheaper.len() > 5, "{found:?} costs {cost}");
        for vector in cheaper {
            assert!(
                !trial.holds(&vector).unwrap(),
                "{vector:?} holds and is cheaper than {found:?}"
            );
        }
    }
}
