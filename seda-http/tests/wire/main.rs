//! The server over real sockets. Every test waits for what it waits for, with a limit so generous
//! that only a defect reaches it; none waits for time to pass.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "in a test a panic is how a failure is told; clippy spares only functions marked so"
)]

mod admin;
mod client;
mod connections;
mod drain;
mod overload;
mod site;
mod statuses;
