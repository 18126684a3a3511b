//! A server's graph in the terminal: live, or second by second from a saved history. And a run of
//! load, while it lasts.
//!
//! Data flows one way: a page of the admin side or a file (`source`) → the last minute and its rows
//! (`model`) → a frame of characters (`view`) → the screen (`terminal`). The model and the view are
//! pure; only `source` and `terminal` do I/O.
//!
//! - `source`: what the command line names, the pages of a server, and the loop that polls them.
//! - `model`: reports in, rows out; the playhead, and the state that keys change.
//! - `view`: model → buffer, at any size.
//! - `terminal`: raw mode, keys and mouse, the loop of the screen, and the screen of a run of load,
//!   which the generator feeds.

pub(crate) mod model;
pub(crate) mod source;
pub(crate) mod terminal;
pub(crate) mod view;
