//! Server-sent events: their encoding, and the sender of an event stream.

use super::body_sender::{BodySendError, BodySender};
use crate::reactor::{Body, Filler};
use bytes::Bytes;
use http::{HeaderValue, Response, header};
use std::fmt;
use std::time::Duration;
use thiserror::Error;

/// The time after the last event at which a comment is sent: "every 15 seconds or so" (WHATWG HTML,
/// §9.2.7), because proxies and clients drop a silent connection.
const COMMENT_AFTER: Duration = Duration::from_secs(15);

/// A comment without text, which every client ignores.
const COMMENT: &[u8] = b":\n\n";

/// One server-sent event (WHATWG HTML, §9.2).
///
/// ```
/// use seda_http::Event;
///
/// let event = Event::new("21.5\n22.0").named("temperature")?.with_id("7")?;
/// assert_eq!(
///     event.to_string(),
///     "event: temperature\nid: 7\ndata: 21.5\ndata: 22.0\n\n"
/// );
/// # Ok::<(), seda_http::EventError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The lines before the data.
    fields: String,
    /// Lines that end with LF.
    data: String,
}

/// The reason why an [`Event`] cannot have a name or an id.
///
/// ```
/// let error = seda_http::Event::new("").with_id("1\n2").unwrap_err();
/// assert_eq!(error.to_string(), "the id \"1\\n2\" of an event has a line end; remove it");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EventError {
    /// The value has a line end, which would begin another field.
    #[error("the {field} {value:?} of an event has a line end; remove it")]
    LineEnd {
        /// `name` or `id`.
        field: &'static str,
        /// The value.
        value: String,
    },
    /// The id has a NUL, with which clients ignore it.
    #[error("the id {value:?} of an event has a NUL, with which clients ignore it; remove it")]
    Nul {
        /// The value.
        value: String,
    },
}

impl Event {
    /// Returns an event with this data, of any number of lines. It reaches the client's listeners
    /// of `message`, with LF between the lines.
    pub fn new(data: impl Into<String>) -> Self {
        let mut data = data.into();
        if data.contains('\r') {
            data = data.replace("\r\n", "\n").replace('\r', "\n");
        }
        Self { fields: String::new(), data }
    }

    /// Returns the same event for the client's listeners of `name`.
    ///
    /// # Errors
    /// [`EventError::LineEnd`].
    pub fn named(self, name: &str) -> Result<Self, EventError> {
        self.with_field("event", "name", name)
    }

    /// Returns the same event with an id. A client that connects again sends the last one in
    /// Last-Event-ID ([`HttpRequest::last_event_id`](crate::HttpRequest::last_event_id)).
    ///
    /// # Errors
    /// [`EventError::LineEnd`], [`EventError::Nul`].
    pub fn with_id(self, id: &str) -> Result<Self, EventError> {
        if id.contains('\0') {
            return Err(EventError::Nul { value: id.to_owned() });
        }
        self.with_field("id", "id", id)
    }

    /// Returns the same event, which sets the time that the client waits before it connects again.
    /// Parts of a millisecond are dropped.
    pub fn with_retry(mut self, wait: Duration) -> Self {
        self.fields.push_str(&format!("retry: {}\n", wait.as_millis()));
        self
    }

    fn with_field(
        mut self,
        key: &str,
        field: &'static str,
        value: &str,
    ) -> Result<Self, EventError> {
        if value.contains(['\n', '\r']) {
            return Err(EventError::LineEnd { field, value: value.to_owned() });
        }
        self.fields.push_str(&format!("{key}: {value}\n"));
        Ok(self)
    }
}

/// Writes the event as it is sent.
impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.fields)?;
        for line in self.data.split('\n') {
            writeln!(f, "data: {line}")?;
        }
        f.write_str("\n")
    }
}

