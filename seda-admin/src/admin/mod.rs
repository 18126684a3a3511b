//! The admin side: requests to pages and probes.
//!
//! The room imports all others. Sockets and the types of a transport do not belong in this crate.

mod queries;

use self::queries::{graph_view, past, report_view};
use crate::access::{AdminAccess, PagePath, READY};
use crate::answer::{AdminAnswer, EVENTS};
use crate::events::Events;
use crate::figures::ServerFigures;
use crate::metrics::Format;
use crate::pages::{HistoryPages, Pages, Past, View};
use crate::web;
use bytes::Bytes;
use seda_core::Snapshots;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The pages, as the 404 lists them.
const PAGES: &[&str] = &["report", "graph", "metrics", "history", "events", "live", "ready"];

/// The live page and its files.
const FILES: &[&str] = &["", "page.css", "page.js"];

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
    events: Events,
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
        let events = Events::new(snapshots.clone());
        Self { snapshots, pages, history, events, is_draining: AtomicBool::new(false) }
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
        let is_read = matches!(request.method, "GET" | "HEAD");
        if access.is_probe(request.path) {
            return Err(match is_read {
                true if request.path == READY => self.readiness(),
                true => liveness(),
                false => AdminAnswer::not_allowed(),
            });
        }
        let Some(page) = access.page(request.path) else { return Err(not_found(access)) };
        if !access.admits(request.host) {
            return Err(misdirected());
        }
        let name = match page {
            PagePath::Page(name) if PAGES.contains(&name) || FILES.contains(&name) => name,
            PagePath::Page(_) => return Err(not_found(access)),
            PagePath::Root => "",
        };
        if !is_read {
            return Err(AdminAnswer::not_allowed());
        }
        if page == PagePath::Root {
            return Err(AdminAnswer::redirection(format!("{}/", request.path)));
        }
        match name {
            "report" => report_view(request.query).map(Asked::View),
            "graph" => graph_view(request.query, request.accept).map(Asked::View),
            "metrics" => Ok(Asked::View(View::Metrics(Format::accepted(request.accept)))),
            "history" => past(request.query).map(Asked::History),
            "events" => Err(self.events(request.method)),
            "live" => Err(liveness()),
            "ready" => Err(self.readiness()),
            "page.css" => Err(AdminAnswer::file("text/css; charset=utf-8", web::LIVE_STYLE)),
            "page.js" => Err(AdminAnswer::file("text/javascript; charset=utf-8", web::LIVE_SCRIPT)),
            _ => Err(AdminAnswer::file("text/html; charset=utf-8", web::LIVE_PAGE)),
        }
    }

    /// Returns the stream of events, or the 503 without a place for a further reader. An answer to
    /// HEAD takes no place.
    fn events(&self, method: &str) -> AdminAnswer {
        if method == "HEAD" {
            return AdminAnswer::page(EVENTS, Bytes::new());
        }
        self.events.reader().map_or_else(AdminAnswer::no_place, AdminAnswer::events)
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

fn liveness() -> AdminAnswer {
    AdminAnswer::text(200, "live\n")
}

/// Returns the 421 for a Host that may have come by DNS rebinding.
fn misdirected() -> AdminAnswer {
    let text = "the admin pages are not shown under this Host: use an IP address or localhost\n";
    AdminAnswer::text(421, text)
}

/// Returns a 404 that lists the pages.
fn not_found(access: &AdminAccess) -> AdminAnswer {
    let Some(path) = access.pages() else { return AdminAnswer::text(404, "no such page\n") };
    let pages: Vec<String> = PAGES.iter().map(|page| format!("{path}/{page}")).collect();
    let text = format!("there are {path}/, {}\n", pages.join(", "));
    AdminAnswer::text(404, text)
}
