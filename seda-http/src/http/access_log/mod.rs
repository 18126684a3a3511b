//! The access log: a line for each answered request; and the ids of requests.
//!
//! A reactor formats a line and puts it into a bounded queue. A thread of its own writes the queued
//! lines in batches. A line without a place in the queue is dropped and counted, so that no disk
//! keeps a reactor from its sockets.
//!
//! ```text
//! head ─▶ Record ─┐
//! answer ─▶ Sent ─┴▶ AccessLog: a line ─▶ (queue) ─▶ LogWriter ─▶ the program's writer
//! ```
//!
//! | file | holds |
//! | --- | --- |
//! | `config` | [`AccessLogConfig`] |
//! | `record` | `Record` and `Sent`: the parts of a line from the request and from the answer |
//! | `line` | the forms of a line |
//! | `queue`, `writer` | `AccessLog`: the side of a reactor; `LogWriter`: that of the thread |
//! | `request_id` | `RequestId`: the client's, or a new one |

mod config;
mod line;
mod queue;
mod record;
mod request_id;
mod writer;

pub use config::{AccessLogConfig, AccessLogFormat};
pub(super) use queue::{AccessLog, LogQueue};
pub(super) use record::{Record, Sent};
pub(super) use request_id::{RequestId, RequestIds};
pub(super) use writer::{LogThread, LogWriter};
