//! A context is the worker's: what a handler hands to others is a `Pending`.

use seda_core::{Context, Handler};

struct Hoard<'a> {
    kept: Vec<&'a mut Context>,
}

impl Handler<u32> for Hoard<'_> {
    fn handle(&mut self, _event: u32, cx: &mut Context) {
        self.kept.push(cx);
    }
}

fn main() {}
