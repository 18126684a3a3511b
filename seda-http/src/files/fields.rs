//! The header fields of a file.

use super::coding::Coding;
use super::conditions::Validators;
use super::config::FilesConfig;
use crate::server::ConfigError;
use http::{HeaderMap, HeaderValue, header};

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const BYTES: HeaderValue = HeaderValue::from_static("bytes");
const ACCEPT_ENCODING: HeaderValue = HeaderValue::from_static("accept-encoding");

/// The header fields that follow from the settings.
#[derive(Debug)]
pub(super) struct FieldRules {
    /// Pattern and value; the first pattern that matches counts.
    cache_control: Vec<(String, HeaderValue)>,
    /// Another coding may be chosen for another client.
    varies: bool,
}

impl FieldRules {
    pub(super) fn new(config: &FilesConfig) -> Result<Self, ConfigError> {
        let rules = config.cache_control.iter();
        let cache_control: Result<_, ConfigError> =
            rules.map(|rule| Ok((rule.path.clone(), rule.header()?))).collect();
        Ok(Self { cache_control: cache_control?, varies: config.precompressed })
    }

    /// Returns the fields of a 200 with the file of this path below the root. The path is that of
    /// the file without a coding.
    pub(super) fn of(&self, path: &str, coding: Coding, validators: &Validators) -> HeaderMap {
        let mut headers = HeaderMap::with_capacity(8);
        headers.insert(header::CONTENT_TYPE, media_type(path));
        if coding != Coding::Identity {
            let token = HeaderValue::from_static(coding.token());
            headers.insert(header::CONTENT_ENCODING, token);
        }
        headers.insert(header::ETAG, validators.etag.clone());
        if let Some(modified) = validators.modified {
            let date = httpdate::fmt_http_date(modified);
            if let Ok(date) = HeaderValue::from_str(&date) {
                headers.insert(header::LAST_MODIFIED, date);
            }
        }
        if self.varies {
            headers.insert(header::VARY, ACCEPT_ENCODING);
        }
        if let Some(value) = self.cache_control(path) {
            headers.insert(header::CACHE_CONTROL, value.clone());
        }
        headers.insert(header::ACCEPT_RANGES, BYTES);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        headers
    }

    /// Returns the Cache-Control of a path below the root.
    pub(super) fn cache_control(&self, path: &str) -> Option<&HeaderValue> {
        let rules = self.cache_control.iter();
        let mut fitting = rules.filter(|(pattern, _)| matches_pattern(pattern, path));
        fitting.next().map(|(_, value)| value)
    }
}

/// Keeps the fields that a 304 has (RFC 9110 §15.4.5).
pub(super) fn of_not_modified(headers: &HeaderMap) -> HeaderMap {
    let mut kept = HeaderMap::with_capacity(4);
    for name in [header::ETAG, header::VARY, header::CACHE_CONTROL] {
        if let Some(value) = headers.get(&name) {
            kept.insert(name, value.clone());
        }
    }
    kept
}

/// Returns the media type by the end of the name. Text has a charset: without one a browser
/// guesses.
fn media_type(path: &str) -> HeaderValue {
    let guess = mime_guess::from_path(path).first_or_octet_stream();
    let text = guess.essence_str();
    let is_text = text.starts_with("text/") || matches!(text, "image/svg+xml" | "application/xml");
    let text = if is_text { format!("{text}; charset=utf-8") } else { text.to_owned() };
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// Returns true if a pattern matches a path below the root. A `*` stands for any characters,
/// slashes too. A pattern may begin with the slash of the root.
fn matches_pattern(pattern: &str, path: &str) -> bool {
    let mut parts = pattern.strip_prefix('/').unwrap_or(pattern).split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else { return rest.is_empty() };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, path, expected) in [
            ("*", "", true),
            ("*", "a/b", true),
            ("/a.css", "a.css", true),
            ("a.css", "a.css", true),
            ("a.css", "a.css2", false),
            ("/assets/*", "assets/a/b.js", true),
            ("/assets/*", "other/assets/a", false),
            ("*.css", "a/b.css", true),
            ("*.css", "a/b.css.map", false),
            ("a*b*c", "a1b2b3c", true),
            ("a*bc*c", "abc", false),
            ("ab*ba", "aba", false),
            ("**x", "x", true),
            ("", "a", false),
        ] {
            assert_eq!(matches_pattern(pattern, path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn text_has_a_charset_and_the_unknown_is_bytes() {
        for (path, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b.css", "text/css; charset=utf-8"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.TXT", "text/plain; charset=utf-8"),
            ("a.svg", "image/svg+xml; charset=utf-8"),
            ("a.json", "application/json"),
            ("a.wasm", "application/wasm"),
            ("a.png", "image/png"),
            ("a", "application/octet-stream"),
        ] {
            assert_eq!(media_type(path), expected, "{path}");
        }
    }
}
