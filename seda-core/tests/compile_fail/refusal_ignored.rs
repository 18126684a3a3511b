//! A refusal must be used: it contains the event.

#![deny(unused_must_use)]

use seda_core::{Context, Sink};

fn send(cx: &mut Context, numbers: &Sink<u32>) {
    cx.send(numbers, 4);
}

fn main() {}
