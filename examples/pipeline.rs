//! Three typed stages with bounded queues, and a report: the README's program.
//!
//! Type: `cargo run --release --example pipeline`
//! See:  the longest Collatz walk below 300,000 (230631, with 443 numbers), then a report with a
//! line for each stage. The source is faster than the stages, so it waits for room.

use seda::Graph;
use std::{error::Error, sync::mpsc, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new("collatz");
    let walk = graph.stage::<u64>("walk", 1_024); // name, event type, bound
    let pick = graph.stage::<(u64, usize)>("pick", 1_024);
    let tell = graph.stage::<(u64, usize)>("tell", 64);
    let (answer, answers) = mpsc::channel();

    graph.attach_each(walk, |wire| {
        let pick = wire.sink(pick); // an edge: typed, declared, counted
        move |start, cx| {
            let next =
                |n: &u64| (*n > 1).then(|| if n.is_multiple_of(2) { n / 2 } else { 3 * n + 1 });
            let length = std::iter::successors(Some(start), next).count();
            cx.send(&pick, (start, length)).unwrap_or_else(|refused| eprintln!("{refused}"));
        }
    })?;
    graph.attach_each(pick, |wire| {
        let (tell, mut best) = (wire.sink(tell), 0); // `best` is each worker's own
        move |walk, cx| {
            if walk.1 > best {
                best = walk.1;
                cx.send(&tell, walk).unwrap_or_else(|refused| eprintln!("{refused}"));
            }
        }
    })?;
    graph.attach_each(tell, |_wire| {
        move |walk, _cx| {
            answer.send(walk).unwrap_or_default() // nobody listens any more: that is fine
        }
    })?;

    let numbers = graph.source(walk)?;
    let running = graph.start()?;
    for start in 1..300_000 {
        numbers.send_within(start, Duration::from_secs(1))?;
    }
    let drained = running.drain(Duration::from_secs(5));
    println!("{:?}", answers.try_iter().max_by_key(|(_, length)| *length));
    println!("{}", drained.report);
    Ok(())
}
