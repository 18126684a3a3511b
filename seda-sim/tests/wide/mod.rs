//! The machine of the matrix: 64 cores and 100 stages. The entry has a few workers, as a reactor
//! has; the 99 services behind it share a pool of 64 workers. The SLO is the only setting.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use seda_sim::{SimReport, Spec};
use std::fmt::Write;
use std::time::Duration;

pub(crate) const CORES: f64 = 64.0;
pub(crate) const SERVICES: usize = 99;
/// Core time of a refusal, in seconds.
pub(crate) const REFUSAL: f64 = 6e-6;
/// In seconds.
pub(crate) const SLO: f64 = 0.2;

/// Returns the spec of the machine with services of this demand, at a multiple of its capacity.
pub(crate) fn spec(demand: &str, load: f64) -> Spec {
    let mut text = String::from(
        "name = 'wide'\ncores = 64\nroutes_known = true\nslo = '200ms'\nrefusal_cpu = '6us'\nwarm_up = '1s'\n\
         window = '1s'\ncool_down = '1s'\n\
         [arrivals]\nrate = 1.0\n[client]\ngives_up_after = '1s'\n\
         [[pool]]\nname = 'pool'\nworkers = 64\n\
         [[stage]]\nname = 'entry'\ncapacity = 65536\nworkers = 4\nbatch = 16\n\
         demand = { kind = 'deterministic', mean = '1us' }\nroutes = [",
    );
    for service in 0..SERVICES {
        write!(text, "{{ to = 's{service}', share = {} }},", 1.0 / SERVICES as f64).unwrap();
    }
    text.push_str("]\n");
    for service in 0..SERVICES {
        write!(
            text,
            "[[stage]]\nname = 's{service}'\ncapacity = 4096\npool = 'pool'\ndemand = {demand}\n"
        )
        .unwrap();
    }
    text.push_str("[graph]\nslo.p99 = '200ms'\n");
    let mut spec: Spec = text.parse().unwrap();
    spec.arrivals.rate = Some(load * capacity(&spec));
    // The warm-up is long enough to find the limits, the window for 40 of the longest services.
    let mean = spec.stages[1].demand.mean();
    spec.warm_up = Duration::from_secs_f64((mean * 60.0).clamp(0.3, 3.0));
    spec.window = Duration::from_secs_f64((mean * 40.0).clamp(0.2, 2.0));
    spec
}

pub(crate) fn deterministic(mean: &str) -> String {
    format!("{{ kind = 'deterministic', mean = '{mean}' }}")
}

/// Returns s: the core time of a served request, in seconds.
pub(crate) fn served(spec: &Spec) -> f64 {
    spec.stages[0].demand.mean() + spec.stages[1].demand.mean()
}

/// Returns C: the capacity of the cores, in requests per second.
pub(crate) fn capacity(spec: &Spec) -> f64 {
    CORES / served(spec)
}

/// Returns the bound of goodput under a load of k·C: B = C (1 - (k - 1) c / s).
pub(crate) fn bound(spec: &Spec, load: f64) -> f64 {
    capacity(spec) * (1.0 - (load - 1.0) * REFUSAL / served(spec))
}

pub(crate) fn run(spec: &Spec) -> SimReport {
    seda_sim::run(spec, 1).unwrap()
}

/// Gives a spec two classes: `gold` with this share of all requests, and `basic`.
pub(crate) fn classed(spec: &mut Spec, gold: f64) {
    let text = format!(
        "[[class]]\nname = 'gold'\nweight = 4\nshare = {gold}\n\
         [[class]]\nname = 'basic'\nshare = {}\n",
        1.0 - gold
    );
    let with: toml::Table = text.parse().unwrap();
    spec.classes = with["class"].clone().try_into().unwrap();
}
