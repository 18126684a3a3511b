//! The reasons why a document cannot be made.

use thiserror::Error;

/// Why a report cannot be made into a document.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PageError {
    /// The report cannot be written as JSON.
    #[error("the report could not be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The drawing failed.
    #[error("the drawing could not be made: {0}")]
    Drawing(#[source] Box<dyn std::error::Error + Send + Sync>),
}
