//! The reasons why a sweep has no result.

use crate::load::arrivals::ProfileError;
use thiserror::Error;

/// Why a sweep or a step has no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SweepError<E: std::error::Error> {
    /// A load could not be run.
    #[error(transparent)]
    Rig(E),
    /// The server has no capacity to take multiples of.
    #[error(transparent)]
    NoCapacity(#[from] NoCapacity),
    /// A multiple of the capacity is not an allowed rate.
    #[error(transparent)]
    Rate(#[from] ProfileError),
    /// The sweep was interrupted before its first load was complete.
    #[error("ended before the first load was through: there is nothing to show")]
    Interrupted,
}

/// The server has no capacity to take multiples of.
#[derive(Debug, Error)]
#[error(
    "the server gave no good answer to a single client ({ends}): there is no capacity to take \
     multiples of; check the URL, --expect and --slo"
)]
#[non_exhaustive]
pub struct NoCapacity {
    /// The outcomes of the client's requests.
    pub(super) ends: String,
}
