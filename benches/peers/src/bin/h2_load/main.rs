//! An open-loop load over HTTP/2: one connection, without TLS and by prior knowledge (h2c).
//!
//! The times of all requests are drawn before the first is sent, and response times count from
//! them: a slow server meets the same arrivals as a fast one. A request for which no stream is free
//! waits for one, and its wait counts. Prints a line of JSON.
//!
//! Type: `cargo run --release -p seda-tower --example axum_admission -- --listen 127.0.0.1:8080`
//!       and in another terminal
//!       `cargo run --release --manifest-path benches/peers/Cargo.toml --bin h2_load -- \
//!           'http://127.0.0.1:8080/work?micros=1000' --rate 4000 --slo 200ms`
//! See:  the requests offered, and of them those answered within the SLO, late, refused, given up
//!       and failed; the quantiles of the response times of all answers but refusals.

mod connection;
mod load;
mod outcomes;

use clap::Parser;
use load::{Load, LoadError};
use seda_tools::Url;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

#[derive(Parser)]
struct Flags {
    /// The URL, such as http://127.0.0.1:8080/work?micros=1000
    url: Url,
    /// Requests per second, in the mean: arrivals are those of a Poisson process
    #[arg(long, default_value = "1000")]
    rate: f64,
    /// Requests under way on the connection at once
    #[arg(long, default_value = "100")]
    streams: NonZeroUsize,
    /// How long requests are sent
    #[arg(long, default_value = "5s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// An answer within this time is good
    #[arg(long, default_value = "200ms", value_parser = humantime::parse_duration)]
    slo: Duration,
    /// The time after which a client gives up and resets its stream
    #[arg(long, default_value = "1s", value_parser = humantime::parse_duration)]
    timeout: Duration,
    /// Draws the times of the arrivals
    #[arg(long, default_value = "1")]
    seed: u64,
}

fn main() -> ExitCode {
    match run(Flags::parse()) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run(flags: Flags) -> Result<String, LoadError> {
    let Flags { url, rate, streams, duration, slo, timeout, seed } = flags;
    let load = Load { url, rate, streams: streams.get(), duration, slo, timeout, seed };
    // One thread, as a generator of one core has.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let outcomes = runtime.block_on(load.run())?;
    Ok(outcomes.into_json(duration).to_string())
}
