//! The settings of static files.

use crate::server::{ConfigError, in_duration_range, in_range};
use http::HeaderValue;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// More memory than a machine has for files.
const MEMORY_MOST: usize = 1 << 40;

/// A file that changes is seen before its author has looked.
const REVALIDATE_MOST: Duration = Duration::from_secs(60 * 60);

/// The settings of [`Files`](crate::Files). Each has a default. Durations are written `10s`,
/// `250ms`.
///
/// ```
/// use seda_http::{CacheControlRule, FilesConfig};
///
/// let mut config = FilesConfig::default();
/// config.prefix = "/static".to_owned();
/// config.cache_control = vec![
///     CacheControlRule::new("/assets/*", "public, max-age=31536000, immutable"),
///     CacheControlRule::new("*", "no-cache"),
/// ];
/// assert!(config.check().is_ok());
///
/// // The same from a file.
/// let file = r#"{
///     "prefix": "/static",
///     "cache_control": [
///         { "path": "/assets/*", "value": "public, max-age=31536000, immutable" },
///         { "path": "*", "value": "no-cache" }
///     ]
/// }"#;
/// assert_eq!(serde_json::from_str::<FilesConfig>(file)?, config);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct FilesConfig {
    /// The beginning of the paths of requests that is not part of a file's path, like `/static`. A
    /// request with another path is answered with 404.
    ///
    /// Default empty: the files are the whole site.
    pub prefix: String,
    /// True if a directory without `index.html` is answered with the names of its files.
    ///
    /// Default false: names tell more than their author has published.
    pub listing: bool,
    /// True if files and directories with names that begin with a dot are served.
    ///
    /// Default false: `.env` and `.git` hold secrets. The directory `.well-known` directly below
    /// the root is always served (RFC 8615).
    pub dotfiles: bool,
    /// True if a client that accepts it gets the stored file `NAME.br`, `NAME.zst` or `NAME.gz` in
    /// place of `NAME`, with its Content-Encoding.
    ///
    /// Default true: a site without such files pays up to three failed opens for a file that is not
    /// in memory.
    pub precompressed: bool,
    /// The Cache-Control of files by their path. The first rule with a pattern that matches counts;
    /// a file without one has no Cache-Control.
    ///
    /// Default `no-cache` for all files: a browser asks each time, and gets a 304 while the file is
    /// the same. Without it browsers guess from Last-Modified and show old pages after a
    /// deployment.
    pub cache_control: Vec<CacheControlRule>,
    /// The most bytes of memory for the files that are asked for most, 0 (none) to 1 TiB. Contents
    /// on their way to clients may take 64 MiB more; beyond it a file is read while it is sent.
    ///
    /// Default 32 MiB: the pages, scripts and styles of most sites.
    #[serde(deserialize_with = "seda_core::units::count")]
    pub memory: usize,
    /// The age at which a file in memory is compared with the one on the disk, and the root with
    /// the directory that its path leads to; 0 (at each request) to one hour. A change is seen
    /// after twice this time at the latest.
    ///
    /// Default 100 ms: ten look-ups a second for a file cost less than one of its answers.
    #[serde(with = "seda_core::units::duration")]
    pub revalidate: Duration,
}

/// The Cache-Control of the files with a path that matches a pattern.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CacheControlRule {
    /// A path below the root like `/assets/*`. A `*` stands for any characters, slashes too. The
    /// path of a directory is that of its `index.html`.
    pub path: String,
    /// The value of the field, like `public, max-age=3600`.
    pub value: String,
}

impl CacheControlRule {
    /// Returns a rule.
    #[must_use]
    pub fn new(path: impl Into<String>, value: impl Into<String>) -> Self {
        Self { path: path.into(), value: value.into() }
    }

    /// Returns the field's value.
    pub(super) fn header(&self) -> Result<HeaderValue, ConfigError> {
        HeaderValue::from_str(&self.value).map_err(|_| ConfigError::OutOfRange {
            key: "cache_control.value",
            value: format!("{:?}", self.value),
            allowed: "a value of Cache-Control like \"public, max-age=3600\"".to_owned(),
        })
    }
}

impl Default for FilesConfig {
    fn default() -> Self {
        Self {
            prefix: String::new(),
            listing: false,
            dotfiles: false,
            precompressed: true,
            cache_control: vec![CacheControlRule::new("*", "no-cache")],
            memory: 32 * 1024 * 1024,
            revalidate: Duration::from_millis(100),
        }
    }
}

impl FilesConfig {
    /// Checks every setting.
    ///
    /// # Errors
    /// The first setting out of its bounds, with its key, its value and the bounds.
    pub fn check(&self) -> Result<(), ConfigError> {
        in_range("memory", self.memory, 0, MEMORY_MOST)?;
        in_duration_range("revalidate", self.revalidate, Duration::ZERO, REVALIDATE_MOST)?;
        let is_prefix = self.prefix.starts_with('/') && !self.prefix.ends_with('/');
        if !is_prefix && !self.prefix.is_empty() {
            return Err(ConfigError::OutOfRange {
                key: "prefix",
                value: format!("{:?}", self.prefix),
                allowed: "nothing, or a path like \"/static\"".to_owned(),
            });
        }
        self.cache_control.iter().try_for_each(|rule| rule.header().map(drop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(json: &str) -> String {
        let config: FilesConfig = serde_json::from_str(json).unwrap();
        config.check().unwrap_err().to_string()
    }

    #[test]
    fn the_defaults_are_allowed_and_survive_serialization() {
        let config = FilesConfig::default();
        config.check().unwrap();
        let written = serde_json::to_string(&config).unwrap();
        assert_eq!(serde_json::from_str::<FilesConfig>(&written).unwrap(), config);
        assert_eq!(serde_json::from_str::<FilesConfig>("{}").unwrap(), config);
    }

    #[test]
    fn an_error_names_the_key_the_value_and_the_remedy() {
        assert_eq!(
            error(r#"{"prefix": "static/"}"#),
            "`prefix` is \"static/\"; allowed: nothing, or a path like \"/static\""
        );
        assert_eq!(
            error(r#"{"cache_control": [{"path": "*", "value": "a\nb"}]}"#),
            "`cache_control.value` is \"a\\nb\"; allowed: a value of Cache-Control like \
             \"public, max-age=3600\""
        );
        assert_eq!(
            error(r#"{"revalidate": "2h"}"#),
            "`revalidate` is 7200s; allowed: 0ns to 3600s"
        );
    }

    #[test]
    fn an_unknown_key_is_an_error() {
        for json in
            [r#"{"root": "."}"#, r#"{"cache_control": [{"path": "*", "value": "", "x": 1}]}"#]
        {
            let parsed = serde_json::from_str::<FilesConfig>(json);
            assert!(parsed.unwrap_err().to_string().contains("unknown field"));
        }
    }
}
