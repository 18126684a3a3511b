//! Three typed stages with bounded queues, and a report: the second program of the README.
//!
//! Type: `cargo run --release --example pipeline`
//! See:  each word with its length, then a report with a line for each stage.

use seda::{Graph, Refused};
use std::{error::Error, time::Duration};

fn main() -> Result<(), Box<dyn Error>> {
    let mut graph = Graph::new("words");
    let split = graph.stage::<&str>("split", 64); // name, event type, bound of the queue
    let count = graph.stage::<String>("count", 1_024);
    let print = graph.stage::<(usize, String)>("print", 1_024);
    graph.attach_each(split, |wire| {
        let count = wire.sink(count); // an edge: typed, declared, counted
        move |line, cx| {
            let words = line.split(' ').map(str::to_owned).collect();
            cx.send_all(&count, words).unwrap_or_else(Refused::give_up) // all or none
        }
    })?;
    graph.attach_each(count, |wire| {
        let print = wire.sink(print);
        move |word, cx| cx.send(&print, (word.len(), word)).unwrap_or_else(Refused::give_up)
    })?;
    graph.attach_each(print, |_wire| |(letters, word), _cx| println!("{letters} {word}"))?;
    let lines = graph.source(split)?;
    let running = graph.start()?;
    lines.send_all(vec!["accept read parse admit", "queue handle respond write"])?;
    println!("{}", running.drain(Duration::from_secs(5)).report);
    Ok(())
}
