//! What the layer needs of the async runtime around it: its threads, and a pause that lets it look
//! at its sockets.
//!
//! The room imports no other. Without the feature `tokio` it knows no runtime.

use std::future::Future;
use std::pin::Pin;

/// A pause before a service begins.
pub(crate) type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns the number of threads that poll futures: those of the runtime that this is called in,
/// else as many as the machine gives this process.
pub(crate) fn threads() -> usize {
    runtime_threads().unwrap_or_else(machine_threads)
}

fn machine_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

#[cfg(feature = "tokio")]
fn runtime_threads() -> Option<usize> {
    let runtime = tokio::runtime::Handle::try_current().ok()?;
    Some(runtime.metrics().num_workers().max(1))
}

#[cfg(not(feature = "tokio"))]
fn runtime_threads() -> Option<usize> {
    None
}

/// Returns a pause after which the runtime has polled its sockets; `None` without the feature
/// `tokio`.
///
/// While its run queue is not empty, tokio looks at the sockets only after 61 polls of tasks. With
/// polls of 10 ms, requests would wait for 0.6 s in the sockets, where no gate sees them.
#[cfg(feature = "tokio")]
pub(crate) fn pause() -> Option<Pause> {
    Some(Box::pin(tokio::task::yield_now()))
}

#[cfg(not(feature = "tokio"))]
pub(crate) fn pause() -> Option<Pause> {
    None
}
