//! The machine of the matrix: 64 cores and 100 stages, an entry with a few workers, as a reactor has,
//! and 99 services behind it that share a pool of 64 workers. The promise is the only setting.

#![allow(dead_code, reason = "each test binary uses its own part")]

use seda_sim::{SimReport, Spec};
use std::fmt::Write;
use std::time::Duration;

pub(crate) const CORES: f64 = 64.0;
pub(crate) const SERVICES: usize = 99;
/// What a refusal costs.
pub(crate) const REFUSAL: f64 = 6e-6;
pub(crate) const SLO: f64 = 0.2;

/// The machine with its 100 stages, all of this demand, at a multiple of their capacity.
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
    // Long enough for 40 of the longest services, and to have found the limits.
    let mean = spec.stages[1].demand.mean();
    spec.warm_up = Duration::from_secs_f64((mean * 60.0).clamp(0.3, 3.0));
    spec.window = Duration::from_secs_f64((mean * 40.0).clamp(0.2, 2.0));
    spec
}

pub(crate) fn deterministic(mean: &str) -> String {
    format!("{{ kind = 'deterministic', mean = '{mean}' }}")
}

/// s: what a served request costs.
pub(crate) fn served(spec: &Spec) -> f64 {
    spec.stages[0].demand.mean() + spec.stages[1].demand.mean()
}

/// C of the cores, in requests per second.
pub(crate) fn capacity(spec: &Spec) -> f64 {
    CORES / served(spec)
}

/// B = C (1 - (k - 1) c / s).
pub(crate) fn bound(spec: &Spec, load: f64) -> f64 {
    capacity(spec) * (1.0 - (load - 1.0) * REFUSAL / served(spec))
}

pub(crate) fn run(spec: &Spec) -> SimReport {
    seda_sim::run(spec, 1).unwrap()
}

/// Two classes, the first of them with a share of all requests.
pub(crate) fn classed(spec: &mut Spec, gold: f64) {
    let text = format!(
        "[[class]]\nname = 'gold'\nweight = 4\nshare = {gold}\n\
         [[class]]\nname = 'basic'\nshare = {}\n",
        1.0 - gold
    );
    let with: toml::Table = text.parse().unwrap();
    spec.classes = with["class"].clone().try_into().unwrap();
}
