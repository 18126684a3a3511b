//! The speed of the simulator in events per CPU second: three specs of the lab, from a single queue
//! to endless retries, and the machine of the matrix with 64 cores and 100 stages.
//!
//! `cargo bench -p benches --bench simulator`. An event is an arrival, a completed batch, a retry,
//! a timeout or a tick of the controllers. Only the time depends on the machine.

#![allow(clippy::expect_used, reason = "a benchmark ends if its setup fails")]

use benches::{Rounds, cpu_seconds};
use seda_sim::Spec;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

const LAB: [&str; 3] = ["mm1", "admission", "congestion_collapse"];
const SERVICES: usize = 99;
/// Rounds are interleaved, so that other load of the machine affects all cases alike.
const ROUNDS: usize = 7;

fn main() {
    let mut specs: Vec<Spec> = LAB.map(lab).into();
    specs.push(wide());
    let names: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let mut rounds = Rounds::new(names);
    for _ in 0..ROUNDS {
        for (case, spec) in specs.iter().enumerate() {
            let began = cpu_seconds();
            let report = seda_sim::run(spec, spec.seed).expect("a spec that runs");
            let spent = cpu_seconds() - began;
            rounds.add(case, report.events as f64 / spent);
        }
    }
    println!("events per second of CPU time");
    rounds.print("  ");
}

fn lab(name: &str) -> Spec {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/lab");
    Spec::read(&lab.join(format!("{name}.toml"))).expect("a spec of the lab")
}

/// Returns an entry and 99 services in a pool of 64 workers, at twice the capacity of 64 cores.
fn wide() -> Spec {
    let mut text = String::from(
        "name = 'wide'\ncores = 64\nroutes_known = true\nslo = '200ms'\nrefusal_cpu = '6us'\n\
         warm_up = '1s'\ncool_down = '1s'\narrivals.rate = 128000.0\n\
         [[pool]]\nname = 'pool'\nworkers = 64\n[[stage]]\nname = 'entry'\ncapacity = 65536\n\
         workers = 4\nbatch = 16\ndemand = { kind = 'deterministic', mean = '1us' }\nroutes = [",
    );
    for service in 0..SERVICES {
        let share = 1.0 / SERVICES as f64;
        write!(text, "{{ to = 's{service}', share = {share} }},").expect("room");
    }
    text.push_str("]\n");
    for service in 0..SERVICES {
        let demand = "demand = { kind = 'deterministic', mean = '1ms' }";
        let stage = format!("name = 's{service}'\ncapacity = 4096\npool = 'pool'\n{demand}\n");
        write!(text, "[[stage]]\n{stage}").expect("room");
    }
    text.push_str("[graph]\nslo.p99 = '200ms'\n");
    let mut spec: Spec = text.parse().expect("a spec");
    spec.window = Duration::from_secs(1);
    spec
}
