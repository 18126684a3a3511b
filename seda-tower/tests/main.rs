//! The crate as its users meet it: the layer, stages and the admin side.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod admin;
mod conservation;
mod drain;
mod example;
mod grpc;
mod layer;
#[path = "../examples/tonic_admission/method.rs"]
mod method;
mod routes;
mod scripted;
mod sockets;
mod stages;
