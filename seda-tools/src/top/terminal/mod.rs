//! The terminal: the loop of the screen, its keys, and how it is given back.

mod follow;
mod keys;
mod screen;
mod session;

pub(crate) use follow::RunScreen;
pub(crate) use session::{Ended, Session};
