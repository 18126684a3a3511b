//! The watchdog of the service manager: it restarts a server that does not run any more.

use super::notify;
use crate::reactor::{Mailbox, ReactorMessage};
use seda_core::Snapshots;
use std::sync::Arc;
use std::time::Duration;

/// The shortest interval that a message a second keeps with a margin.
const INTERVAL_LEAST: Duration = Duration::from_secs(3);

/// Sends a message to the manager each second in which the control thread of the graph and every
/// reactor ran. A reactor does not run while a stage of its pool does not return.
pub(super) fn start<R: Send + 'static>(
    interval: Duration,
    snapshots: &Snapshots,
    mailboxes: Vec<Arc<Mailbox<R>>>,
) {
    if interval < INTERVAL_LEAST {
        tracing::warn!(
            ?interval,
            "the manager's watchdog may end a healthy server: set WatchdogSec to 3 s or more"
        );
    }
    let mut beat = Arc::new(());
    snapshots.each_second(move |_report| {
        // Each reactor drops its share of the beat.
        if Arc::strong_count(&beat) == 1 {
            notify::alive();
            beat = Arc::new(());
            for mailbox in &mailboxes {
                mailbox.send(ReactorMessage::Beat(Arc::clone(&beat)));
            }
        }
        true
    });
}
