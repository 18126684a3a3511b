//! An edge carries the events of the stage it leads to, and no others.

use seda_core::{Context, Sink};

fn send(cx: &mut Context, lengths: &Sink<usize>) {
    let _ = cx.send(lengths, "four");
}

fn main() {}
