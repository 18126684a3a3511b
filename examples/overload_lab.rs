//! A lab for the overload valve: which events are evicted when a graph is at its budget?
//!
//! There is no network and there are no threads. Two stages run at twice their capacity, on a clock
//! that moves only when they work, so every run prints the same.
//!
//! Type: `cargo run --release --example overload_lab -- --policy longest_queue`
//!       (or tail_drop, random, none; `--control observe` prints decisions and changes nothing)
//!       `-- --experiment replicas` compares the balances of a replicated stage instead
//! See:  the decisions of the valve, each with the depths before it, its victims and its reason;
//!       then the ends by class, and the service time wasted on events that were shed later.

#[path = "overload_lab/replicas.rs"]
mod replicas;

use clap::{Parser, ValueEnum};
use seda::{
    Class, Clock, Graph, GraphConfig, LossReason, ManualClock, Mode, OverloadPolicy, SendOptions,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::{error::Error, sync::Arc, time::Duration};

const GOLD: Class = Class::new(0);
const BASIC: Class = Class::new(1);
/// Service demands of one event. `render` gets two events for each event of `parse`: a page takes 5
/// ms in all, so the capacity is 200 pages a second.
const PARSE: Duration = Duration::from_millis(1);
const RENDER: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Experiment {
    /// Two flooded stages: which events are evicted?
    Valve,
    /// Four replicas of a stage: which one gets the next event?
    Replicas,
}

#[derive(Parser)]
#[command(about = "Floods two stages through a budget and shows which events are evicted")]
struct Flags {
    /// The experiment to run
    #[arg(long, default_value = "valve")]
    experiment: Experiment,
    /// The valve's choice of victims at the budget: longest_queue, tail_drop, random or none
    #[arg(long, default_value = "longest_queue")]
    policy: OverloadPolicy,
    /// Whether the valve acts: on, observe or off
    #[arg(long, default_value = "on")]
    control: Mode,
    /// Events that the graph may hold
    #[arg(long, default_value_t = 48, value_parser = clap::value_parser!(u16).range(1..=1024))]
    budget: u16,
    /// Pages that arrive; every fourth is gold
    #[arg(long, default_value_t = 2000)]
    pages: u32,
    /// Decisions to print
    #[arg(long, default_value_t = 12)]
    decisions: usize,
    /// Events for each balance, in the experiment with replicas
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u32).range(1000..))]
    events: u32,
    /// Repetitions of that experiment, each with arrivals of its own
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
}

struct Page(Class);

/// The ends of the pages' parts, by class.
#[derive(Default)]
struct Ends {
    rendered: ByClass,
    lost: ByClass,
    refused: ByClass,
}

/// One count for each of the two classes.
#[derive(Default)]
struct ByClass([AtomicU64; 2]);

impl ByClass {
    fn count(&self, class: Class) {
        if let Some(count) = self.0.get(class.index()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn of(&self, class: Class) -> u64 {
        self.0.get(class.index()).map_or(0, |count| count.load(Ordering::Relaxed))
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let flags = Flags::parse();
    if flags.experiment == Experiment::Replicas {
        replicas::compare(flags.events as usize, flags.seeds, |_, _, _, _| {});
        return Ok(());
    }
    let (clock, ends) = (Arc::new(ManualClock::new()), Arc::new(Ends::default()));

    let mut graph = Graph::new("lab");
    graph.classes(&[("gold", 1), ("basic", 1)]);
    let mut config = GraphConfig { budget: Some(flags.budget.into()), ..GraphConfig::default() };
    config.control.overload = flags.policy;
    config.control.valve = flags.control;
    graph.apply(config)?;

    let parse = graph.stage::<Page>("parse", 1024);
    let render = graph.stage::<Page>("render", 1024);
    graph.attach_each(parse, |wire| {
        let (render, clock) = (wire.sink(render), Arc::clone(&clock));
        move |page, cx| {
            clock.advance(PARSE);
            // A page has two parts. The second is fan-out, so the valve may act for it.
            for part in [Page(page.0), page] {
                drop(cx.send(&render, part));
            }
        }
    })?;
    graph.attach_each(render, |_wire| {
        let (clock, ends) = (Arc::clone(&clock), Arc::clone(&ends));
        move |part, _cx| {
            clock.advance(RENDER);
            ends.rendered.count(part.0);
        }
    })?;
    for stage in [parse, render] {
        let ends = Arc::clone(&ends);
        graph.on_lost(stage, move |event, _reason: LossReason| ends.lost.count(event.0))?;
    }

    let source = graph.source(parse)?;
    let mut lab = graph.start_manual(clock.clone())?;
    let journal = lab.journal();
    let mut decisions = 0;
    for n in 0..flags.pages {
        // A page every 2.5 ms: twice the capacity.
        let due = seda::Time::from_nanos(u64::from(n) * 2_500_000);
        while clock.now() < due && lab.step() > 0 {}
        clock.advance_to(due);
        let class = if n % 4 == 0 { GOLD } else { BASIC };
        let entry = source.with_options(SendOptions { class, ..SendOptions::default() });
        if entry.send(Page(class)).is_err() {
            ends.refused.count(class);
        }
        for decision in journal.try_iter() {
            if decisions < flags.decisions {
                println!("{decision}");
            }
            decisions += 1;
        }
    }
    let drained = lab.drain(usize::MAX);
    println!("{decisions} decisions under policy {}, control {}\n", flags.policy, flags.control);
    print_ends(&ends);
    let wasted: f64 = drained.report.stages.iter().map(|stage| stage.wasted_seconds).sum();
    println!("service time wasted on events shed later: {wasted:.3} s\n\n{}", drained.report);
    Ok(())
}

/// Prints the ends by class.
fn print_ends(ends: &Ends) {
    println!("class   pages refused   parts rendered   events shed");
    for (class, name) in [(GOLD, "gold"), (BASIC, "basic")] {
        let (refused, rendered) = (ends.refused.of(class), ends.rendered.of(class));
        println!("{name:<6} {refused:>14} {rendered:>16} {:>13}", ends.lost.of(class));
    }
}
