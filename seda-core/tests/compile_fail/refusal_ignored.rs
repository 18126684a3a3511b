//! A refused event cannot be overlooked: it is in the result.

#![deny(unused_must_use)]

use seda_core::{Context, Sink};

fn send(cx: &mut Context, numbers: &Sink<u32>) {
    cx.send(numbers, 4);
}

fn main() {}
