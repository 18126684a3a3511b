//! Servers of other protocols on the reactor: requests and answers over TCP, in order.
//!
//! [`Protocol`] gives the bytes their meaning. The rest is the same as for an HTTP server: bounds
//! on connections, pipelines and buffers, time limits, admission with a reserved place for each
//! answer, refusals before any work, clients that leave, and a drain that answers every received
//! request. `examples/line_server.rs` of the workspace is a whole server.
//!
//! ```
//! use seda_core::{Context, Graph, Responder};
//! use seda_http::BytesMut;
//! use seda_http::tcp::{Protocol, Tcp, TcpConfig, Unserved};
//! use std::time::Duration;
//!
//! /// A request is one byte. Its answer is the next byte value.
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
//! The room imports `http` (for its defaults), `server` and `reactor`. Code that HTTP could use
//! does not belong here.
//!
//! | file | holds |
//! | --- | --- |
//! | `protocol` | [`Protocol`] and [`Unserved`]: the meaning of the bytes |
//! | `config` | [`TcpConfig`]: every bound, with its default |
//! | `builder`, `server` | [`Tcp`] before it serves; [`TcpServer`] after |
//! | `codec` | a [`Protocol`] as a codec of the reactor, with its panics caught |
//! | `accept` | admission, refusal and loss of requests |

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
