//! A request is answered once: `respond` consumes the responder.

use seda_core::Responder;

fn answer(reply: Responder<u32>) {
    reply.respond(1);
    reply.respond(2);
}

fn main() {}
