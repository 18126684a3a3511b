//! Servers of other protocols on the same reactor: requests and answers over TCP, in order.
//!
//! [`Protocol`] says what the bytes mean. Everything else is what an HTTP server gets, too:
//! connections, pipelines and buffers with bounds, time limits, admission with a reserved way home
//! for each answer, refusals that cost no stage anything, clients that go, and a drain that answers
//! what was received. `examples/line_server.rs` at the top is a whole server.
//!
//! ```
//! use seda_core::{Context, Graph, Responder};
//! use seda_http::tcp::{Protocol, Tcp, TcpConfig, Unserved};
//! use seda_http::BytesMut;
//! use std::time::Duration;
//!
//! /// A byte asks, its successor answers.
//! #[derive(Clone)]
//! struct Next;
//!
//! impl Protocol for Next {
//!     type Request = u8;
//!     type Answer = u8;
//!
//!     fn decode(&self, input: &mut BytesMut) -> Result<Option<u8>, u8> {
//!         Ok((!input.is_empty()).then(|| input.split_to(1)[0]))
//!     }
//!
//!     fn encode(&mut self, answer: u8, output: &mut BytesMut) {
//!         output.extend_from_slice(&[answer]);
//!     }
//!
//!     fn refuse(&self, _why: Unserved) -> u8 {
//!         0
//!     }
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # use std::io::{Read, Write};
//! struct Ask { byte: u8, reply: Responder<u8> }
//!
//! let mut graph = Graph::new("next");
//! let mut tcp = Tcp::bind(TcpConfig::at(([127, 0, 0, 1], 0).into()), Next)?;
//! let next = graph.stage::<Ask>("next", 1_024);
//! tcp.entry(&mut graph, next, |byte, _peer, reply| Ask { byte, reply })?;
//! graph.attach_each(next, |_wire| |ask: Ask, _cx: &mut Context| {
//!     ask.reply.respond(ask.byte.wrapping_add(1));
//! })?;
//! let server = tcp.serve(graph.start()?)?;
//! let mut client = std::net::TcpStream::connect(server.local_addr())?;
//! client.write_all(b"HAL")?;
//! let mut answers = [0; 3];
//! client.read_exact(&mut answers)?;
//! assert_eq!(&answers, b"IBM");
//! drop(client);
//! assert_eq!(server.drain(Duration::from_secs(5)).report.requests.answered, 3);
//! # Ok(())
//! # }
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `protocol` | [`Protocol`], [`Unserved`]: what the bytes mean |
//! | `config` | [`TcpConfig`]: every bound, with its default and reason |
//! | `codec` | a protocol as the reactor wants it, with user code inside a panic boundary |
//! | `entrance` | admission, refusal, loss: the reactor's side of the graph |
//! | `server` | [`Tcp`] before, [`TcpServer`] while it serves |

mod accept;
mod builder;
mod codec;
mod config;
mod protocol;
mod server;

pub use builder::Tcp;
pub use config::TcpConfig;
pub use protocol::{Protocol, Unserved};
pub use server::TcpServer;
