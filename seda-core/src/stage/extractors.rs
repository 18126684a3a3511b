//! What a stage asks of each event before it takes it: its key, if it is keyed, and its weight.

use crate::event::{Label, Weight};
use crate::platform::catch_panic;
use crate::platform::sync::{AtomicBool, OnceLock, Ordering};

type Ask<E, A> = Box<dyn Fn(&E) -> A + Send + Sync>;

pub(super) struct Extractors<E> {
    /// Whether there are any: most stages ask nothing, and a send looks at this only.
    any: AtomicBool,
    shard: OnceLock<Ask<E, u8>>,
    bytes: OnceLock<Ask<E, usize>>,
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

    /// False if the question was asked already.
    pub(super) fn set_shard(&self, ask: Ask<E, u8>) -> bool {
        self.any.store(true, Ordering::Relaxed);
        self.shard.set(ask).is_ok()
    }

    /// False if the question was asked already.
    pub(super) fn set_bytes(&self, ask: Ask<E, usize>) -> bool {
        self.any.store(true, Ordering::Relaxed);
        self.bytes.set(ask).is_ok()
    }

    /// Asks. The answers are user code, often on a sender's thread that must not be lost: where
    /// they panic, the event has the first shard and no weight.
    pub(super) fn label(&self, event: &E, stage: &str) -> Label {
        let shard = self.shard.get().map(|ask| catch_panic(|| ask(event)));
        let bytes = self.bytes.get().map(|ask| catch_panic(|| ask(event)));
        if shard == Some(None) || bytes == Some(None) {
            tracing::error!(%stage, "asking an event for its key or weight panicked");
        }
        let shard = shard.flatten().unwrap_or_default();
        Label { shard, weight: Weight::of(bytes.flatten().unwrap_or_default()) }
    }
}
