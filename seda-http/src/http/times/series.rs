//! The response times of the requests with one key.

use seda_admin::RequestTimes;
use seda_core::stats::{BUCKETS, bucket_of};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The times of one series on one reactor, which is their only writer. So a count is a load and a
/// store; a reader may see a request in its bucket and not yet in the sum.
#[derive(Debug)]
pub(super) struct Series {
    buckets: [AtomicU64; BUCKETS],
    sum_nanos: AtomicU64,
    within_slo: AtomicU64,
}

impl Series {
    pub(super) fn new() -> Self {
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            sum_nanos: AtomicU64::new(0),
            within_slo: AtomicU64::new(0),
        }
    }

    pub(super) fn record(&self, time: Duration, keeps_slo: bool) {
        if let Some(bucket) = self.buckets.get(bucket_of(time)) {
            add(bucket, 1);
        }
        add(&self.sum_nanos, u64::try_from(time.as_nanos()).unwrap_or(u64::MAX));
        add(&self.within_slo, u64::from(keeps_slo));
    }

    /// Adds these times to `sum`.
    pub(super) fn add_to(&self, sum: &mut RequestTimes) {
        for (sum, bucket) in sum.buckets.iter_mut().zip(&self.buckets) {
            *sum += bucket.load(Ordering::Relaxed);
        }
        sum.sum_seconds += self.sum_nanos.load(Ordering::Relaxed) as f64 / 1e9;
        sum.within_slo += self.within_slo.load(Ordering::Relaxed);
    }
}

/// Adds to a figure with one writer.
fn add(figure: &AtomicU64, more: u64) {
    figure.store(figure.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
}
