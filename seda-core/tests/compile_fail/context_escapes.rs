//! A context belongs to its worker: a handler gives other threads a `Pending` instead.

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
