//! A handler moves to its worker's thread, so its fields must be `Send`.

use seda_core::{Context, Handler};
use std::rc::Rc;

struct Local {
    count: Rc<u32>,
}

impl Handler<u32> for Local {
    fn handle(&mut self, _event: u32, _cx: &mut Context) {}
}

fn main() {}
