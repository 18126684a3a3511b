//! The parts that servers of every protocol share: settings and errors, the listening socket, the
//! builder, and the running group of reactors with its graph.
//!
//! The room imports [`h1`](crate::h1) and `reactor`. Code that depends on a protocol does not
//! belong here (`http`, [`tcp`](crate::tcp)).

mod builder;
mod config;
mod counts;
mod descriptors;
mod error;
mod listener;
mod reactor_group;
mod unwind;

pub(crate) use builder::ServerBuilder;
pub(crate) use config::{ServerConfig, in_duration_range, in_range};
pub use counts::ServerCounts;
pub use error::{BindError, ConfigError, EntryError, ServeError};
pub(crate) use reactor_group::ReactorGroup;
pub(crate) use unwind::catch_panic;
