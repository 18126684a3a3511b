//! The report of each second as server-sent events, to a bounded number of readers.
//!
//! ```text
//! EventReader::start ──▶ the present snapshot, to this reader ──▶ the list of readers
//!                                                                   │
//! each second, on the control thread ──▶ one record, shared by all ─┘──▶ EventSink::send
//! ```
//!
//! A reader without room loses the record. So a slow one costs what its sink holds, and no more.
//!
//! The room imports no other. Paths and header fields do not belong here (`admin`, `answer`).

use bytes::Bytes;
use parking_lot::Mutex;
use seda_core::report::GraphLoad;
use seda_core::{Report, Snapshots};
use serde::Serialize;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The most readers at once: more than the operators of one server. Each holds a connection, and
/// the admin side's own listener has 128.
pub(crate) const READERS_MOST: usize = 32;

/// The way of events to one reader, as a transport has it.
pub trait EventSink: Send {
    /// Sends an event as it is encoded, if there is room for it now. Returns false if the reader
    /// has gone. It runs on the control thread of the graph and must not block.
    fn send(&mut self, event: &Bytes) -> bool;
}

/// The place of one reader of the event stream. The transport starts it with its sink; a reader
/// that is dropped without a start gives its place back.
#[derive(Clone)]
pub struct EventReader {
    events: Events,
    /// Counts the reader until it has gone.
    place: Arc<Place>,
}

impl EventReader {
    /// Begins to send: the present report, then one each second, until the reader or the graph has
    /// gone. The sink is dropped then.
    pub fn start(self, sink: impl EventSink + 'static) {
        let Self { events, place } = self;
        let reader = Reader { sink: Box::new(sink), _place: place };
        events.snapshots.clone().request(Box::new(move |report| events.add(reader, &report)));
    }
}

impl fmt::Debug for EventReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventReader")
    }
}

impl PartialEq for EventReader {
    /// Returns true if both are of the same place.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.place, &other.place)
    }
}

impl Eq for EventReader {}

/// The readers of one graph, and the record that they got last.
#[derive(Clone)]
pub(crate) struct Events {
    snapshots: Snapshots,
    places: Arc<AtomicUsize>,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    readers: Vec<Reader>,
    /// True while the control thread calls [`Events::publish`].
    is_published: bool,
    /// The last record, and the report that it is of.
    last: Option<(Arc<Report>, Bytes)>,
}

struct Reader {
    sink: Box<dyn EventSink>,
    _place: Arc<Place>,
}

/// A place among the readers.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Events {
    pub(crate) fn new(snapshots: Snapshots) -> Self {
        Self { snapshots, places: Arc::default(), state: Arc::default() }
    }

    /// Returns the place of a further reader; `None` if all are taken.
    pub(crate) fn reader(&self) -> Option<EventReader> {
        let more = |taken: usize| (taken < READERS_MOST).then_some(taken + 1);
        self.places.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        let place = Arc::new(Place(Arc::clone(&self.places)));
        Some(EventReader { events: self.clone(), place })
    }

    /// Sends the present report to a reader and adds it to the others. Runs on the control thread.
    fn add(self, mut reader: Reader, report: &Arc<Report>) {
        let mut state = self.state.lock();
        let record = state.record(report);
        if !reader.sink.send(&record) {
            return;
        }
        state.readers.push(reader);
        if std::mem::replace(&mut state.is_published, true) {
            return;
        }
        drop(state);
        let snapshots = self.snapshots.clone();
        let publisher = Publisher(self);
        snapshots.each_second(move |report| publisher.0.publish(report));
    }

    /// Sends the report of a second. Returns false if there is no reader. Runs on the control
    /// thread.
    fn publish(&self, report: &Arc<Report>) -> bool {
        let mut state = self.state.lock();
        let record = state.record(report);
        state.readers.retain_mut(|reader| reader.sink.send(&record));
        state.is_published = !state.readers.is_empty();
        if !state.is_published {
            state.last = None;
        }
        state.is_published
    }
}

/// Publishes until it is dropped, at the end of the graph at the latest.
struct Publisher(Events);

impl Drop for Publisher {
    /// Drops the sinks of all readers, so that their streams end.
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        let readers = std::mem::take(&mut state.readers);
        state.is_published = false;
        drop(state);
        drop(readers);
    }
}

impl State {
    /// Returns the record of a report, encoded once for all readers.
    fn record(&mut self, report: &Arc<Report>) -> Bytes {
        match &self.last {
            Some((known, record)) if Arc::ptr_eq(known, report) => record.clone(),
            _ => {
                let record = encoded(report);
                self.last = Some((Arc::clone(report), record.clone()));
                record
            }
        }
    }
}

/// The data of one event.
#[derive(Serialize)]
struct Record<'a> {
    /// The load, which the report has as a function.
    load: GraphLoad,
    report: &'a Report,
}

/// Returns a report as a server-sent event (WHATWG HTML §9.2). JSON has no line end of its own.
fn encoded(report: &Report) -> Bytes {
    let mut event = b"data: ".to_vec();
    let record = Record { load: report.load(), report };
    if let Err(error) = serde_json::to_writer(&mut event, &record) {
        // Unreachable: a report has string keys and plain numbers.
        tracing::error!(%error, "cannot write a report as an event");
    }
    event.extend_from_slice(b"\n\n");
    event.into()
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}
