//! The admin side: requests to pages and probes.
//!
//! The room imports all others. Sockets and the types of a transport do not belong in this crate.

use crate::access::{AdminAccess, READY};
use crate::answer::AdminAnswer;
use crate::figures::ServerFigures;
use crate::metrics::Format;
use crate::pages::{HistoryPages, Pages, Past, View};
use seda_core::Snapshots;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A request to the admin side, as a transport has parsed it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct AdminRequest<'a> {
    /// The method, such as `GET`.
    pub method: &'a str,
    /// The path of the target, not decoded.
    pub path: &'a str,
    /// The query of the target, without its question mark; `None` without one.
    pub query: Option<&'a str>,
    /// The authority of the target if it has one, else the value of Host; `None` without both.
    pub host: Option<&'a str>,
    /// The value of Accept; `None` without one.
    pub accept: Option<&'a str>,
}

impl<'a> AdminRequest<'a> {
    /// Returns a GET for `path`, without a query, a Host and an Accept.
    pub fn get(path: &'a str) -> Self {
        Self { method: "GET", path, query: None, host: None, accept: None }
    }
}

/// The admin side of one graph, shared by all listeners that serve it.
#[derive(Debug)]
pub struct Admin {
    snapshots: Snapshots,
    pages: Pages,
    history: HistoryPages,
    is_draining: AtomicBool,
}

impl Admin {
    /// Returns the admin side of the graph that `snapshots` are of.
    pub fn new(snapshots: Snapshots) -> Self {
        Self::with_server(snapshots, ServerFigures::default)
    }

    /// Returns the admin side of a graph with the figures of the server around it, for its metrics.
    /// `figures` runs on the control thread of the graph, for each snapshot once at most; it must
    /// not block.
    pub fn with_server(
        snapshots: Snapshots,
        figures: impl Fn() -> ServerFigures + Send + Sync + 'static,
    ) -> Self {
        let pages = Pages::new(snapshots.clone(), Arc::new(figures));
        let history = HistoryPages::new(snapshots.clone());
        Self { snapshots, pages, history, is_draining: AtomicBool::new(false) }
    }

    /// Notes that the server drains: from here on it is not ready.
    pub fn set_draining(&self) {
        self.is_draining.store(true, Ordering::SeqCst);
    }

    /// Returns the answer to a request, if it is known at once. If not, returns `None` and calls
    /// `later` with it: within 250 ms on the control thread of the graph, or before the return if
    /// the graph has ended. The history comes from a thread of its own.
    ///
    /// Never blocks, and `later` must not either. A path that `access` does not
    /// [take](AdminAccess::takes) is answered with 404.
    pub fn answer(
        &self,
        access: &AdminAccess,
        request: &AdminRequest<'_>,
        later: impl FnOnce(AdminAnswer) + Send + 'static,
    ) -> Option<AdminAnswer> {
        match self.route(access, request) {
            Ok(Asked::View(view)) => self.pages.answer(view, Box::new(later)),
            Ok(Asked::History(past)) => self.history.answer(past, Box::new(later)),
            Err(answer) => Some(answer),
        }
    }

    /// Returns what a request asks for.
    ///
    /// # Errors
    /// The answer to a request that asks for no view of the graph.
    fn route(
        &self,
        access: &AdminAccess,
        request: &AdminRequest<'_>,
    ) -> Result<Asked, AdminAnswer> {
        let page = access.page(request.path);
        let is_read = matches!(request.method, "GET" | "HEAD");
        match page {
            _ if access.is_probe(request.path) => Err(match is_read {
                true if request.path == READY => self.readiness(),
                true => liveness(),
                false => AdminAnswer::not_allowed(),
            }),
            Some(_) if !access.admits(request.host) => Err(misdirected()),
            Some("report" | "graph" | "metrics" | "history" | "live" | "ready") if !is_read => {
                Err(AdminAnswer::not_allowed())
            }
            Some("report") => report_view(request.query).map(Asked::View),
            Some("graph") => Ok(Asked::View(View::Dot)),
            Some("metrics") => Ok(Asked::View(View::Metrics(Format::accepted(request.accept)))),
            Some("history") => past(request.query).map(Asked::History),
            Some("live") => Err(liveness()),
            Some("ready") => Err(self.readiness()),
            _ => Err(not_found(access)),
        }
    }

    fn readiness(&self) -> AdminAnswer {
        if self.is_draining.load(Ordering::SeqCst) {
            return AdminAnswer::text(503, "draining\n");
        }
        let stuck = self.snapshots.stuck_stages();
        if stuck.is_empty() {
            return AdminAnswer::text(200, "ready\n");
        }
        let text = format!("all workers are stuck in handlers at: {}\n", stuck.join(", "));
        AdminAnswer::text(503, text)
    }
}

/// What a request asks for, beside answers that need no view of the graph.
#[derive(Clone, Copy, Debug)]
enum Asked {
    View(View),
    History(Past),
}

/// Returns the part of the history that a query asks for, or a 400 for a number that is none.
fn past(query: Option<&str>) -> Result<Past, AdminAnswer> {
    let mut pairs = query.unwrap_or_default().split('&');
    let seconds = pairs.find_map(|pair| pair.strip_prefix("seconds=")).unwrap_or("60");
    seconds.parse().ok().and_then(Past::of).ok_or_else(|| {
        let text = "allowed: seconds=1 to seconds=600; 60 is the default\n";
        AdminAnswer::text(400, text)
    })
}

fn liveness() -> AdminAnswer {
    AdminAnswer::text(200, "live\n")
}

/// Returns the view that the query of a report asks for, or a 400 for an unknown format.
fn report_view(query: Option<&str>) -> Result<View, AdminAnswer> {
    let mut pairs = query.unwrap_or_default().split('&');
    match pairs.find_map(|pair| pair.strip_prefix("format=")) {
        None | Some("json") => Ok(View::Json),
        Some("text") => Ok(View::Text),
        Some(_) => {
            let text = "allowed: format=json (the default) and format=text\n";
            Err(AdminAnswer::text(400, text))
        }
    }
}

/// Returns the 421 for a Host that may have come by DNS rebinding.
fn misdirected() -> AdminAnswer {
    let text = "the admin pages are not shown under this Host: use an IP address or localhost\n";
    AdminAnswer::text(421, text)
}

/// Returns a 404 that lists the pages.
fn not_found(access: &AdminAccess) -> AdminAnswer {
    let Some(path) = access.pages() else { return AdminAnswer::text(404, "no such page\n") };
    let pages = ["report", "graph", "metrics", "history", "live", "ready"];
    let text = format!("there are {}\n", pages.map(|page| format!("{path}/{page}")).join(", "));
    AdminAnswer::text(404, text)
}
