//! The part of the admin side that a listener shows.
//!
//! The room imports no other. What the pages hold does not belong here (`admin`, `pages`).

mod host;
mod path;

pub use path::{AdminPath, AdminPathError};

/// A page of the admin side, by the path of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PagePath<'p> {
    /// The path of the pages itself, without the slash behind it: relative references in the live
    /// page would lead elsewhere.
    Root,
    /// The page of this name; the live page if it is empty.
    Page(&'p str),
}

/// The path of the liveness probe.
pub(crate) const LIVE: &str = "/livez";

/// The path of the readiness probe.
pub(crate) const READY: &str = "/readyz";

/// The part of the admin side that one listener shows, and to whom.
///
/// ```
/// use seda_admin::{AdminAccess, AdminPath};
///
/// let public = AdminAccess::closed().with_probes();
/// assert!(public.takes("/readyz") && !public.takes("/_seda/report"));
/// let hosts = vec!["status.internal".to_owned()];
/// let internal = public.with_pages(AdminPath::default()).for_hosts(hosts);
/// assert!(internal.takes("/_seda/report"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct AdminAccess {
    has_probes: bool,
    pages: Option<AdminPath>,
    /// The names that a request may have as Host; `None` for any.
    hosts: Option<Vec<String>>,
}

impl AdminAccess {
    /// Returns the access of a listener that shows nothing.
    pub fn closed() -> Self {
        Self { has_probes: false, pages: None, hosts: None }
    }

    /// Also shows the probes `/livez` and `/readyz`.
    pub fn with_probes(self) -> Self {
        Self { has_probes: true, ..self }
    }

    /// Also shows report and graph, under `path`.
    pub fn with_pages(self, path: AdminPath) -> Self {
        Self { pages: Some(path), ..self }
    }

    /// Shows report and graph only to requests whose Host is an IP address, `localhost` or one of
    /// `names`; others get 421 (RFC 9110 §15.5.20).
    ///
    /// It keeps web pages out that reach a private listener by DNS rebinding: their site's name
    /// resolves to the address of the listener, so a browser takes its answers for theirs. Their
    /// requests carry the site's name. The probes are shown to all.
    pub fn for_hosts(self, names: Vec<String>) -> Self {
        Self { hosts: Some(names), ..self }
    }

    /// Returns true if a request for `path` is for the admin side. Others are the program's.
    pub fn takes(&self, path: &str) -> bool {
        self.is_probe(path) || self.page(path).is_some()
    }

    /// Returns true if `path` is that of a probe that is shown.
    pub(crate) fn is_probe(&self, path: &str) -> bool {
        self.has_probes && (path == LIVE || path == READY)
    }

    /// Returns the page at `path`; `None` if the path is not that of the pages or below it.
    pub(crate) fn page<'p>(&self, path: &'p str) -> Option<PagePath<'p>> {
        let rest = path.strip_prefix(self.pages.as_ref()?.as_str())?;
        if rest.is_empty() {
            return Some(PagePath::Root);
        }
        rest.strip_prefix('/').map(PagePath::Page)
    }

    /// Returns the path of the pages; `None` if they are not shown.
    pub(crate) fn pages(&self) -> Option<&AdminPath> {
        self.pages.as_ref()
    }

    /// Returns true if pages are shown to a request with this Host; `None` without one.
    pub(crate) fn admits(&self, host: Option<&str>) -> bool {
        let Some(names) = &self.hosts else { return true };
        host.is_none_or(|host| host::is_trusted(host, names))
    }
}
