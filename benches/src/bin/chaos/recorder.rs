//! A metrics recorder that panics now and then.

use benches::rng::Rng;
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

struct Panicking(AtomicU64);

impl Panicking {
    fn maybe_panic(&self) {
        Rng(self.0.fetch_add(1, Relaxed)).panic_one_in(20_000);
    }
}

impl Recorder for Panicking {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        self.maybe_panic();
        Counter::noop()
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        self.maybe_panic();
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        self.maybe_panic();
        Histogram::noop()
    }
}

/// Installs the recorder; every graph of this process exports to it.
pub(crate) fn install() {
    // An error means that one is installed already, and this program installs no other.
    let _ = metrics::set_global_recorder(Panicking(AtomicU64::new(0)));
}
