//! The fixed buckets of exported distributions.

use std::time::Duration;

/// The upper bounds of the buckets in which every exported distribution is counted: waits, services
/// and response times, of every stage, route and server. Because they are alike everywhere, the
/// distributions of several servers can be added. A last bucket has the longer durations.
///
/// From 5 ms to 10 s they are those that the semantic conventions of OpenTelemetry advise for
/// `http.server.request.duration`. Below, where a stage or an answer from memory takes 10 µs to
/// 1 ms, they go on in steps of 1, 2.5 and 5.
///
/// ```
/// use seda_core::stats::{BUCKET_BOUNDS, BUCKETS, bucket_of};
/// use std::time::Duration;
///
/// assert_eq!(BUCKET_BOUNDS[bucket_of(Duration::from_millis(5))], Duration::from_millis(5));
/// assert_eq!(bucket_of(Duration::from_secs(11)), BUCKETS - 1);
/// ```
pub const BUCKET_BOUNDS: [Duration; BUCKETS - 1] = [
    Duration::from_micros(10),
    Duration::from_micros(25),
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(250),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_micros(2_500),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(25),
    Duration::from_millis(50),
    Duration::from_millis(75),
    Duration::from_millis(100),
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_millis(750),
    Duration::from_secs(1),
    Duration::from_millis(2_500),
    Duration::from_secs(5),
    Duration::from_millis(7_500),
    Duration::from_secs(10),
];

/// The number of buckets: one for each of [`BUCKET_BOUNDS`], and that of longer durations.
pub const BUCKETS: usize = 23;

/// Returns the bucket of a duration, 0 to [`BUCKETS`] - 1: the first with a bound that is not
/// shorter.
pub fn bucket_of(duration: Duration) -> usize {
    BUCKET_BOUNDS.partition_point(|bound| *bound < duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_in_the_first_bucket_with_a_bound_that_is_not_shorter() {
        assert!(BUCKET_BOUNDS.is_sorted_by(|a, b| a < b));
        assert_eq!(bucket_of(Duration::ZERO), 0);
        for (bucket, bound) in BUCKET_BOUNDS.into_iter().enumerate() {
            assert_eq!(bucket_of(bound), bucket);
            assert_eq!(bucket_of(bound + Duration::from_nanos(1)), bucket + 1);
        }
    }
}
