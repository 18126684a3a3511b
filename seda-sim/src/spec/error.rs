//! What makes a spec invalid.

use super::profile::ProfileError;
use std::fmt;
use std::path::PathBuf;
use thiserror::Error;

/// The reason why a spec is refused.
///
/// ```
/// use seda_sim::Spec;
///
/// let text = "cores = 0
///     arrivals = { rate = 1.0 }
///     stage = [{ name = 'a', capacity = 1, demand = { kind = 'exponential', mean = '1ms' } }]";
/// let error = text.parse::<Spec>().unwrap_err();
/// assert_eq!(error.to_string(), "`cores` is 0; allowed: 1 to 1024");
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SpecError {
    /// The spec, or a file that it names, cannot be read.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        error: std::io::Error,
    },
    /// The text is not TOML, or has an unknown key or a value of the wrong type.
    #[error("{0}")]
    Shape(#[from] Box<toml::de::Error>),
    /// The spec has a value that TOML cannot represent.
    #[error("the spec cannot be written as TOML: {0}")]
    Unwritable(#[from] Box<toml::ser::Error>),
    /// The text of `arrivals.profile` is not a profile.
    #[error("`arrivals.profile`: {0}")]
    Profile(#[from] ProfileError),
    /// A value is out of bounds, or has no effect beside the other settings.
    #[error("`{key}` is {value}; allowed: {allowed}")]
    Value {
        /// The key, with the path to it.
        key: String,
        /// The value in the spec.
        value: String,
        /// The values that are allowed, or the setting that is missing beside it.
        allowed: String,
    },
}

impl SpecError {
    /// Returns the error of a value that is not allowed.
    pub(crate) fn value(
        key: impl Into<String>,
        value: impl fmt::Display,
        allowed: impl Into<String>,
    ) -> Self {
        Self::Value { key: key.into(), value: value.to_string(), allowed: allowed.into() }
    }
}
