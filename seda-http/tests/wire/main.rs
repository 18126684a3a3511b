//! Tests of the server over real sockets. Each test waits for a condition, with a limit that only a
//! defect reaches. None waits for time to pass.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking; clippy exempts only functions marked as tests"
)]

mod access_log;
mod admin;
mod bound;
mod client;
mod connections;
mod drain;
#[path = "../../../seda-admin/tests/exposition/mod.rs"]
mod exposition;
#[cfg(target_os = "linux")]
mod files;
#[cfg(unix)]
mod listeners;
mod overload;
mod proxies;
mod refusals;
#[cfg(unix)]
mod restart;
mod routes;
mod site;
mod statuses;
mod streamed_uploads;
mod streams;
mod times;
#[cfg(feature = "tls")]
mod tls;
mod uploads;
