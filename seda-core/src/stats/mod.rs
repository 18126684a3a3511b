//! Pure statistics: quantiles, outliers, and sums of costs.
//!
//! Imports `platform` at most. Counters of one mechanism stand in its room.

mod costs;
mod ewma;
mod outlier;
mod quantiles;

pub(crate) use costs::ServedCosts;
pub(crate) use ewma::Ewma;

pub(crate) use outlier::{OutlierFilter, are_outliers, is_outlier};
pub use quantiles::{QuantileSummary, Quantiles};
