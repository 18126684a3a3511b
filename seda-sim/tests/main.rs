//! Simulations whose results are exact. One program, because each takes seconds to link.
//! `cargo test -p seda-sim laws::` runs one file.

mod beside;
mod bottleneck;
mod closed_forms;
mod cold_start;
mod degraded_service;
mod diagnosis;
mod from_report;
mod lab;
mod laws;
mod matrix;
mod matrix_clients;
mod metastable;
mod order_of_action;
mod pool_size;
mod random_graphs;
mod rare_events;
mod repeats;
mod round_trip;
mod specs;
mod tenants;
mod valve_table;
mod wide;
