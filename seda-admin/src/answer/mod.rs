//! The answer to an admin request, and the answers that need no snapshot; the choice of a format by
//! Accept.
//!
//! The room imports `events`. Deciding about a request does not belong here (`admin`).

mod accept;

pub(crate) use accept::quality;

use crate::events::{EventReader, READERS_MOST};
use bytes::Bytes;

/// The content type of a line of text.
pub(crate) const TEXT: &str = "text/plain; charset=utf-8";

/// A header field: its name in lower case, and its value.
type Field = (&'static str, &'static str);

/// Nothing keeps an answer: a snapshot is outdated at once (RFC 9111 §5.2.2.5).
const NO_STORE: Field = ("cache-control", "no-store");

/// A browser believes the content type.
const NO_SNIFF: Field = ("x-content-type-options", "nosniff");

/// A browser loads and runs nothing for an answer, and shows it in no frame.
const POLICY: Field = ("content-security-policy", "default-src 'none'; frame-ancestors 'none'");

/// No page of another origin may embed an answer. The fields that would let it read one (CORS) are
/// absent.
const SAME_ORIGIN: Field = ("cross-origin-resource-policy", "same-origin");

/// A browser loads the style and the script of the live page, and its records, from the server
/// alone, and runs nothing that stands in a page itself.
const PAGE_POLICY: Field = (
    "content-security-policy",
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A drawing has its style in itself.
const DRAWING_POLICY: Field = (
    "content-security-policy",
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
);

/// The fields of the live page and its files.
const FIELDS_PAGE: &[Field] = &[NO_STORE, NO_SNIFF, PAGE_POLICY, SAME_ORIGIN];

/// Those of a drawing.
const FIELDS_DRAWING: &[Field] = &[NO_STORE, NO_SNIFF, DRAWING_POLICY, SAME_ORIGIN];

/// The content type of a drawing.
pub(crate) const SVG: &str = "image/svg+xml";

/// The fields of every answer.
const FIELDS: &[Field] = &[NO_STORE, NO_SNIFF, POLICY, SAME_ORIGIN];

/// The content type of server-sent events.
pub(crate) const EVENTS: &str = "text/event-stream";

/// Those of a 405 (RFC 9110 §15.5.6).
const FIELDS_ALLOW: &[Field] = &[NO_STORE, NO_SNIFF, POLICY, SAME_ORIGIN, ("allow", "GET, HEAD")];

/// Those of a refusal: the next snapshots are made within a second.
const FIELDS_RETRY: &[Field] = &[NO_STORE, NO_SNIFF, POLICY, SAME_ORIGIN, ("retry-after", "1")];

/// The answer to an admin request, for any transport.
///
/// A transport sends the body's length itself, and no body in answer to HEAD.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdminAnswer {
    /// The status code of HTTP.
    pub status: u16,
    /// The Content-Type.
    pub content_type: &'static str,
    /// Further header fields: names in lower case, and values.
    pub headers: &'static [(&'static str, &'static str)],
    /// The Location of a redirection; `None` for other answers.
    pub location: Option<String>,
    /// The body.
    pub body: AdminBody,
}

/// The body of an admin answer.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AdminBody {
    /// Bytes, shared with the other answers of the same snapshot.
    Bytes(Bytes),
    /// Events without an end, for a transport that can stream: it [starts](EventReader::start) the
    /// reader with its own sink.
    Events(EventReader),
}

impl AdminAnswer {
    /// Returns a 200 with a rendered page.
    pub(crate) fn page(content_type: &'static str, bytes: Bytes) -> Self {
        let headers = if content_type == SVG { FIELDS_DRAWING } else { FIELDS };
        let body = AdminBody::Bytes(bytes);
        Self { status: 200, content_type, headers, location: None, body }
    }

    /// Returns a 200 with the live page or one of its files.
    pub(crate) fn file(content_type: &'static str, text: &'static str) -> Self {
        let body = AdminBody::Bytes(Bytes::from_static(text.as_bytes()));
        Self { status: 200, content_type, headers: FIELDS_PAGE, location: None, body }
    }

    /// Returns a 308 (RFC 9110 §15.4.9) to another path of this server.
    pub(crate) fn redirection(path: String) -> Self {
        let text = format!("the page is at {path}\n");
        Self { location: Some(path), ..Self::text(308, text) }
    }

    /// Returns a 200 with a stream of events.
    pub(crate) fn events(reader: EventReader) -> Self {
        Self { body: AdminBody::Events(reader), ..Self::page(EVENTS, Bytes::new()) }
    }

    /// Returns a line of text.
    pub(crate) fn text(status: u16, text: impl Into<Bytes>) -> Self {
        let body = AdminBody::Bytes(text.into());
        Self { status, content_type: TEXT, headers: FIELDS, location: None, body }
    }

    /// Returns a 405.
    pub(crate) fn not_allowed() -> Self {
        Self { headers: FIELDS_ALLOW, ..Self::text(405, "GET and HEAD only\n") }
    }

    /// Returns a 429 (RFC 6585 §4) with Retry-After.
    pub(crate) fn too_many() -> Self {
        let text = "too many admin requests: a snapshot answers 64 of them\n";
        Self { headers: FIELDS_RETRY, ..Self::text(429, text) }
    }

    /// Returns a 503 with Retry-After, of an event stream without a place for a further reader.
    pub(crate) fn no_place() -> Self {
        let text =
            format!("{READERS_MOST} readers have the event stream open, which are the most\n");
        Self { headers: FIELDS_RETRY, ..Self::text(503, text) }
    }

    /// Returns the 503 of a graph without further snapshots.
    pub(crate) fn ended() -> Self {
        Self::text(503, "the graph has ended\n")
    }
}
