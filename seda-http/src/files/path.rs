//! The path of a file below the root, read from the target of a request.

use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// The file of a directory that is sent for the directory itself.
const INDEX: &str = "index.html";

/// The directory whose name begins with a dot and that is always served, directly below the root
/// (RFC 8615).
const WELL_KNOWN: &str = ".well-known";

/// A decoded path: relative, with single slashes, without `.` and `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SitePath<'a> {
    relative: Cow<'a, str>,
}

impl<'a> SitePath<'a> {
    /// Reads the path of a target behind `prefix`. `None` if it names no file that is served:
    ///
    /// - it is not below the prefix;
    /// - it is not UTF-8 once it is decoded, or has a NUL or a backslash;
    /// - a slash in it is encoded (`%2f`): other software takes it for a part of a name;
    /// - a segment is `.` or `..`, encoded or not;
    /// - a segment begins with a dot, unless `dotfiles` is true. The directory `.well-known` below
    ///   the root is served.
    ///
    /// Repeated slashes count as one.
    pub(super) fn read(path: &'a str, prefix: &str, dotfiles: bool) -> Option<Self> {
        let below = path.strip_prefix(prefix).filter(|rest| rest.starts_with('/'))?;
        let decoded = decode(below)?;
        let is_bad = decoded.bytes().any(|byte| matches!(byte, 0 | b'\\'));
        let mut segments = decoded.split('/').filter(|segment| !segment.is_empty()).enumerate();
        if is_bad || !segments.all(|(depth, segment)| is_served(depth, segment, dotfiles)) {
            return None;
        }
        Some(Self { relative: relative(decoded) })
    }

    /// Returns true for a directory: the path ends with a slash.
    pub(super) fn is_directory(&self) -> bool {
        self.relative.is_empty() || self.relative.ends_with('/')
    }

    /// Returns the path below the root. That of a directory ends with a slash; the root is empty.
    pub(super) fn as_str(&self) -> &str {
        &self.relative
    }

    /// Returns the path of the file to send: of a directory its `index.html`.
    pub(super) fn file(&self) -> Cow<'_, str> {
        if self.is_directory() {
            Cow::Owned(format!("{}{INDEX}", self.relative))
        } else {
            Cow::Borrowed(&self.relative)
        }
    }
}

fn decode(path: &str) -> Option<Cow<'_, str>> {
    if !path.contains('%') {
        return Some(Cow::Borrowed(path));
    }
    let has_slash =
        path.split('%').skip(1).any(|rest| matches!(rest.as_bytes(), [b'2', b'f' | b'F', ..]));
    if has_slash { None } else { percent_decode_str(path).decode_utf8().ok() }
}

fn is_served(depth: usize, segment: &str, dotfiles: bool) -> bool {
    match segment {
        "." | ".." => false,
        WELL_KNOWN if depth == 0 => true,
        segment => dotfiles || !segment.starts_with('.'),
    }
}

/// Removes leading slashes, and all but one where they are repeated.
fn relative(path: Cow<'_, str>) -> Cow<'_, str> {
    if path.contains("//") {
        let mut single = String::with_capacity(path.len());
        for segment in path.split_inclusive('/').filter(|segment| *segment != "/") {
            single.push_str(segment);
        }
        return Cow::Owned(single);
    }
    match path {
        Cow::Borrowed(path) => Cow::Borrowed(path.trim_start_matches('/')),
        Cow::Owned(path) => Cow::Owned(path.trim_start_matches('/').to_owned()),
    }
}

/// Returns the target of a redirect to the directory that `path` names without its slash. It begins
/// with one slash: with two, a client would take the first segment for a host (RFC 3986 §4.2).
pub(super) fn with_slash(path: &str, query: Option<&str>) -> String {
    let mut target = format!("/{}/", path.trim_matches('/'));
    if let Some(query) = query {
        target.push('?');
        target.push_str(query);
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(path: &str) -> Option<String> {
        SitePath::read(path, "", false).map(|path| path.file().into_owned())
    }

    #[test]
    fn a_path_is_decoded_once_and_relative() {
        for (path, expected) in [
            ("/", "index.html"),
            ("//", "index.html"),
            ("/a.txt", "a.txt"),
            ("/a/b/", "a/b/index.html"),
            ("///a//b", "a/b"),
            ("//a//", "a/index.html"),
            ("/a%20b%25.txt", "a b%.txt"),
            ("/%C3%A4", "ä"),
            ("/a%", "a%"),
            ("/a..b/...c", "a..b/...c"),
            ("/.well-known/acme-challenge/x", ".well-known/acme-challenge/x"),
        ] {
            let expected = (!path.contains("...c")).then(|| expected.to_owned());
            assert_eq!(read(path), expected, "{path}");
        }
    }

    #[test]
    fn a_path_that_may_mean_another_file_is_refused() {
        for path in [
            "",
            "a",
            "*",
            "/..",
            "/../a",
            "/a/../b",
            "/a/..",
            "/./a",
            "/%2e%2e/a",
            "/%2E./a",
            "/a%2fb",
            "/a%2F..%2Fb",
            "/a%00",
            "/a\\b",
            "/..%5ca",
            "/%ff",
            "/.env",
            "/.git/config",
            "/a/.env",
            "/%2eenv",
            "/a/.well-known/x",
            "/.well-known/.env",
        ] {
            assert_eq!(read(path), None, "{path}");
        }
    }

    #[test]
    fn dotfiles_are_served_if_asked_and_parents_never() {
        for (path, is_served) in [("/.env", true), ("/a/.b/c", true), ("/..", false), ("/.", false)]
        {
            assert_eq!(SitePath::read(path, "", true).is_some(), is_served, "{path}");
        }
    }

    #[test]
    fn a_prefix_is_removed_and_required() {
        for (path, expected) in [
            ("/static/a", Some("a")),
            ("/static/", Some("index.html")),
            ("/static", None),
            ("/statica", None),
            ("/a", None),
        ] {
            let read = SitePath::read(path, "/static", false);
            assert_eq!(read.as_ref().map(SitePath::file).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_redirect_leads_to_no_other_host() {
        assert_eq!(with_slash("//evil.example/dir", Some("a=//b")), "/evil.example/dir/?a=//b");
        assert_eq!(with_slash("///a", None), "/a/");
    }

    proptest! {
        #[test]
        fn no_segment_of_a_path_leads_upward(path in "/([a.%/\\\\]|%2[eEfF]|%5c|%00){0,12}") {
            let Some(path) = SitePath::read(&path, "", true) else { return Ok(()) };
            let file = path.file();
            prop_assert!(!file.starts_with('/'));
            prop_assert!(file.split('/').all(|segment| !matches!(segment, "" | "." | "..")));
        }
    }
}
