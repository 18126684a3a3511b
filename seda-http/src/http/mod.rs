//! The HTTP/1.1 server: its settings, its builder, its admission, and its admin side.
//!
//! The room imports `server`, `reactor` and [`h1`](crate::h1). The pages of the admin side are the
//! crate `seda-admin`. Parsing does not belong here (`h1`), nor does code that
//! another protocol could use (`server`, `reactor`).
//!
//! | file | holds |
//! | --- | --- |
//! | `config`, `admin_config`, `body_config` | [`HttpConfig`]; [`AdminConfig`]; [`BodyConfig`] |
//! | `builder`, `server` | [`Http`] before it serves; [`Server`] after |
//! | `codec`, `date` | HTTP/1.1 as a codec of the reactor; the Date field |
//! | `exchange` | the properties of a request that its answer needs |
//! | `client` | the client of a request that trusted proxies have passed on |
//! | `access_log` | a line for each answered request; the ids of requests |
//! | `body_sender`, `events` | [`BodySender`]: a streamed body; server-sent events |
//! | `accept`, `request` | admission, refusal, loss; [`HttpRequest`], the event |
//! | `routes`, `extract` | [`Routes`]: the stage of each request; its query and body as values |
//! | `times` | response times by route, method, class and status |
//! | `stepped` | [`SteppedServer`]: routes without sockets, for tests |
//! | `reply` | a response on its way to the socket, or a refusal in its cheap form |
//! | `responses`, `retry_after` | [`text`], [`html`], [`json`]; errors as responses; Retry-After |
//! | `admin`, `admin_listener` | the admin side, on the public listener or one of its own |

mod accept;
mod access_log;
mod admin;
mod admin_config;
mod admin_listener;
mod body_config;
mod body_sender;
mod builder;
mod client;
mod codec;
mod config;
mod date;
mod events;
mod exchange;
mod extract;
mod reply;
mod request;
mod responses;
mod retry_after;
mod routes;
mod server;
mod stepped;
mod times;

pub use access_log::{AccessLogConfig, AccessLogFormat};
pub use admin_config::{AdminConfig, AdminPlace, AdminPlaceError};
pub use body_config::BodyConfig;
pub use body_sender::{BodySendError, BodySender};
pub use builder::Http;
pub use config::{Closing, HttpConfig, RetryAfterRange};
pub use events::{Event, EventError, EventSender};
pub use extract::ExtractError;
pub use request::HttpRequest;
pub use responses::{Answer, ErrorResponse, html, json, text};
pub use routes::{Endpoint, Routes, RoutesError};
pub use server::Server;
pub use stepped::SteppedServer;
