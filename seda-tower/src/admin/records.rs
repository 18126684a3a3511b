//! The records of an event stream, from the control thread to one body.

use bytes::Bytes;
use parking_lot::Mutex;
use seda_admin::{EventReader, EventSink};
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// The receiving end: at most one record waits. A reader that is too slow for a record a second
/// gets the newest one.
pub(super) struct Records(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    newest: Option<Bytes>,
    waker: Option<Waker>,
    /// The graph has ended.
    is_over: bool,
    /// The body was dropped.
    is_closed: bool,
}

impl Records {
    /// Starts a reader and returns its records.
    pub(super) fn of(reader: EventReader) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        reader.start(RecordSink(Arc::clone(&state)));
        Self(state)
    }

    /// Takes the newest record; `None` after the end of the graph.
    pub(super) fn poll(&mut self, cx: &Context<'_>) -> Poll<Option<Bytes>> {
        let mut state = self.0.lock();
        if let Some(record) = state.newest.take() {
            return Poll::Ready(Some(record));
        }
        if state.is_over {
            return Poll::Ready(None);
        }
        let old = state.waker.replace(cx.waker().clone());
        // A waker is the code of a runtime: it is dropped without the lock.
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl Drop for Records {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_closed = true;
        let waker = state.waker.take();
        drop(state);
        drop(waker);
    }
}

impl fmt::Debug for Records {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Records")
    }
}

/// The sending end, on the control thread.
struct RecordSink(Arc<Mutex<State>>);

impl RecordSink {
    /// Changes the state, and wakes the body. Returns false if that was dropped.
    fn put(&self, change: impl FnOnce(&mut State)) -> bool {
        let mut state = self.0.lock();
        if state.is_closed {
            return false;
        }
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }
}

impl EventSink for RecordSink {
    fn send(&mut self, event: &Bytes) -> bool {
        let record = Bytes::clone(event);
        self.put(|state| state.newest = Some(record))
    }
}

impl Drop for RecordSink {
    fn drop(&mut self) {
        self.put(|state| state.is_over = true);
    }
}
