//! An edge carries events of its target's type only.

use seda_core::{Context, Sink};

fn send(cx: &mut Context, lengths: &Sink<usize>) {
    let _ = cx.send(lengths, "four");
}

fn main() {}
