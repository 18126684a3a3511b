//! Figures: quantiles, what a worker writes down, and what the kernel knows of a thread.
//!
//! Every worker writes into a book of its own, under a lock that it takes once per batch; the
//! controller merges the books on its tick. No event touches a shared cache line to be counted.

mod costs;
mod ewma;
mod outlier;
mod quantiles;

pub(crate) use costs::ServedCosts;
pub(crate) use ewma::Ewma;

pub(crate) use outlier::{OutlierFilter, are_outliers, is_outlier};
pub use quantiles::{QuantileSummary, Quantiles};
