//! The admin view under `/_seda/`. It is outside the graph, its budget and its figures.
//!
//! The graph's control thread makes snapshots and keeps each for a moment. So load on the graph
//! does not delay the view, and a flood of admin requests costs the graph nothing.

use super::reply::Reply;
use super::responses;
use crate::h1::RequestHead;
use crate::reactor::{Admission, Body};
use bytes::Bytes;
use http::{HeaderValue, Method, Response, StatusCode, header};
use parking_lot::Mutex;
use seda_core::{Outcome, ReplyAddress, ReplySink, Report, Snapshots};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The beginning of every path of the admin view.
const PREFIX: &str = "/_seda/";

/// The Allow field of a 405 (RFC 9110 §15.5.6).
const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// The Cache-Control field of a snapshot, which is outdated at once.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The body of a 404.
const PAGES: &str = "there are /_seda/report, /_seda/graph, /_seda/live, /_seda/ready\n";

/// The body of a 400.
const FORMATS: &str = "allowed: format=json (the default) and format=text\n";

/// Responds to `/_seda/report`, `graph`, `live` and `ready`.
pub(super) struct Admin {
    snapshots: Snapshots,
    reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    ready: Arc<AtomicBool>,
    waiters: Arc<Waiters>,
}

/// The admin requests that wait for the next snapshot. The first one requests it for all.
type Waiters = Mutex<Vec<(ReplyAddress, View)>>;

/// A rendering of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Json,
    Text,
    Dot,
}

impl Admin {
    /// `ready` is false from the beginning of a drain on.
    pub(super) fn new(
        snapshots: Snapshots,
        reply_sink: Arc<dyn ReplySink<Response<Body>>>,
        ready: Arc<AtomicBool>,
    ) -> Self {
        Self { snapshots, reply_sink, ready, waiters: Arc::default() }
    }

    /// Returns true if a request is for the admin view and not for the graph.
    pub(super) fn handles(head: &RequestHead) -> bool {
        head.uri().path().starts_with(PREFIX)
    }

    /// Responds at once, or with the next snapshot.
    pub(super) fn admit(&self, head: &RequestHead, address: ReplyAddress) -> Admission<Reply> {
        let page = head.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        let is_read = matches!(*head.method(), Method::GET | Method::HEAD);
        let view = match page {
            "report" | "graph" | "live" | "ready" if !is_read => {
                return Admission::Answered(not_allowed().into());
            }
            "report" => report_view(head),
            "graph" => Some(View::Dot),
            "live" => return Admission::Answered(responses::text(StatusCode::OK, "live\n").into()),
            "ready" => return Admission::Answered(self.readiness().into()),
            _ => return Admission::Answered(responses::text(StatusCode::NOT_FOUND, PAGES).into()),
        };
        let Some(view) = view else {
            let response = responses::text(StatusCode::BAD_REQUEST, FORMATS);
            return Admission::Answered(response.into());
        };
        self.request_snapshot(address, view);
        Admission::External
    }

    fn readiness(&self) -> Response<Body> {
        if !self.ready.load(Ordering::SeqCst) {
            return responses::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n");
        }
        let stuck = self.snapshots.stuck_stages();
        if stuck.is_empty() {
            return responses::text(StatusCode::OK, "ready\n");
        }
        let text = format!("all workers are stuck in handlers at: {}\n", stuck.join(", "));
        responses::text(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    fn request_snapshot(&self, address: ReplyAddress, view: View) {
        let mut waiters = self.waiters.lock();
        waiters.push((address, view));
        let is_first = waiters.len() == 1;
        drop(waiters);
        if is_first {
            let request = SnapshotRequest {
                waiters: Arc::clone(&self.waiters),
                reply_sink: Arc::clone(&self.reply_sink),
                is_delivered: false,
            };
            self.snapshots.request(Box::new(move |report| request.deliver(&report)));
        }
    }
}

/// A requested snapshot. All waiters get a response, with the snapshot or without.
struct SnapshotRequest {
    waiters: Arc<Waiters>,
    reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    is_delivered: bool,
}

impl SnapshotRequest {
    /// Renders each requested view once. Runs on the control thread.
    fn deliver(mut self, report: &Report) {
        self.is_delivered = true;
        let mut rendered: Vec<(View, Bytes)> = Vec::new();
        for (address, view) in self.take_waiters() {
            let known = rendered.iter().find(|(known, _)| *known == view);
            let bytes = match known {
                Some((_, bytes)) => bytes.clone(),
                None => {
                    let bytes = render(report, view);
                    rendered.push((view, bytes.clone()));
                    bytes
                }
            };
            self.reply_sink.deliver(address, Outcome::Answered(page(view, bytes)));
        }
    }

    fn take_waiters(&self) -> Vec<(ReplyAddress, View)> {
        std::mem::take(&mut *self.waiters.lock())
    }
}

impl Drop for SnapshotRequest {
    fn drop(&mut self) {
        if self.is_delivered {
            // Waiters that came since belong to the next request.
            return;
        }
        for (address, _) in self.take_waiters() {
            let response =
                responses::text(StatusCode::SERVICE_UNAVAILABLE, "the graph has ended\n");
            self.reply_sink.deliver(address, Outcome::Answered(response));
        }
    }
}

/// Returns the view that the query asks for; `None` if its format is unknown.
fn report_view(head: &RequestHead) -> Option<View> {
    let query = head.uri().query().unwrap_or_default();
    match query.split('&').find_map(|pair| pair.strip_prefix("format=")) {
        None | Some("json") => Some(View::Json),
        Some("text") => Some(View::Text),
        Some(_) => None,
    }
}

fn not_allowed() -> Response<Body> {
    let mut response = responses::text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    response.headers_mut().insert(header::ALLOW, ALLOWED);
    response
}

fn render(report: &Report, view: View) -> Bytes {
    match view {
        View::Json => match serde_json::to_vec(report) {
            Ok(json) => json.into(),
            // Unreachable: a report has string keys and plain numbers.
            Err(error) => {
                tracing::error!(%error, "cannot write a report as JSON");
                Bytes::from_static(b"null")
            }
        },
        View::Text => report.to_string().into(),
        View::Dot => report.to_dot().into(),
    }
}

fn page(view: View, bytes: Bytes) -> Response<Body> {
    let content_type = match view {
        View::Json => "application/json",
        View::Text => "text/plain; charset=utf-8",
        View::Dot => "text/vnd.graphviz",
    };
    let content_type = HeaderValue::from_static(content_type);
    let mut page = responses::with_type(StatusCode::OK, content_type, bytes);
    page.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    page
}
