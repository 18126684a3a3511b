//! Loss notices, which tell the owners of evicted events.
//!
//! Dropping an event runs its owner's code, which may be slow or panic. A thread that runs the
//! valve (a reactor's, a sender's) therefore hands its victims over as a notice. A thread of the
//! graph runs the notices, or the stepping thread of a graph without threads.

use crate::platform::sync::{AtomicUsize, Mutex, Ordering};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use std::fmt;

/// The most waiting notices. A decision of the valve evicts 16 events at most, so no more than
/// 16,384 victims exist outside the budget. Above half of this number the valve stays closed, and
/// the sender is refused instead.
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
    /// True if the valve may add notices.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING_BATCHES / 2
    }

    /// True if a notice of many events may be added. Few of them wait, so that few events are
    /// outside the budget.
    pub(super) fn has_room_for_many(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) < WAITING_BATCHES / 32
    }

    /// Queues a notice. Runs it at once if the graph has ended or the queue is full.
    pub(super) fn deliver_notices(&self, notice: LossNotice) {
        let sender = self.sender.lock().clone();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let Some(sender) = sender else {
            return self.run(notice);
        };
        if let Err(TrySendError::Full(notice) | TrySendError::Disconnected(notice)) =
            sender.try_send(notice)
        {
            self.run(notice);
        }
    }

    /// Runs the waiting notices and returns how many; for the stepping thread.
    pub(crate) fn run_waiting(&self) -> usize {
        self.receiver.try_iter().map(|notice| self.run(notice)).count()
    }

    /// Runs notices until [`LossNotifier::close`]; for the graph's own thread.
    pub(crate) fn run_until_closed(&self) {
        self.receiver.iter().for_each(|notice| self.run(notice));
    }

    /// Ends [`LossNotifier::run_until_closed`] once the waiting notices have run.
    pub(crate) fn close(&self) {
        drop(self.sender.lock().take());
    }

    fn run(&self, notice: LossNotice) {
        notice();
        self.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl fmt::Debug for LossNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossNotifier")
            .field("waiting", &self.receiver.len())
            .finish_non_exhaustive()
    }
}
