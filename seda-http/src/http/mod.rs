//! The HTTP/1.1 server.

mod accept;
mod admin;
mod builder;
mod codec;
mod config;
mod date;
mod request;
mod responses;
mod retry_after;
mod server;

pub use builder::Http;
pub use config::{HttpConfig, RetryAfterRange};
pub use request::HttpRequest;
pub use server::Server;
