//! The functions that read an event's key, in a keyed stage, and its weight.

use crate::event::{Label, Weight};
use crate::platform::catch_panic;
use crate::platform::sync::{AtomicBool, OnceLock, Ordering};

type Extract<E, T> = Box<dyn Fn(&E) -> T + Send + Sync>;

pub(super) struct Extractors<E> {
    /// True if there is a function. Most stages have none, and their sends read this flag only.
    any: AtomicBool,
    shard: OnceLock<Extract<E, u8>>,
    bytes: OnceLock<Extract<E, usize>>,
}

impl<E> Default for Extractors<E> {
    fn default() -> Self {
        Self { any: AtomicBool::new(false), shard: OnceLock::new(), bytes: OnceLock::new() }
    }
}

impl<E> Extractors<E> {
    #[inline]
    pub(super) fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    pub(super) fn weighs(&self) -> bool {
        self.bytes.get().is_some()
    }

    pub(super) fn is_keyed(&self) -> bool {
        self.shard.get().is_some()
    }

    /// Sets the function; false if there was one already.
    pub(super) fn set_shard(&self, extract: Extract<E, u8>) -> bool {
        self.any.store(true, Ordering::Relaxed);
        self.shard.set(extract).is_ok()
    }

    /// Sets the function; false if there was one already.
    pub(super) fn set_bytes(&self, extract: Extract<E, usize>) -> bool {
        self.any.store(true, Ordering::Relaxed);
        self.bytes.set(extract).is_ok()
    }

    /// Reads the key and the weight. The functions are user code, often on a sender's thread. If
    /// one panics, the event has the first shard, or no weight.
    pub(super) fn label(&self, event: &E, stage: &str) -> Label {
        let shard = self.shard.get().map(|extract| catch_panic(|| extract(event)));
        let bytes = self.bytes.get().map(|extract| catch_panic(|| extract(event)));
        if shard == Some(None) || bytes == Some(None) {
            tracing::error!(%stage, "the function for an event's key or weight panicked");
        }
        let shard = shard.flatten().unwrap_or_default();
        Label { shard, weight: Weight::of(bytes.flatten().unwrap_or_default()) }
    }
}
