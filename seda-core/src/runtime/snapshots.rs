//! Snapshots for everyone who asks, without touching the graph for each.

use crate::monitor::report::Report;
use crate::platform::sync::Arc;
use crossbeam_channel::Sender;
use std::fmt;

/// Takes a snapshot; runs on the controller's thread, so it must not block.
pub(super) type Wish = Box<dyn FnOnce(Arc<Report>) + Send>;

/// Gives out snapshots that are 250 ms old at most. They are made by the controller's thread,
/// which no load on the graph keeps from running.
#[derive(Clone)]
pub struct Snapshots {
    messages: Sender<Message>,
}

impl Snapshots {
    pub(super) fn new(messages: Sender<Message>) -> Self {
        Self { messages }
    }

    /// Asks for a snapshot; `take` gets it on the controller's thread and must not block. After
    /// the graph has ended `take` is dropped without being called.
    pub fn request(&self, take: Box<dyn FnOnce(Arc<Report>) + Send>) {
        let _ = self.messages.send(Message::Snapshot(take));
    }
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshots")
    }
}

/// What the controller's thread is told.
pub(crate) enum Message {
    Snapshot(Wish),
    /// Settings have changed, the tick perhaps.
    Settings,
    Stop,
}
