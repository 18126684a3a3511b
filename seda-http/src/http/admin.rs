//! The admin side as a listener shows it. It is outside the graph, its budget and its figures.

use super::body_sender::BodySendError;
use super::codec::{Checked, Destination, Http1, Received};
use super::events::EventSender;
use super::reply::Reply;
use super::routes::BodyLimits;
use super::times::{Label, RouteLabel, TimeRegistry};
use crate::h1::RequestHead;
use crate::reactor::{Admission, Body, Origin, Service};
use crate::server::{ServerCounts, ServerUsage};
use crate::tls::HandshakeCounts;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use seda_admin::{
    Admin, AdminAccess, AdminAnswer, AdminBody, AdminRequest, EventSink, ServerFigure,
    ServerFigures,
};
use seda_core::{LossReason, Outcome, ReplyAddress, ReplySink, Time};
use std::sync::Arc;

/// The admin side as one listener shows it, on one reactor.
pub(super) struct AdminView {
    admin: Arc<Admin>,
    access: AdminAccess,
    reply_sink: Arc<dyn ReplySink<Response<Body>>>,
}

impl AdminView {
    pub(super) fn new(
        admin: Arc<Admin>,
        access: AdminAccess,
        reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    ) -> Self {
        Self { admin, access, reply_sink }
    }

    /// Returns true if a request is for the admin side and not for the graph.
    pub(super) fn takes(&self, head: &RequestHead) -> bool {
        self.access.takes(head.uri().path())
    }

    /// Returns the response to a request whose method is not allowed, before its body is read.
    pub(super) fn check(&self, head: &RequestHead) -> Option<Reply> {
        if matches!(*head.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let answer = self.admin.answer(&self.access, &request(head), drop)?;
        Some(response(answer).into())
    }

    /// Responds at once, or with the next snapshot.
    pub(super) fn admit(&self, head: &RequestHead, address: ReplyAddress) -> Admission<Reply> {
        let reply_sink = Arc::clone(&self.reply_sink);
        let answer = self.admin.answer(&self.access, &request(head), move |answer| {
            reply_sink.deliver(address, Outcome::Answered(response(answer)));
        });
        answer.map_or(Admission::External, |answer| Admission::Answered(response(answer).into()))
    }
}

/// The service of a listener that shows the admin side alone.
pub(super) struct AdminService {
    pub(super) view: AdminView,
    /// The most bytes of a body.
    pub(super) body_bytes: usize,
}

impl Service<Http1> for AdminService {
    fn check(&mut self, head: &RequestHead, now: Time) -> Result<Box<Checked>, Reply> {
        self.view.check(head).map_or(Ok(()), Err)?;
        let limits = BodyLimits { bytes: self.body_bytes, time: None, streamed: None };
        let label = Label::new(RouteLabel::Admin, Some(head.method())).begun(now);
        Ok(Box::new(Checked { destination: Destination::Admin(limits), label }))
    }

    fn admit(
        &mut self,
        request: Received,
        _decision: Option<Box<Checked>>,
        _origin: &Origin,
        address: ReplyAddress,
    ) -> Admission<Reply> {
        self.view.admit(&request.head, address)
    }

    fn no_memory(&mut self) -> Reply {
        Reply::unavailable("the admin side has no memory for this body\n", 1)
    }

