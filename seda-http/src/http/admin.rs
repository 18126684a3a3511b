//! The operator's view, under `/_seda/`: outside the graph, its budget and its figures.
//!
//! It is answered from snapshots that the graph's control thread makes and keeps for a moment, so
//! no load on the graph keeps it waiting and no flood of questions costs the graph anything.

use super::responses;
use crate::reactor::{Admission, Body};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use parking_lot::Mutex;
use seda_core::{Address, Home, Outcome, Report, Snapshots};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What every path of the admin view begins with.
const PREFIX: &str = "/_seda/";

/// RFC 9110 §15.5.6 asks for it.
const ALLOWED: HeaderValue = HeaderValue::from_static("GET, HEAD");

/// A snapshot is of its moment.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// The body of 404.
const PAGES: &str = "there are /_seda/report, /_seda/graph, /_seda/live, /_seda/ready\n";

/// The body of 400.
const FORMATS: &str = "there are format=json (as without it) and format=text\n";

type Answer = Response<Body>;

/// Answers `/_seda/report`, `graph`, `live` and `ready`.
pub(crate) struct Admin {
    snapshots: Snapshots,
    reply_sink: Arc<dyn Home<Answer>>,
    ready: Arc<AtomicBool>,
    waiting: Arc<Waiting>,
}

/// Who waits for the next snapshot. One is request for on behalf of all.
type Waiting = Mutex<Vec<(Address, View)>>;

/// A picture of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum View {
    Json,
    Text,
    Dot,
}

impl Admin {
    pub(crate) fn new(
        snapshots: Snapshots,
        reply_sink: Arc<dyn Home<Answer>>,
        ready: Arc<AtomicBool>,
    ) -> Self {
        Self { snapshots, reply_sink, ready, waiting: Arc::default() }
    }

    /// Whether a request is for the admin view and not for the graph.
    pub(crate) fn handles(request: &Request<Bytes>) -> bool {
        request.uri().path().starts_with(PREFIX)
    }

    /// Answers at once, or leaves the answer to the next snapshot.
    pub(crate) fn answer(&self, request: &Request<Bytes>, address: Address) -> Admission<Answer> {
        let page = request.uri().path().strip_prefix(PREFIX).unwrap_or_default();
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        let view = match page {
            "report" | "graph" | "live" | "ready" if !is_read => {
                return Admission::Answered(not_allowed());
            }
            "report" => report_view(request),
            "graph" => Some(View::Dot),
            "live" => return Admission::Answered(responses::text(StatusCode::OK, "live\n")),
            "ready" => return Admission::Answered(self.readiness()),
            _ => return Admission::Answered(responses::text(StatusCode::NOT_FOUND, PAGES)),
        };
        let Some(view) = view else {
            return Admission::Answered(responses::text(StatusCode::BAD_REQUEST, FORMATS));
        };
        self.ask(address, view);
        Admission::Awaited
    }

    fn readiness(&self) -> Answer {
        if self.ready.load(Ordering::SeqCst) {
            responses::text(StatusCode::OK, "ready\n")
        } else {
            responses::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")
        }
    }

    fn ask(&self, address: Address, view: View) {
        let mut waiting = self.waiting.lock();
        waiting.push((address, view));
        let is_first = waiting.len() == 1;
        drop(waiting);
        if is_first {
            let request = SnapshotRequest {
                waiting: Arc::clone(&self.waiting),
                reply_sink: Arc::clone(&self.reply_sink),
                delivered: false,
            };
            self.snapshots.request(Box::new(move |report| request.deliver(&report)));
        }
    }
}

/// A snapshot that was request for. Whether it comes or not, all who wait are answered.
struct SnapshotRequest {
    waiting: Arc<Waiting>,
    reply_sink: Arc<dyn Home<Answer>>,
    delivered: bool,
}

impl SnapshotRequest {
    /// Runs on the control thread; renders each view once.
    fn deliver(mut self, report: &Report) {
        self.delivered = true;
        let mut rendered: Vec<(View, Bytes)> = Vec::new();
        for (address, view) in self.take_waiting() {
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

    fn take_waiting(&self) -> Vec<(Address, View)> {
        std::mem::take(&mut *self.waiting.lock())
    }
}

impl Drop for SnapshotRequest {
    fn drop(&mut self) {
        if self.delivered {
            // Who waits by now has request for a snapshot of their own.
            return;
        }
        for (address, _) in self.take_waiting() {
            let answer = responses::text(StatusCode::SERVICE_UNAVAILABLE, "the graph has ended\n");
            self.reply_sink.deliver(address, Outcome::Answered(answer));
        }
    }
}

/// `None` for a format that there is not.
fn report_view(request: &Request<Bytes>) -> Option<View> {
    let query = request.uri().query().unwrap_or_default();
    match query.split('&').find_map(|pair| pair.strip_prefix("format=")) {
        None | Some("json") => Some(View::Json),
        Some("text") => Some(View::Text),
        Some(_) => None,
    }
}

fn not_allowed() -> Answer {
    let mut answer = responses::text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    answer.headers_mut().insert(header::ALLOW, ALLOWED);
    answer
}

fn render(report: &Report, view: View) -> Bytes {
    match view {
        View::Json => match serde_json::to_vec(report) {
            Ok(json) => json.into(),
            // A report has string keys and plain numbers: nothing that JSON could not hold.
            Err(error) => {
                tracing::error!(%error, "a report cannot be written as JSON");
                Bytes::from_static(b"null")
            }
        },
        View::Text => report.to_string().into(),
        View::Dot => report.to_dot().into(),
    }
}

fn page(view: View, bytes: Bytes) -> Answer {
    let kind = match view {
        View::Json => "application/json",
        View::Text => "text/plain; charset=utf-8",
        View::Dot => "text/vnd.graphviz",
    };
    let mut page = responses::with_type(StatusCode::OK, HeaderValue::from_static(kind), bytes);
    page.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    page
}