/// Sends server-sent events to one client.
///
/// ```
/// use seda_http::{Event, EventSender, HttpRequest};
///
/// fn subscribe(call: HttpRequest, subscribers: &mut Vec<EventSender>) {
///     let (sender, response) = EventSender::open();
///     call.respond(response);
///     subscribers.push(sender);
/// }
///
/// fn publish(event: &Event, subscribers: &mut Vec<EventSender>) {
///     // Those that have left go, and so do those that do not read: they connect again.
///     subscribers.retain_mut(|subscriber| subscriber.try_send(event).is_ok());
/// }
/// # let _ = (subscribe, publish);
/// ```
///
/// The bounds are those of [`BodySender`]. While the program sends no event, the server sends a
/// comment every 15 s, without a thread of its own: so a client that has left is noticed. A drain
/// of the server ends the stream between two events, and its client connects again, to another
/// server. A sender that is dropped ends the stream, too.
#[must_use = "a sender that is dropped ends the stream"]
#[derive(Debug)]
pub struct EventSender {
    /// `None` only while it is dropped.
    body: Option<BodySender>,
}

impl EventSender {
    /// Returns a sender, and the response with its stream: of type `text/event-stream`, not to be
    /// stored.
    pub fn open() -> (Self, Response<Body>) {
        Self::with_comments_after(COMMENT_AFTER)
    }

    /// Returns the same as [`EventSender::open`], with a comment after this time without an event;
    /// it is up to 250 ms late.
    pub fn with_comments_after(silence: Duration) -> (Self, Response<Body>) {
        let filler = Filler { piece: Bytes::from_static(COMMENT), after: silence };
        let (body, stream) = BodySender::with_filler(filler);
        let mut response = Response::new(stream);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        (Self { body: Some(body) }, response)
    }

    /// Sends an event if there is room for it now. On an error the client misses the event.
    ///
    /// # Errors
    /// [`BodySendError::Full`] if the client does not read, [`BodySendError::Gone`].
    pub fn try_send(&mut self, event: &Event) -> Result<(), BodySendError> {
        self.body.as_mut().map_or(Err(BodySendError::Gone), |body| body.try_send(event.to_string()))
    }

    /// Sends an event that is encoded already. Many senders share its memory if it is longer than 4
    /// KiB.
    pub(super) fn try_send_encoded(&mut self, event: Bytes) -> Result<(), BodySendError> {
        self.body.as_mut().map_or(Err(BodySendError::Gone), |body| body.try_send(event))
    }

    /// Sends an event. Blocks until there is room, for at most `limit`; see [`BodySender::send`].
    ///
    /// # Errors
    /// As of [`try_send`](Self::try_send).
    pub fn send(&mut self, event: &Event, limit: Duration) -> Result<(), BodySendError> {
        let body = self.body.as_mut();
        body.map_or(Err(BodySendError::Gone), |body| body.send(event.to_string(), limit))
    }

    /// Returns true if the client is known to have left.
    pub fn is_gone(&self) -> bool {
        self.body.as_ref().is_none_or(BodySender::is_gone)
    }
}

impl Drop for EventSender {
    fn drop(&mut self) {
        // The stream is whole at every event. A client that has gone needs no end.
        let _ = self.body.take().map(BodySender::finish);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(data: &str) -> String {
        Event::new(data).to_string()
    }

    /// WHATWG HTML §9.2.5: "end-of-line = ( cr lf / cr / lf )"; an event ends at an empty line.
    #[test]
    fn each_line_of_the_data_is_a_field() {
        assert_eq!(encoded(""), "data: \n\n");
        assert_eq!(encoded("a"), "data: a\n\n");
        assert_eq!(encoded("a\nb\r\nc\rd"), "data: a\ndata: b\ndata: c\ndata: d\n\n");
        assert_eq!(encoded("a\n\nb"), "data: a\ndata: \ndata: b\n\n");
        for end in ["\n", "\r", "\r\n"] {
            assert_eq!(encoded(&format!("a{end}")), "data: a\ndata: \n\n");
        }
        assert_eq!(encoded("\r\r\n"), "data: \ndata: \ndata: \n\n");
        // A client removes one space, so a leading one of the data survives.
        assert_eq!(encoded(" a: b"), "data:  a: b\n\n");
    }

    #[test]
    fn no_value_begins_another_field() {
        for value in ["a\nb", "a\rb", "\r\n"] {
            assert!(Event::new("").named(value).is_err());
            assert!(Event::new("").with_id(value).is_err());
        }
        assert!(Event::new("").with_id("a\0b").is_err());
        let event = Event::new("x").with_retry(Duration::from_millis(1500)).with_id("").unwrap();
        assert_eq!(event.to_string(), "retry: 1500\nid: \ndata: x\n\n");
    }
}
