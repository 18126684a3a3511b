//! The HTTP/1.1 server.

pub(crate) mod accept;
pub(crate) mod admin;
pub(crate) mod builder;
pub(crate) mod codec;
pub(crate) mod config;
pub(crate) mod date;
pub(crate) mod request;
pub(crate) mod responses;
pub(crate) mod retry_after;
pub(crate) mod server;
