//! Pure statistics: quantiles, outliers, and sums of costs.
//!
//! The room imports `platform` at most. Counters of one mechanism belong to its room.

mod buckets;
mod costs;
mod ewma;
mod outlier;
mod quantiles;
mod thread_times;

pub use buckets::{BUCKET_BOUNDS, BUCKETS, bucket_of};
pub(crate) use costs::ServedCosts;
pub(crate) use ewma::Ewma;

pub(crate) use outlier::{OutlierFilter, are_outliers, is_outlier};
pub use quantiles::{QuantileSummary, Quantiles};
pub(crate) use thread_times::ThreadTimes;
