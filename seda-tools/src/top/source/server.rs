//! The pages of a running server.

use super::document::{Document, DocumentError};
use crate::experiment::admin::{self, AdminError, PageBounds};
use crate::h1::Url;
use seda_core::Report;
use seda_core::history::History;
use std::time::Duration;
use thiserror::Error;

/// A server answers from a ready snapshot; the report of hundreds of stages has less.
const REPORT: PageBounds = PageBounds { within: Duration::from_secs(2), bytes: 16 << 20 };
/// A history of 600 seconds of 64 stages has about 20 MB, and is written on demand.
const HISTORY: PageBounds = PageBounds { within: Duration::from_secs(10), bytes: 256 << 20 };
/// The pages unless the URL names another path.
const PAGES: &str = "/_seda";
/// The names of all pages.
const ALL: [&str; 6] = ["report", "history", "graph", "metrics", "live", "ready"];

/// The admin side of a server.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    url: Url,
    /// The path of the pages, without a slash at its end.
    pages: String,
}

/// Why a page is not shown.
#[derive(Debug, Error)]
pub(crate) enum ServerError {
    #[error("{0}")]
    Page(#[from] AdminError),
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("it is a history and not a report")]
    NoReport,
    #[error("it is a report and not a history")]
    NoHistory,
}

impl ServerError {
    /// Returns what to do about it, as the end of a sentence; `None` if the error says it.
    pub(crate) fn remedy(&self) -> Option<&'static str> {
        match self {
            ServerError::Page(error) => Some(error.remedy()),
            ServerError::Document(_) => None,
            ServerError::NoReport | ServerError::NoHistory => {
                Some("give the address of a seda server's admin side")
            }
        }
    }
}

impl Server {
    /// Returns the server of a URL. Its path is that of the admin pages, or of one of them; without
    /// a path they are at `/_seda`.
    pub(crate) fn new(url: Url) -> Self {
        let path = url.target().split(['?', '#']).next().unwrap_or_default();
        let path = path.trim_end_matches('/');
        let pages = ALL.iter().find_map(|page| path.strip_suffix(page)?.strip_suffix('/'));
        let pages = match pages.unwrap_or(path) {
            "" => PAGES,
            path => path,
        };
        Self { pages: pages.to_owned(), url }
    }

    /// Returns the server with its pages at `/_seda`, if the URL names another path: it may be that
    /// of a request.
    pub(crate) fn at_default(&self) -> Option<Self> {
        (self.pages != PAGES).then(|| Self { url: self.url.clone(), pages: PAGES.to_owned() })
    }

    /// Returns the URL of a page.
    pub(crate) fn page(&self, page: &str) -> Url {
        self.url.with_target(&format!("{}/{page}", self.pages))
    }

    /// Returns its name for people: host, port, and the path of the pages if it is another.
    pub(crate) fn name(&self) -> String {
        let path = if self.pages == PAGES { "" } else { &self.pages };
        format!("{}{path}", self.url.authority())
    }

    /// Reads the report.
    pub(crate) fn report(&self) -> Result<Box<Report>, ServerError> {
        let json = self.read("report", REPORT)?;
        // The fast way: it succeeds once a second. What fails is looked at again for its reason.
        if let Ok(report) = serde_json::from_slice(&json) {
            return Ok(report);
        }
        match Document::read(&json)? {
            Document::Report(report) => Ok(report),
            Document::History(_) => Err(ServerError::NoReport),
        }
    }

    /// Reads the history of the last `seconds`.
    pub(crate) fn history(&self, seconds: usize) -> Result<History, ServerError> {
        match Document::read(&self.read(&format!("history?seconds={seconds}"), HISTORY)?)? {
            Document::History(history) => Ok(history),
            Document::Report(_) => Err(ServerError::NoHistory),
        }
    }

    fn read(&self, page: &str, bounds: PageBounds) -> Result<Vec<u8>, AdminError> {
        admin::page(&self.url, self.page(page).target(), bounds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_url_is_that_of_the_pages() {
        let cases = [
            ("http://127.0.0.1:8080", "/_seda/report", "127.0.0.1:8080"),
            ("http://127.0.0.1:8080/", "/_seda/report", "127.0.0.1:8080"),
            ("http://h:9/_seda/", "/_seda/report", "h:9"),
            ("http://h:9/_seda/report?format=text", "/_seda/report", "h:9"),
            ("http://h:9/_seda/history?seconds=600", "/_seda/report", "h:9"),
            ("http://h:9/_seda/graph", "/_seda/report", "h:9"),
            ("http://h:9/internal/status", "/internal/status/report", "h:9/internal/status"),
        ];
        for (text, page, name) in cases {
            let server = Server::new(text.parse().unwrap());
            assert_eq!((server.page("report").target(), &*server.name()), (page, name), "{text}");
            let other = server.at_default().map(|server| server.page("report").to_string());
            assert_eq!(other.is_some(), page.starts_with("/internal"), "{text}: {other:?}");
        }
    }
}
