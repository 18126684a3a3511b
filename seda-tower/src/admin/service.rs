//! The admin side of a graph as a service.

use crate::admin::body::AdminResponseBody;
use crate::admin::records::Records;
use crate::slot::Slot;
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use seda_admin::{Admin, AdminAccess, AdminAnswer, AdminBody, AdminPath, AdminRequest};
use seda_core::Snapshots;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

const UNKNOWN_BODY: &[u8] = b"this page needs another transport\n";

/// The live page, report, graph, metrics, history and probes of a graph, as a service: to be nested
/// in a router, or on a listener of its own.
///
/// ```
/// use axum::{Router, routing::get};
/// use seda_tower::Admission;
///
/// let admission = Admission::new();
/// let admin = admission.admin();
/// let app: Router = Router::new().route("/", get(|| async { "hello" })).layer(admission);
/// // Outside of the layer: an overload does not delay it.
/// let app = app.nest_service("/_seda", admin);
/// # let _ = app;
/// ```
///
/// A page is found at `/_seda/report` and, where a router has taken the prefix off, at `/report`.
/// The live page is at `/_seda/`; nested in axum it needs the slash at the end.
/// By default it is shown only under a Host that is an IP address or `localhost`, which keeps web
/// pages out that reach a private address by DNS rebinding. That is no access control: keep the
/// path off public listeners, or put a check of credentials in front.
#[derive(Clone, Debug)]
pub struct AdminService {
    /// `None` if there is no graph.
    admin: Option<Arc<Admin>>,
    access: Arc<AdminAccess>,
}

impl AdminService {
    /// Returns the admin side of the graph that `snapshots` are of.
    pub fn new(snapshots: Snapshots) -> Self {
        Self::of(Some(Arc::new(Admin::new(snapshots))))
    }

    /// Returns the service of an admin side; `None` answers every request with 503.
    pub(crate) fn of(admin: Option<Arc<Admin>>) -> Self {
        Self { admin, access: Arc::new(access(Vec::new())) }
    }

    /// Also shows the pages to requests with one of these names as their Host.
    pub fn for_hosts(self, names: Vec<String>) -> Self {
        Self { access: Arc::new(access(names)), ..self }
    }

    /// Notes that the server drains: from here on the probe of readiness answers 503.
    pub fn set_draining(&self) {
        self.admin.iter().for_each(|admin| admin.set_draining());
    }

    /// Returns the path as the admin side knows it: below `/_seda`, or that of a probe.
    fn full_path(&self, path: &str) -> String {
        if self.access.takes(path) {
            return path.to_owned();
        }
        format!("{}{path}", AdminPath::default())
    }
}

fn access(hosts: Vec<String>) -> AdminAccess {
    AdminAccess::closed().with_probes().with_pages(AdminPath::default()).for_hosts(hosts)
}

impl<B> Service<Request<B>> for AdminService {
    type Response = Response<AdminResponseBody>;
    type Error = Infallible;
    type Future = AdminFuture;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> AdminFuture {
        let (uri, headers) = (request.uri(), request.headers());
        let path = self.full_path(uri.path());
        let mut asked = AdminRequest::get(&path);
        asked.method = request.method().as_str();
        asked.query = uri.query();
        asked.host = uri.authority().map(|host| host.as_str()).or_else(|| text(headers, HOST));
        asked.accept = text(headers, ACCEPT);
        let slot = Arc::new(Slot::new());
        let later = Arc::clone(&slot);
        let is_head = request.method() == Method::HEAD;
        let Some(admin) = &self.admin else { return AdminFuture { slot: None, is_head } };
        let now = admin.answer(&self.access, &asked, move |answer| {
            // A closed slot belongs to a client that has gone.
            drop(later.fill(answer));
        });
        if let Some(answer) = now {
            drop(slot.fill(answer));
        }
        AdminFuture { slot: Some(slot), is_head }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// The future of [`AdminService`].
#[derive(Debug)]
pub struct AdminFuture {
    /// `None` without a graph.
    slot: Option<Arc<Slot<AdminAnswer>>>,
    is_head: bool,
}

impl Future for AdminFuture {
    type Output = Result<Response<AdminResponseBody>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(slot) = &self.slot else { return Poll::Ready(Ok(without_graph())) };
        let answer = ready!(slot.poll(cx));
        Poll::Ready(Ok(response(answer, self.is_head)))
    }
}

fn without_graph() -> Response<AdminResponseBody> {
    let text = Bytes::from_static(b"the graph could not be started: see the log\n");
    let mut response = Response::new(AdminResponseBody::new(text));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

fn response(answer: AdminAnswer, is_head: bool) -> Response<AdminResponseBody> {
    let (status, body) = match answer.body {
        _ if is_head => (answer.status, AdminResponseBody::new(Bytes::new())),
        AdminBody::Bytes(bytes) => (answer.status, AdminResponseBody::new(bytes)),
        AdminBody::Events(reader) => {
            (answer.status, AdminResponseBody::events(Records::of(reader)))
        }
        // A body of a later kind than this service knows.
        _ => (501, AdminResponseBody::new(Bytes::from_static(UNKNOWN_BODY))),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    for (name, value) in answer.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(Ok(location)) = answer.location.map(HeaderValue::try_from) {
        headers.insert(LOCATION, location);
    }
    response
}
