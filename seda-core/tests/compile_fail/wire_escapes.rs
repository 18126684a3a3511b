//! Edges are declared only while their stage is wired.

use seda_core::{Context, Graph};

fn main() {
    let mut graph = Graph::new("late");
    let stage = graph.stage::<u32>("stage", 8);
    let mut kept = None;
    let _ = graph.attach_each(stage, |wire| {
        kept = Some(wire);
        |_event: u32, _cx: &mut Context| {}
    });
}
