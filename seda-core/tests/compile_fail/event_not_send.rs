//! An event passes from thread to thread, so it must be `Send`.

use seda_core::Graph;
use std::rc::Rc;

fn main() {
    let mut graph = Graph::new("local");
    let _stage = graph.stage::<Rc<u32>>("stage", 8);
}
