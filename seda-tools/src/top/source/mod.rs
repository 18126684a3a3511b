//! Where reports and histories come from.

mod document;
mod feed;
mod named;
mod server;

pub(crate) use feed::{Feed, News};
pub(crate) use named::{Named, SourceError};
pub(crate) use server::Server;
