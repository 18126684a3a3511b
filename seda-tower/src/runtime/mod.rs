//! What the layer needs of the async runtime around it: its threads, and a pause that lets it look
//! at its sockets.
//!
//! The room imports no other. Without the feature `tokio` it knows no runtime.

use std::future::Future;
use std::pin::Pin;

/// A pause before a service begins.
pub(crate) type Pause = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The runtime that polls the futures, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runtime {
    #[cfg(feature = "tokio")]
    handle: Option<tokio::runtime::Handle>,
}

#[cfg(feature = "tokio")]
impl Runtime {
    /// Returns the runtime that this is called in.
    pub(crate) fn current() -> Self {
        Self { handle: tokio::runtime::Handle::try_current().ok() }
    }

    fn own_threads(&self) -> Option<usize> {
        Some(self.handle.as_ref()?.metrics().num_workers().max(1))
    }

    /// Returns the number of tasks in the queue that all threads share; `None` if it is unknown.
    pub(crate) fn queue_depth(&self) -> Option<usize> {
        Some(self.handle.as_ref()?.metrics().global_queue_depth())
    }
}

#[cfg(not(feature = "tokio"))]
impl Runtime {
    pub(crate) fn current() -> Self {
        Self::default()
    }

    fn own_threads(&self) -> Option<usize> {
        None
    }

    pub(crate) fn queue_depth(&self) -> Option<usize> {
        None
    }
}

impl Runtime {
    /// Returns the number of threads that poll futures: its own, else as many as the machine gives
    /// this process.
    pub(crate) fn threads(&self) -> usize {
        self.own_threads().unwrap_or_else(machine_threads)
    }
}

fn machine_threads() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
