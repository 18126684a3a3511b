//! The way out for events that were given up away from their workers.
//!
//! Dropping an event runs its owner's code: it may be slow, it may panic. Whoever runs the
//! valve (a reactor, a sender) therefore hands its victims over; a thread of the graph's own
//! tells their owners, or the stepping thread of a graph that runs without threads.

use crate::platform::sync::{AtomicUsize, Mutex, Ordering};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::fmt;

/// Batches of victims that may wait. A valve decision evicts 16 events
/// at most, so no more than 16,384 victims are held beyond the budget; when the way out is this
/// congested the valve stays shut and the sender is refused instead.
const WAITING_BATCHES: usize = 1_024;

/// Tells the owners of a batch of victims; runs user code inside the panic boundary.
pub(crate) type LossNotice = Box<dyn FnOnce() + Send>;

pub(crate) struct LossNotifier {
    sender: Mutex<Option<Sender<LossNotice>>>,
    receiver: Receiver<LossNotice>,
    waiting: AtomicUsize,
}

impl Default for LossNotifier {
    fn default() -> Self {
        let (sender, receiver) = bounded(WAITING_BATCHES);
        Self { sender: Mutex::new(Some(sender)), receiver, waiting: AtomicUsize::new(0) }
    }
}

impl LossNotifier {
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING_BATCHES / 2
    }

    /// Hands victims over. Runs them at once if the graph has ended or the way is congested.
    pub(crate) fn deliver_notices(&self, farewell: LossNotice) {
        let sender = self.sender.lock().clone();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let Some(sender) = sender else {
            return self.run(farewell);
        };
        if let Err(TrySendError::Full(farewell) | TrySendError::Disconnected(farewell)) =
            sender.try_send(farewell)
        {
            self.run(farewell);
        }
    }

    /// Tells everyone who waits; for the stepping thread.
    pub(crate) fn run_waiting(&self) -> usize {
        self.receiver.try_iter().map(|farewell| self.run(farewell)).count()
    }

    /// Tells owners until [`LossNotifier::close`]; for the graph's own thread.
    pub(crate) fn run_until_closed(&self) {
        self.receiver.iter().for_each(|farewell| self.run(farewell));
    }

    /// Ends [`LossNotifier::run_until_closed`] when all that wait have been told.
    pub(crate) fn close(&self) {
        drop(self.sender.lock().take());
    }

    fn run(&self, farewell: LossNotice) {
        farewell();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for LossNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disposal").field("waiting", &self.receiver.len()).finish_non_exhaustive()
    }
}
