//! Closed forms of queueing theory, as pure functions: bounds by operational analysis, waits of
//! G/G/c queues, closed networks.
//!
//! Imports nothing. What a spec's figures are does not belong here.

pub mod bounds;
pub mod closed;
pub mod wait;
