//! The admin side of a server on a seda stage graph: a live page, its report as text and JSON, its
//! graph in DOT and SVG, and its probes.
//!
//! It knows no transport and opens no socket: an [`AdminRequest`] goes in, an [`AdminAnswer`] comes
//! out. `seda-http` serves it; a program can serve it over another transport.
//!
//! ```
//! use seda_admin::{Admin, AdminAccess, AdminBody, AdminPath, AdminRequest};
//! use seda_core::Graph;
//! use std::sync::mpsc;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut graph = Graph::new("pages");
//! let render = graph.stage::<u32>("render", 64);
//! graph.attach_each(render, |_wire| |_page, _cx| {})?;
//! let running = graph.start()?;
//!
//! let admin = Admin::new(running.snapshots());
//! let access = AdminAccess::closed().with_probes().with_pages(AdminPath::default());
//! let (sender, answers) = mpsc::channel();
//! let later = move |answer| sender.send(answer).unwrap_or(());
//! let now = admin.answer(&access, &AdminRequest::get("/_seda/report"), later);
//! // The first answer comes with the first snapshot, from another thread.
//! let answer = now.map_or_else(|| answers.recv(), Ok)?;
//! assert_eq!((answer.status, answer.content_type), (200, "application/json"));
//! let AdminBody::Bytes(json) = answer.body else { unreachable!() };
//! assert!(json.starts_with(b"{\"graph\":\"pages\""));
//! # Ok(())
//! # }
//! ```
//!
//! # The pages
//!
//! | path | answer |
//! | --- | --- |
//! | `/livez` | 200 while the process answers at all |
//! | `/readyz` | 200, or 503 while the server drains or a stage has only stuck workers |
//! | `/_seda/` | the live page: the graph, what limits it, every stage, response times, decisions |
//! | `/_seda/events` | a record each second as server-sent events: `{"load": …, "report": …}` |
//! | `/_seda/report` | the report as JSON; `?format=text` for people |
//! | `/_seda/graph` | the graph with live figures, in DOT; for a browser a drawing |
//! | `/_seda/graph?format=svg` | the drawing; `&columns=2` for a narrow one |
//! | `/_seda/metrics` | the figures for Prometheus, as text 0.0.4 or OpenMetrics by Accept |
//! | `/_seda/history` | the past minute, second by second, as JSON; up to `?seconds=600` |
//! | `/_seda/live`, `/_seda/ready` | as `/livez` and `/readyz` |
//!
//! [`AdminAccess`] says which of them a listener shows, and under which path in place of `/_seda`.
//! Each answer forbids caches, content sniffing and frames, and no other origin may read it. The
//! live page runs the script of its own server, and no other answer runs any.
//!
//! # The share of the admin side
//!
//! Admin requests pass no queue and no gate of the graph, so an overload does not delay them. They
//! do not delay the graph either: a snapshot is made at most four times a second, rendered once per
//! format, and answers at most 64 requests. Further requests wait for the next snapshot; those that
//! it does not answer either get 429. So clients that ask again and again are slowed down to four
//! answers a second each, instead of taking the server's time. The history is written on a thread
//! of its own, once a second at most, and takes 5 % of a core at most. 32 readers at most have the
//! events; a record is encoded once for all of them, and a reader without room loses it.
//!
//! # The rooms
//!
//! A file imports its own room and the rooms below it.
//!
//! | room | holds |
//! | --- | --- |
//! | `admin` | [`Admin`]: requests to pages and probes |
//! | `pages` | snapshots as pages: rendered once, with a bound on their answers |
//! | `metrics` | report and server as metrics |
//! | `drawing` | the graph as SVG: layers, positions, figures |
//! | [`web`] | the style and the scripts of HTML pages |
//! | `access` | the part of the admin side that a listener shows; the check of the Host field |
//! | `answer` | [`AdminAnswer`], and the answers without a snapshot |
//! | `events` | the report of each second, to a bounded number of readers |
//! | `figures` | [`ServerFigures`]: what a server counts beside its graph |

#![forbid(unsafe_code)]

mod access;
mod admin;
mod answer;
mod drawing;
mod events;
mod figures;
mod metrics;
mod pages;
pub mod web;

pub use access::{AdminAccess, AdminPath, AdminPathError};
pub use admin::{Admin, AdminRequest};
pub use answer::{AdminAnswer, AdminBody};
pub use events::{EventReader, EventSink};
pub use figures::{RequestTimes, ServerFigure, ServerFigures};
