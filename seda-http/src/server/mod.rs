//! What servers of every protocol share.

pub(crate) mod error;
pub(crate) mod reactor_group;