    /// The listener ends while a request waits for a snapshot.
    fn lost(&mut self, _reason: LossReason) -> Reply {
        Reply::unavailable("the server ends\n", 1)
    }
}

/// Returns the figures of a server for the metrics page. `usage` is `None` before it serves.
pub(super) fn figures(times: &TimeRegistry, usage: Option<&ServerUsage>) -> ServerFigures {
    let mut figures = ServerFigures::default();
    figures.times = times.read();
    if let Some(usage) = usage {
        figures.counts = counts(usage);
        figures.counts.extend(usage.handshakes().iter().flat_map(handshakes));
    }
    figures
}

fn counts(usage: &ServerUsage) -> Vec<ServerFigure> {
    let gauge = |name, help, value: usize| ServerFigure::gauge(name, help, value as u64);
    let counter = ServerFigure::counter;
    let ServerCounts {
        body_bytes,
        refused_bodies,
        ended_uploads,
        evicted_connections,
        refused_proxies,
        not_found,
        not_allowed,
        bad_parameters,
        long_bodies,
        options,
        replaced_responses,
        dropped_log_lines,
    } = usage.counts();
    let listener = "Connections, and the listener while it is open.";
    vec![
        gauge("seda_http_connections", listener, usage.connections()),
        gauge("seda_http_body_bytes", "Memory of request bodies.", body_bytes),
        counter("seda_http_refused_bodies_total", "503 for want of memory.", refused_bodies),
        counter("seda_http_ended_uploads_total", "Uploads ended for others.", ended_uploads),
        counter(
            "seda_http_evicted_connections_total",
            "Connections closed at the bound of connections.",
            evicted_connections,
        ),
        counter(
            "seda_http_refused_proxies_total",
            "Connections closed for their peer or PROXY header.",
            refused_proxies,
        ),
        counter("seda_http_not_found_total", "404: no route has the path.", not_found),
        counter("seda_http_not_allowed_total", "405, or 501: no route has it.", not_allowed),
        counter("seda_http_bad_parameters_total", "400: parameters do not fit.", bad_parameters),
        counter("seda_http_long_bodies_total", "413: declared too long.", long_bodies),
        counter("seda_http_options_total", "OPTIONS that the table has answered.", options),
        counter(
            "seda_http_replaced_responses_total",
            "Responses that HTTP/1.1 cannot carry, replaced by 500.",
            replaced_responses,
        ),
        counter(
            "seda_http_dropped_log_lines_total",
            "Lines of the access log that were dropped.",
            dropped_log_lines,
        ),
    ]
}

/// Returns the handshakes of a server with TLS: the completed ones, and the failed ones by cause.
fn handshakes(counts: &HandshakeCounts) -> Vec<ServerFigure> {
    let completed = "TLS handshakes that ended well.";
    let failed = "TLS handshakes that failed, by cause.";
    let failures = counts.failures().map(|(cause, count)| {
        let figure = ServerFigure::counter("seda_http_failed_handshakes_total", failed, count);
        figure.with_label("cause", cause)
    });
    let completed =
        ServerFigure::counter("seda_http_handshakes_total", completed, counts.completed);
    [completed].into_iter().chain(failures).collect()
}

fn request(head: &RequestHead) -> AdminRequest<'_> {
    let uri = head.uri();
    let mut request = AdminRequest::get(uri.path());
    request.method = head.method().as_str();
    request.query = uri.query();
    request.accept = head.header("accept");
    request.host = uri.authority().map(|it| it.as_str()).or_else(|| head.header("host"));
    request
}

/// Sends events to one client. An event for which it has no room is lost.
struct AdminEvents(EventSender);

impl EventSink for AdminEvents {
    fn send(&mut self, event: &Bytes) -> bool {
        !matches!(self.0.try_send_encoded(event.clone()), Err(BodySendError::Gone))
    }
}

fn response(answer: AdminAnswer) -> Response<Body> {
    let mut response = match answer.body {
        AdminBody::Bytes(bytes) => Response::new(Body::Bytes(bytes)),
        AdminBody::Events(reader) => {
            let (sender, response) = EventSender::open();
            reader.start(AdminEvents(sender));
            response
        }
        // A new form of body comes with its own arm.
        _ => Response::new(Body::Empty),
    };
    let status = StatusCode::from_u16(answer.status);
    debug_assert!(status.is_ok(), "an answer has a status code of HTTP");
    *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    // A path of the admin side has no byte that a field forbids.
    if let Some(location) = answer.location.and_then(|it| HeaderValue::try_from(it).ok()) {
        headers.insert(header::LOCATION, location);
    }
    response
}
