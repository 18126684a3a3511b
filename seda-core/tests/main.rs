//! What graphs promise, tested on the public interface. One program, because each takes seconds to
//! link. `cargo test -p seda-core --features simulation drain::` runs one file.

mod admission;
mod aqm;
mod batches;
mod busy_workers;
mod bytes;
mod check;
#[cfg(feature = "simulation")]
mod clocks;
mod conservation;
mod drain;
mod endings;
mod foreign;
mod graph_errors;
mod held;
mod keyed;
mod mid_batch;
#[cfg(feature = "simulation")]
mod order_of_action;
mod outside_routes;
mod outstanding;
mod panics;
mod pending;
mod pools;
mod rate;
mod reconfigure;
mod reconfigure_threads;
mod replicas;
mod report;
mod requests;
mod room;
mod scrapes;
mod sends;
#[cfg(feature = "simulation")]
mod split_turns;
mod support;
mod testing;
mod time;
mod timers;
mod unwinding;
mod user_code;
mod valve;
mod wakes;
