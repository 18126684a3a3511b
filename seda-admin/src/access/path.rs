//! The path of the admin pages.

use std::fmt;
use std::str::FromStr;
use thiserror::Error;

/// The path of the pages unless the program chooses another.
const DEFAULT: &str = "/_seda";

/// A longer path is a mistake: it is typed by people.
const LENGTH_MOST: usize = 128;

/// The path below which the admin pages are, such as `/_seda` or `/internal/status`.
///
/// ```
/// use seda_admin::AdminPath;
///
/// let path: AdminPath = "/internal/status".parse()?;
/// assert_eq!(path.as_str(), "/internal/status");
/// let error = "status/".parse::<AdminPath>().unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "`status/` is no path for admin pages; allowed: segments like /_seda or /internal/status \
///      of A-Z a-z 0-9 - . _ ~, at most 128 bytes, without a slash at the end"
/// );
/// # Ok::<(), seda_admin::AdminPathError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminPath(String);

/// A text that is no path for admin pages.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` is no path for admin pages; allowed: segments like /_seda or /internal/status of \
     A-Z a-z 0-9 - . _ ~, at most {LENGTH_MOST} bytes, without a slash at the end"
)]
pub struct AdminPathError {
    text: String,
}

impl AdminPath {
    /// Returns the path: it begins with a slash and does not end with one.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for AdminPath {
    /// Returns `/_seda`.
    fn default() -> Self {
        Self(DEFAULT.to_owned())
    }
}

impl FromStr for AdminPath {
    type Err = AdminPathError;

    fn from_str(text: &str) -> Result<Self, AdminPathError> {
        let segments = text.strip_prefix('/').filter(|_| text.len() <= LENGTH_MOST);
        if segments.is_some_and(|segments| segments.split('/').all(is_segment)) {
            return Ok(Self(text.to_owned()));
        }
        Err(AdminPathError { text: text.to_owned() })
    }
}

impl fmt::Display for AdminPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns true for a segment of unreserved bytes (RFC 3986 §2.3) that no client rewrites, as it
/// does with `.` and `..`.
fn is_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..") && segment.bytes().all(is_unreserved)
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_segments_that_reach_the_server_as_they_are() {
        for path in ["/_seda", "/a/b.c/~d", "/-"] {
            assert_eq!(path.parse::<AdminPath>().unwrap().as_str(), path);
        }
        let long = format!("/{}", "a".repeat(LENGTH_MOST));
        for text in ["", "/", "a", "/a/", "//a", "/a//b", "/..", "/a/./b", "/a b", "/%41", "/a?b"] {
            assert!(text.parse::<AdminPath>().is_err(), "{text}");
        }
        assert!(long.parse::<AdminPath>().is_err());
        assert_eq!(AdminPath::default(), "/_seda".parse().unwrap());
    }
}
