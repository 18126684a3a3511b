//! Conditional requests (RFC 9110 §13), in the order of precedence of §13.2.2.
//!
//! The crate `headers` is not used: its tags assert in debug builds on a space that a client may
//! send, and its Range takes a suffix longer than the file as unsatisfiable.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::time::SystemTime;

/// The validators of a representation.
#[derive(Clone, Debug)]
pub(super) struct Validators {
    /// An entity tag, in its quotes: strong if the representation is settled.
    pub(super) etag: HeaderValue,
    /// The time of the last change, in whole seconds. `None` if it cannot be sent.
    pub(super) modified: Option<SystemTime>,
    /// The representation has one content. Else the tag does not tell its contents apart (§8.8.1),
    /// and none that a client has fits.
    pub(super) is_settled: bool,
    /// The same for the date: it is a strong validator (§8.8.2.2).
    pub(super) is_date_settled: bool,
}

/// The outcome of the preconditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request is answered as if it had none.
    Proceed,
    /// 304: the client has the representation.
    NotModified,
    /// 412: the representation is not the one that the client asks for.
    Failed,
}

impl Validators {
    /// Evaluates the preconditions of a GET or HEAD request.
    pub(super) fn verdict(&self, headers: &HeaderMap) -> Verdict {
        // Steps 1 and 2: If-Match by strong comparison, else If-Unmodified-Since.
        let is_wanted = if headers.contains_key(header::IF_MATCH) {
            self.is_listed(headers, &header::IF_MATCH, Comparison::Strong)
        } else {
            self.is_unmodified_since(headers, &header::IF_UNMODIFIED_SINCE).unwrap_or(true)
        };
        if !is_wanted {
            return Verdict::Failed;
        }
        // Steps 3 and 4: If-None-Match by weak comparison, else If-Modified-Since.
        let is_known = if headers.contains_key(header::IF_NONE_MATCH) {
            self.is_listed(headers, &header::IF_NONE_MATCH, Comparison::Weak)
        } else {
            self.is_unmodified_since(headers, &header::IF_MODIFIED_SINCE).unwrap_or(false)
        };
        if is_known { Verdict::NotModified } else { Verdict::Proceed }
    }

    /// Returns false if If-Range says that a Range is to be ignored (§13.1.5). It takes strong
    /// validators alone.
    pub(super) fn allow_range(&self, headers: &HeaderMap) -> bool {
        let mut fields = headers.get_all(header::IF_RANGE).iter();
        match (fields.next(), fields.next()) {
            (None, _) => true,
            (Some(_), Some(_)) => false,
            (Some(field), None) if field.as_bytes().ends_with(b"\"") => {
                self.is_settled && *field == self.etag
            }
            (Some(field), None) => {
                self.is_date_settled && self.modified.is_some() && date(field) == self.modified
            }
        }
    }

    /// Returns true if a field lists the entity tag, or is `*`.
    fn is_listed(&self, headers: &HeaderMap, name: &HeaderName, comparison: Comparison) -> bool {
        let own = self.etag.as_bytes();
        headers.get_all(name).iter().any(|field| {
            let field = field.as_bytes().trim_ascii();
            field == b"*"
                || self.is_settled
                    && TagList(field).any(|tag| {
                        tag.opaque == own && (comparison == Comparison::Weak || !tag.is_weak)
                    })
        })
    }

    /// Returns true if the last change was not after the date of a field. `None` if there is no
    /// such field, it is not one date, or the time of the last change is not known.
    fn is_unmodified_since(&self, headers: &HeaderMap, name: &HeaderName) -> Option<bool> {
        let mut fields = headers.get_all(name).iter();
        let (Some(field), None) = (fields.next(), fields.next()) else { return None };
        Some(self.modified? <= date(field)?)
    }
}

fn date(field: &HeaderValue) -> Option<SystemTime> {
    httpdate::parse_http_date(field.to_str().ok()?.trim()).ok()
}

/// The comparison of entity tags (RFC 9110 §8.8.3.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// An entity tag in a request.
struct Tag<'a> {
    /// With its quotes.
    opaque: &'a [u8],
    is_weak: bool,
}

/// The rest of a list of entity tags. The list ends at the first element that is not one.
struct TagList<'a>(&'a [u8]);

