//! The HTTP/1.1 server: its settings, its builder, its admission and its admin view.
//!
//! The room imports `server`, `reactor` and [`h1`](crate::h1). Parsing does not belong here
//! (`h1`), nor does code that another protocol could use (`server`, `reactor`).
//!
//! | file | holds |
//! | --- | --- |
//! | `config`, `builder`, `server` | [`HttpConfig`]; [`Http`] before it serves; [`Server`] after |
//! | `codec`, `date` | HTTP/1.1 as a codec of the reactor; the Date field |
//! | `accept`, `request` | admission, refusal, loss; [`HttpRequest`], the event |
//! | `reply` | a response on its way to the socket, or a refusal in its cheap form |
//! | `responses`, `retry_after` | the server's own responses; Retry-After |
//! | `admin` | `/_seda/`: report, graph, liveness, readiness |

mod accept;
mod admin;
mod builder;
mod codec;
mod config;
mod date;
mod reply;
mod request;
mod responses;
mod retry_after;
mod server;

pub use builder::Http;
pub use config::{HttpConfig, RetryAfterRange};
pub use request::HttpRequest;
pub use server::Server;
