//! Cached snapshots for any number of readers, and the messages of the control thread.

use crate::monitor::history::{History, HistoryRing};
use crate::monitor::report::Report;
use crate::platform::sync::{Arc, Mutex};
use crate::stage::GraphShared;
use crossbeam_channel::Sender;
use std::fmt;
use std::time::Duration;

/// The greatest age of a snapshot. It is recent enough for a person, and a flood of requests costs
/// four reports per second at most.
const SNAPSHOT_AGE: Duration = Duration::from_millis(250);

/// The reader of one snapshot. It runs on the control thread, so it must not block.
pub(super) type SnapshotRequest = Box<dyn FnOnce(Arc<Report>) + Send>;

/// The reader of the report of each second. It returns false after the last one that it wants.
pub(super) type SecondReader = Box<dyn FnMut(&Arc<Report>) -> bool + Send>;

/// A handle for reports that are at most 250 ms old.
///
/// The control thread makes them, so load on the graph does not delay them, and many readers cost
/// four reports per second at most. Clones share the cached report.
///
/// ```
/// use seda_core::Graph;
/// use std::sync::mpsc;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("pages");
/// let render = graph.stage::<u32>("render", 64);
/// graph.attach_each(render, |_wire| |_page, _cx| {})?;
/// let running = graph.start()?;
/// let (sender, receiver) = mpsc::channel();
/// running.snapshots().request(Box::new(move |report| sender.send(report).unwrap_or(())));
/// assert_eq!(receiver.recv()?.graph, "pages");
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Snapshots {
    messages: Sender<Message>,
    core: Arc<GraphShared>,
    history: Arc<Mutex<HistoryRing>>,
}

impl Snapshots {
    pub(super) fn new(
        messages: Sender<Message>,
        core: Arc<GraphShared>,
        history: Arc<Mutex<HistoryRing>>,
    ) -> Self {
        Self { messages, core, history }
    }

    /// Returns the last `seconds`, 600 at most, as [`Running::history`](crate::Running::history)
    /// does. Copies up to 6 MB for 64 stages.
    pub fn history(&self, seconds: usize) -> History {
        self.history.lock().read(seconds)
    }

    /// Returns the names of the stages whose workers are all stuck in handlers that do not return,
    /// as of the last tick ([`ControlConfig::stuck_after`](crate::ControlConfig::stuck_after)).
    /// Requests that would visit such a stage are refused. Empty in a healthy graph.
    pub fn stuck_stages(&self) -> Vec<String> {
        self.core.stuck_stages()
    }

    /// Returns true if `report` is a snapshot of this graph that is at most 250 ms old: a request
    /// would be given the same one.
    pub fn is_recent(&self, report: &Report) -> bool {
        !time_left(report, &self.core).is_zero()
    }

    /// Requests a snapshot. `take` receives it on the control thread and must not block; a panic in
    /// it is caught. After the end of the graph `take` is dropped without a call.
    pub fn request(&self, take: Box<dyn FnOnce(Arc<Report>) + Send>) {
        // A send fails only after the end.
        let _ = self.messages.send(Message::Snapshot(take));
    }

    /// Requests the snapshot after the present one. `take` receives it once the present one is
    /// 250 ms old; otherwise as in [`Snapshots::request`]. So a reader that asks again and again
    /// has at most four answers per second.
    pub fn request_next(&self, take: Box<dyn FnOnce(Arc<Report>) + Send>) {
        // A send fails only after the end.
        let _ = self.messages.send(Message::NextSnapshot(take));
    }

    /// Calls `take` with a report at the end of each second, until it returns false. It runs on the
    /// control thread and must not block; it is dropped after a panic, and after the end of the
    /// graph.
    ///
    /// The history takes the same report, so readers cost none of their own. In a graph with more
    /// than 256 stages, which has no history, reports are made while there is a reader.
    ///
    /// ```
    /// # use seda_core::Graph;
    /// # use std::sync::mpsc;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let mut graph = Graph::new("pages");
    /// # let render = graph.stage::<u32>("render", 64);
    /// # graph.attach_each(render, |_wire| |_page, _cx| {})?;
    /// # let running = graph.start()?;
    /// let (sender, receiver) = mpsc::channel();
    /// running.snapshots().each_second(move |report| sender.send(report.clone()).is_ok());
    /// let (first, second) = (receiver.recv()?, receiver.recv()?);
    /// assert!(first.uptime_seconds < second.uptime_seconds);
    /// # Ok(())
    /// # }
    /// ```
    pub fn each_second(&self, take: impl FnMut(&Arc<Report>) -> bool + Send + 'static) {
        // A send fails only after the end.
        let _ = self.messages.send(Message::EachSecond(Box::new(take)));
    }
}

/// Returns the time until a snapshot is out of date; zero if it is.
pub(super) fn time_left(report: &Report, core: &GraphShared) -> Duration {
    let age = core.now().as_secs_f64() - report.uptime_seconds;
    SNAPSHOT_AGE.saturating_sub(Duration::from_secs_f64(age.max(0.0)))
}

impl fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Snapshots")
    }
}

/// A message to the control thread.
pub(super) enum Message {
    Snapshot(SnapshotRequest),
    /// A request that waits until the cached snapshot is out of date.
    NextSnapshot(SnapshotRequest),
    /// A reader of the report of each second.
    EachSecond(SecondReader),
    /// Settings have changed, possibly the length of the tick.
    Settings,
    /// A stage has ended its first services: tick before the time.
    EarlyTick,
    Stop,
}
