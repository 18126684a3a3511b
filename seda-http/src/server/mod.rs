//! What servers of every protocol share.

mod builder;
mod config;
mod error;
mod listener;
mod reactor_group;
mod unwind;

pub(crate) use builder::ServerBuilder;
pub(crate) use config::{ServerConfig, in_range, in_time};
pub use error::{BindError, ConfigError, EntryError, ServeError};
pub(crate) use reactor_group::ReactorGroup;
pub(crate) use unwind::catch_panic;
