//! The table that shows both runs side by side.

use crate::run::Run;
use crate::schedule::Kind;
use seda::Controller;
use std::time::Duration;

pub(crate) fn print(off: &Run, on: &Run) {
    by_second(off, on);
    totals(off, on);
    print!("{PAPER}");
    decisions(on);
}

fn by_second(off: &Run, on: &Run) {
    println!("\n        controller off             controller on");
    println!("second  workers  queue  routed     workers  queue  routed");
    let routed = off.routed_by_second().into_iter().zip(on.routed_by_second());
    let samples = off.samples.iter().zip(&on.samples);
    for (second, ((off, on), (off_routed, on_routed))) in (1..).zip(samples.zip(routed)) {
        println!(
            "{second:>6}  {:>7}  {:>5}  {off_routed:>6}     {:>7}  {:>5}  {on_routed:>6}",
            off.workers, off.queue, on.workers, on.queue,
        );
    }
}

fn totals(off: &Run, on: &Run) {
    println!("\ncontroller          off         on");
    let row = |name: &str, of: &dyn Fn(&Run) -> String| {
        println!("{name:<12}{:>11}{:>11}", of(off), of(on));
    };
    row("offered", &|run| run.offered.to_string());
    row("routed", &|run| run.routed().to_string());
    row("refused", &|run| run.refused.to_string());
    row("routed/s", &|run| throughput(run).to_string());
    row("workers", &|run| most_workers(run));
    for (name, kind) in [("ping", Kind::Ping), ("query", Kind::Query)] {
        for (percentile, share) in [("p50", 0.5), ("p90", 0.9), ("p99", 0.99)] {
            row(&format!("{name} {percentile}"), &|run| latency(run, kind, share));
        }
    }
}

/// The results in the paper's figures, which show averages.
const PAPER: &str = "
the paper's (SOSP 2001, section 5.2), from its figures:
  one thread: saturated at 400 packets/s, latency in seconds
  controller: about 16 to 38 ms on average at 1,000 packets/s; at most 20 threads, one more every
              2 s while more than 100 packets wait
";

/// Returns the packets written per second of the arrivals.
fn throughput(run: &Run) -> usize {
    run.routed_by_second().iter().sum::<usize>() / run.seconds as usize
}

fn most_workers(run: &Run) -> String {
    run.samples.iter().map(|sample| sample.workers).max().unwrap_or(0).to_string()
}

fn latency(run: &Run, kind: Kind, share: f64) -> String {
    let millis = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1e3);
    run.quantile(kind, share).map_or_else(|| "-".to_owned(), millis)
}

fn decisions(on: &Run) {
    println!("\nthe controller's decisions:");
    let journal = on.drained.report.journal.iter();
    for decision in journal.filter(|decision| decision.controller == Controller::PoolSize) {
        println!("{decision}");
    }
}
