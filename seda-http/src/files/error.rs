//! The errors before files are served. Each message names the remedy.

use crate::server::ConfigError;
use std::io;
use std::path::PathBuf;
use thiserror::Error;

/// The reason why files cannot be served.
///
/// ```
/// use seda_http::{Files, FilesConfig, FilesError};
///
/// let error = Files::open("/no/such/directory", FilesConfig::default()).unwrap_err();
/// assert!(matches!(error, FilesError::Root { .. }));
/// assert!(error.to_string().ends_with("name a readable directory"));
/// ```
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilesError {
    /// A setting is out of its bounds.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The operating system does not open the directory.
    #[error("cannot open {}: {source}; name a readable directory", path.display())]
    Root {
        /// The path of the directory.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}
