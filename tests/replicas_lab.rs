//! The lab's simulation of replicas agrees with queueing theory. Its seeds are fixed, so every run
//! gives the same figures.

#![allow(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "../examples/overload_lab/replicas.rs"]
mod replicas;

use replicas::{Figures, Scenario, Service};
use seda::Balance;

/// Returns the mean response time at a load of 0.8.
fn mean(service: Service, slow: bool, balance: Balance) -> f64 {
    let scenario = Scenario::new(service, slow, 0.8);
    let runs = (1..=2).map(|seed| Figures::of(scenario.run(balance, seed, 200_000)).0[0]);
    runs.sum::<f64>() / 2.0
}

#[test]
fn a_central_queue_has_the_mean_of_an_m_m_4_queue() {
    // Erlang's C at a load of 0.8: 1 + 0.5964 / (4 · 0.2).
    let mean = mean(Service::Exponential, false, Balance::Central);
    assert!((mean / 1.7455 - 1.0).abs() < 0.02, "{mean}");
}

#[test]
fn the_central_queue_beats_queue_lengths_and_these_beat_round_robin() {
    for (service, slow) in [(Service::Exponential, false), (Service::Exponential, true)] {
        let [central, shortest, two, turns] =
            Balance::ALL.map(|balance| mean(service, slow, balance));
        let means = format!("{service} {slow}: {central} {shortest} {two} {turns}");
        assert!(central < shortest && shortest < two && two < turns, "{means}");
    }
}