impl<'a> Iterator for TagList<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        let start = self.0.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b','))?;
        let list = self.0.get(start..)?;
        let (tag, is_weak) = match list.strip_prefix(b"W/") {
            Some(tag) => (tag, true),
            None => (list, false),
        };
        let text = tag.strip_prefix(b"\"")?;
        let length = text.iter().position(|byte| *byte == b'"')? + 2;
        let (opaque, rest) = tag.split_at_checked(length)?;
        self.0 = rest;
        Some(Tag { opaque, is_weak })
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Failed, NotModified, Proceed};
    use super::*;
    use proptest::prelude::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sunday, 06-Nov-94 08:49:38 GMT";

    fn validators() -> Validators {
        Validators {
            etag: HeaderValue::from_static("\"a,b\""),
            modified: httpdate::parse_http_date(SAME).ok(),
            is_settled: true,
            is_date_settled: true,
        }
    }

    fn headers(fields: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    /// RFC 9110 §13.1 and §13.2.2.
    #[test]
    fn preconditions_are_evaluated_in_the_order_of_precedence() {
        for (fields, expected) in [
            (&[][..], Proceed),
            (&[("if-match", "\"x\", \"a,b\"")], Proceed),
            (&[("if-match", "\"x\""), ("if-match", "\"a,b\"")], Proceed),
            (&[("if-match", "*")], Proceed),
            (&[("if-match", "W/\"a,b\"")], Failed),
            (&[("if-match", "a,b")], Failed),
            (&[("if-match", "")], Failed),
            (&[("if-unmodified-since", BEFORE)], Failed),
            (&[("if-unmodified-since", SAME)], Proceed),
            (&[("if-unmodified-since", "yesterday")], Proceed),
            // If-Match decides alone.
            (&[("if-match", "\"a,b\""), ("if-unmodified-since", BEFORE)], Proceed),
            (&[("if-none-match", "\"x\", W/\"a,b\"")], NotModified),
            (&[("if-none-match", "*")], NotModified),
            (&[("if-none-match", "\"x y\" , \"a,b\"")], NotModified),
            (&[("if-none-match", "\"a\", \"b\"")], Proceed),
            (&[("if-none-match", "\"a,b")], Proceed),
            (&[("if-modified-since", BEFORE)], Proceed),
            (&[("if-modified-since", SAME)], NotModified),
            (&[("if-modified-since", AFTER)], NotModified),
            (&[("if-modified-since", SAME), ("if-modified-since", SAME)], Proceed),
            (&[("if-modified-since", "0")], Proceed),
            // If-None-Match decides alone.
            (&[("if-none-match", "\"x\""), ("if-modified-since", SAME)], Proceed),
            // The first pair is evaluated before the second.
            (&[("if-match", "\"x\""), ("if-none-match", "\"a,b\"")], Failed),
            (&[("if-match", "\"a,b\""), ("if-none-match", "\"a,b\"")], NotModified),
        ] {
            assert_eq!(validators().verdict(&headers(fields)), expected, "{fields:?}");
        }
    }

    #[test]
    fn without_a_time_of_the_last_change_dates_are_ignored() {
        let validators = Validators { modified: None, ..validators() };
        for name in ["if-modified-since", "if-unmodified-since"] {
            assert_eq!(validators.verdict(&headers(&[(name, SAME)])), Proceed);
        }
        assert!(!validators.allow_range(&headers(&[("if-range", SAME)])));
    }

    /// RFC 9110 §8.8.1 and §8.8.2.2: the client may have another content with the same validators.
    #[test]
    fn no_tag_fits_a_representation_that_may_have_a_second_content() {
        let validators = Validators { is_settled: false, is_date_settled: false, ..validators() };
        for (name, value, expected) in [
            ("if-none-match", "\"a,b\"", Proceed),
            ("if-none-match", "W/\"a,b\"", Proceed),
            ("if-match", "\"a,b\"", Failed),
            // These ask for no content in particular.
            ("if-none-match", "*", NotModified),
            ("if-match", "*", Proceed),
            ("if-unmodified-since", "yesterday", Proceed),
        ] {
            assert_eq!(validators.verdict(&headers(&[(name, value)])), expected, "{name} {value}");
        }
        for value in ["\"a,b\"", SAME] {
            assert!(!validators.allow_range(&headers(&[("if-range", value)])), "{value}");
        }
        assert!(validators.allow_range(&HeaderMap::new()));
    }

    /// RFC 9110 §13.1.5.
    #[test]
    fn if_range_needs_a_strong_validator_that_is_equal() {
        for (value, expected) in [
            ("\"a,b\"", true),
            ("W/\"a,b\"", false),
            ("\"x\"", false),
            ("\"a,b\", \"x\"", false),
            (SAME, true),
            (BEFORE, false),
            (AFTER, false),
            ("*", false),
            ("", false),
        ] {
            let headers = headers(&[("if-range", value)]);
            assert_eq!(validators().allow_range(&headers), expected, "{value}");
        }
        assert!(validators().allow_range(&HeaderMap::new()));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_list_of_tags(bytes in "[\"W/,a b\t*]{0,40}", name in 0_usize..5) {
            let name = ["if-match", "if-none-match", "if-range", "if-modified-since",
                "if-unmodified-since"][name];
            if HeaderValue::from_str(&bytes).is_ok() {
                let headers = headers(&[(name, &bytes)]);
                let _ = validators().verdict(&headers);
                let _ = validators().allow_range(&headers);
            }
        }
    }
}
