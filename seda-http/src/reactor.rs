//! The reactor: sockets, buffers and clocks of many connections on one thread. It knows bytes and
//! the order of answers; it knows no HTTP.
//!
//! A reactor is a worker whose idle action is to poll ([`seda_core::Park`]): the same thread turns
//! the non-blocking stages of its pool and looks at its sockets in between, so a request that
//! needs no other thread costs no switch, no wake-up and two system calls: one read, one write.
//!
//! ```text
//! Acceptor ─▶ Mailbox ─▶ Connections ─▶ Connection: read ─▶ Protocol ─▶ Service ─▶ (the graph)
//!                ▲                         │  ▲                                        │
//!                │                         ▼  │ in order                               │
//!                │                  socket ◀─ Output ◀─ Pipeline ◀─────────────────────┤
//!                └──────────────────── an answer, from any thread ◀────────────────────┘
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `protocol` | [`Protocol`]: bytes to requests, answers to bytes |
//! | `service` | [`Service`]: what to do with a request |
//! | `settings` | [`Settings`]: every bound and time limit of a connection |
//! | `body` | [`Body`]: what follows an answer's head, made while it is written |
//! | `output` | [`Output`]: what waits to be written |
//! | `pipeline` | requests in flight on one connection, answered in order |
//! | `stream` | a client's socket, and what is known of it |
//! | `connection` | one client: buffers, requests in flight, phase |
//! | `patience` | what a connection waits for, and how long |
//! | `connections` | the table of connections and their generations |
//! | `doze` | the sleep of a reactor, and how it is ended |
//! | `gathering` | how a reactor under a flood saves wake-ups |
//! | `mailbox` | what other threads tell a reactor |
//! | `occupancy` | how many connections there are, and who waits for none to be left |
//! | `acceptor` | the listener |
//! | `poller` | [`Reactor`]: the round of it all |

mod acceptor;
mod body;
mod coalescing;
mod codec;
mod connection;
mod connection_count;
mod connections;
mod mailbox;
mod output;
mod pipeline;
mod poller;
mod service;
mod settings;
mod socket;
mod stream;
#[cfg(test)]
mod tests;
mod timeouts;
mod unparker;

pub(crate) use acceptor::Acceptor;
pub use body::Body;
pub(crate) use codec::{Decoded, Owed, Protocol};
pub(crate) use connection_count::Occupancy;
pub(crate) use mailbox::{Letter, Mailbox};
pub(crate) use output::Output;
pub(crate) use poller::{Berth, Reactor, Seat};
pub(crate) use service::{Admission, Service};
pub(crate) use settings::Settings;
