//! The lab's simulation of replicas against what queueing theory says of them. Seeded: it comes to
//! the same every time.

#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../examples/overload_lab/replicas.rs"]
mod replicas;

use replicas::{Figures, Scenario, Service};
use seda::Balance;

fn mean(service: Service, slow: bool, balance: Balance) -> f64 {
    let scenario = Scenario::new(service, slow, 0.8);
    let runs = (1..=2).map(|seed| Figures::of(scenario.run(balance, seed, 200_000)).0[0]);
    runs.sum::<f64>() / 2.0
}

#[test]
fn a_central_queue_is_an_m_m_4() {
    // Erlang's C at a load of 0.8: 1 + 0.5964 / (4 · 0.2).
    let mean = mean(Service::Exponential, false, Balance::Central);
    assert!((mean / 1.7455 - 1.0).abs() < 0.02, "{mean}");
}

#[test]
fn no_balance_beats_the_central_queue_and_looking_at_lengths_beats_taking_turns() {
    for (service, slow) in [(Service::Exponential, false), (Service::Exponential, true)] {
        let [central, shortest, two, turns] =
            Balance::ALL.map(|balance| mean(service, slow, balance));
        let told = format!("{service} {slow}: {central} {shortest} {two} {turns}");
        assert!(central < shortest && shortest < two && two < turns, "{told}");
    }
}
