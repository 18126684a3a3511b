//! The packet router of the SEDA paper (Welsh, Culler, Brewer, SOSP 2001, section 5.2), without
//! and with the pool-size controller.
//!
//! Packets of a Gnutella-like network arrive in an open loop, 1,000 a second. 15 % of them are
//! queries, and the router blocks for 20 ms on each: that is the time of three workers, and the
//! router begins with one.
//!
//! Type: `cargo run --release --example packet_router` (`--seconds 2 --rate 400` for others)
//! See:  two runs of the same packets, ten seconds each, side by side: workers, queue and routed
//!       packets by second, then totals and latencies. Without the controller the queue fills and
//!       all packets wait for seconds, pings included. With it, workers are added within a few
//!       tenths of a second; its decisions are printed.

mod network;
mod run;
mod schedule;
mod table;

use clap::Parser;
use run::Run;
use seda::Mode;
use std::error::Error;

#[derive(Parser)]
#[command(about = "Routes packets through a blocking stage, without and with the controller")]
struct Flags {
    /// Seconds of arrivals in each of the two runs
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=3600))]
    seconds: u32,
    /// Mean number of packets per second
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    rate: u32,
    /// Seed of the arrivals: the same seed gives the same packets
    #[arg(long, default_value_t = 2001)]
    seed: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    println!(
        "{} packets/s for {} s, twice; {} % are queries, which block for {} ms",
        flags.rate,
        flags.seconds,
        schedule::QUERY_PERCENT,
        network::QUERY_DELAY.as_millis(),
    );
    let off = measure(&flags, Mode::Off)?;
    let on = measure(&flags, Mode::On)?;
    table::print(&off, &on);
    Ok(())
}

fn measure(flags: &Flags, control: Mode) -> Result<Run, Box<dyn Error>> {
    println!("controller {control} ...");
    Run::measure(flags.rate, flags.seconds, flags.seed, control)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[test]
    fn a_short_run_accounts_for_every_packet_with_and_without_the_controller() {
        let flags = Flags::parse_from(["packet_router", "--seconds", "1"]);
        for control in [Mode::Off, Mode::On] {
            let run = measure(&flags, control).unwrap();
            let packets = schedule::packets(flags.rate, flags.seconds, flags.seed).count();
            assert_eq!(run.offered, packets);
            assert_eq!(run.routed() + run.refused, run.offered);
            assert!(run.drained.complete, "{}", run.drained.report);
            let links = &run.drained.report.stages[2];
            assert_eq!((links.name.as_str(), links.handled), ("links", run.routed() as u64));
            assert_eq!(run.samples.len(), 1);
            seda::testing::assert_balanced(&run.drained.report);
        }
    }
}
