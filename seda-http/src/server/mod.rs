//! The parts that servers of every protocol share: settings and errors, the listening sockets, the
//! builder, the running group of reactors with its graph, and a listener beside them.
//!
//! The room imports [`h1`](crate::h1) and `reactor`. Code that depends on a protocol does not
//! belong here (`http`, [`tcp`](crate::tcp)).

mod adopted;
mod builder;
mod config;
mod counts;
mod descriptors;
mod error;
mod inherited;
mod listen;
mod listen_place;
mod listener;
mod notify;
mod reactor_group;
mod side_listener;
mod socket_file;
mod unwind;
mod watchdog;

pub(crate) use builder::ServerBuilder;
pub(crate) use config::{ServerConfig, in_duration_range, in_range, in_timeout_range};
pub use counts::ServerCounts;
pub(crate) use counts::ServerUsage;
pub use error::{BindError, ConfigError, EntryError, ServeError};
pub use listen::{Listen, ListenerConfig};
pub use listen_place::{ListenPlace, ListenPlaceError};
pub(crate) use listen_place::{UNIX, address};
pub(crate) use reactor_group::ReactorGroup;
pub(crate) use side_listener::{SideBounds, SideListener, SideReactor};
pub(crate) use unwind::catch_panic;
