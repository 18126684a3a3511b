//! A stage that waits for an async client without holding a thread.
//!
//! Two workers hand each request to a tokio client with `cx.defer` and take the next one. The
//! remote service answers after 200 ms, so 2,000 requests are outstanding at once: the limit by the
//! stage's `pending` setting. Any further request is answered at once that the stage is busy.
//!
//! Type: `cargo run --release --example async_fan_in` (`--requests 5000 --pending 500` for others)
//! See:  the number of requests made, outstanding on two workers, answered, and told that the stage
//!       is busy; the time of the drain, which waits for outstanding requests; then a report.

mod client;
mod fan_in;
mod remote;

use clap::Parser;
use fan_in::FanIn;
use seda::{Clock, MonotonicClock, Time};
use std::error::Error;
use std::time::Duration;

/// The limit of a drain: far longer than the remote service takes.
const DRAIN_LIMIT: Duration = Duration::from_secs(60);

#[derive(Parser)]
#[command(about = "Keeps thousands of requests to a remote service outstanding on two workers")]
struct Flags {
    /// Requests, made all at once
    #[arg(long, default_value_t = 3000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    requests: u32,
    /// Requests that may be outstanding
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pending: u32,
    /// Milliseconds that the remote service takes for each request
    #[arg(long, default_value_t = 200)]
    millis: u32,
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    let delay = Duration::from_millis(flags.millis.into());
    let fan_in = FanIn::start(flags.requests, flags.pending, delay)?;
    fan_in.remote.release();

    let clock = MonotonicClock::new();
    let tickets = fan_in.ask(flags.requests);
    let asked = clock.now();
    let outcomes = fan_in.finish(tickets, DRAIN_LIMIT)?;
    let all = clock.now();

    println!("{} requests made in {:.1?}", flags.requests, asked.since(Time::ZERO));
    println!("{} outstanding at once on {} workers", outcomes.most_outstanding, fan_in::WORKERS);
    println!("{} answered, {} told that it is busy", outcomes.answered, outcomes.busy);
    let blocking = delay * outcomes.answered.div_ceil(fan_in::WORKERS as u32);
    println!("drained in {:.1?}; two workers that blocked: {blocking:.0?}", all.since(asked));
    println!("\n{}", outcomes.drained.report);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use seda::testing::assert_balanced;

    #[test]
    fn two_workers_keep_the_limit_outstanding_answer_the_rest_busy_and_a_drain_waits() {
        let fan_in = FanIn::start(3_000, 2_000, Duration::ZERO).unwrap();
        // The remote service holds all answers, so the counts are exact on any machine.
        let tickets = fan_in.ask(3_000);
        fan_in.wait_until_handed_over(DRAIN_LIMIT);
        let report = fan_in.report();
        let stage = &report.stages[0];
        assert_eq!((stage.pending, stage.handled, stage.workers.now), (2_000, 1_000, 2));
        assert_balanced(&report);
        let short = fan_in.remote.clone();
        let release = std::thread::Builder::new().spawn(move || short.release()).unwrap();
        let outcomes = fan_in.finish(tickets, DRAIN_LIMIT).unwrap();
        release.join().unwrap();
        assert!(outcomes.drained.complete, "{}", outcomes.drained.report);
        assert_eq!(
            (outcomes.answered, outcomes.busy, outcomes.most_outstanding),
            (2_000, 1_000, 2_000)
        );
        let requests = &outcomes.drained.report.requests;
        assert_eq!((requests.answered, requests.open), (3_000, 0));
        assert_balanced(&outcomes.drained.report);
    }

    #[test]
    fn requests_are_lost_and_events_fail_when_the_remote_service_closes_its_connection() {
        let fan_in = FanIn::start(10, 10, Duration::ZERO).unwrap();
        let tickets = fan_in.ask(10);
        fan_in.wait_until_handed_over(DRAIN_LIMIT);
        fan_in.remote.hang_up();
        let outcomes = fan_in.finish(tickets, DRAIN_LIMIT).unwrap();
        assert_eq!((outcomes.answered, outcomes.lost), (0, 10));
        assert_eq!(outcomes.drained.report.stages[0].failed, 10);
        assert_balanced(&outcomes.drained.report);
    }
}
