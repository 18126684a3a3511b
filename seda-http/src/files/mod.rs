//! Static files: the answer to a request for a file below a directory.
//!
//! The room imports `server` (errors of settings) and `reactor` (bodies). It knows no graph and no
//! socket: an answer follows from a request and the file system. Routing does not belong here, nor
//! does the way a body is written (`reactor`).
//!
//! | file | holds |
//! | --- | --- |
//! | `config`, `error` | [`FilesConfig`]; [`FilesError`] |
//! | `path` | the target of a request as a path below the root |
//! | `root` | the directory, and files opened beneath it |
//! | `store`, `cache` | a file from memory or the disk; the files in memory |
//! | `content` | contents read whole, and their budget |
//! | `representation`, `version` | a file as it is sent; one state of one file, its entity tag |
//! | `fields` | the header fields of a file |
//! | `coding`, `conditions`, `range` | Accept-Encoding; conditional requests; Range |
//! | `answer`, `multipart` | the answer; several ranges in one answer |
//! | `listing` | a directory as a page |
//! | `failure` | the answers without a file |

mod answer;
mod cache;
mod coding;
mod conditions;
mod config;
mod content;
mod error;
mod failure;
mod fields;
mod listing;
mod multipart;
mod path;
mod range;
mod representation;
mod root;
mod store;
#[cfg(test)]
mod tests;
mod version;

pub use config::{CacheControlRule, FilesConfig};
pub use error::FilesError;

use crate::reactor::Body;
use coding::{AcceptEncoding, Coding};
use failure::{Failure, text};
use fields::FieldRules;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use listing::Listing;
use path::SitePath;
use root::{Root, Wait};
use seda_core::MonotonicClock;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;
use store::{Clocks, Located, Need, Store};

/// The page of a listing loads nothing and runs nothing.
const LISTING_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'");

/// The files of a directory, as answers to requests. Clones share the directory and the memory.
///
/// An answer has an entity tag, Last-Modified and Cache-Control. Conditional requests, ranges and
/// stored files with a coding are answered as RFC 9110 says. No file outside of the directory is
/// sent, and nothing but regular files. `docs/http.md` has the rules. It is there on Unix.
///
/// ```no_run
/// use seda_core::{Context, Graph, Refused};
/// use seda_http::{Files, FilesConfig, Http, HttpConfig, HttpRequest};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let files = Files::open("site", FilesConfig::default())?;
/// let mut graph = Graph::new("static_site");
/// let mut http = Http::bind(HttpConfig::default())?;
/// let reactors = http.pool(&mut graph);
/// let site = graph.stage::<HttpRequest>("site", 4_096);
/// let disk = graph.stage::<HttpRequest>("disk", 4_096);
/// http.entry(&mut graph, site)?;
/// // The reactor answers from memory, and never waits for the disk.
/// let cached = files.clone();
/// graph.attach_each_in(&reactors, site, |wire| {
///     let disk = wire.sink(disk);
///     move |call: HttpRequest, cx: &mut Context| match cached.try_respond(&call.request) {
///         Some(answer) => call.respond(answer),
///         None => cx.send(&disk, call).unwrap_or_else(Refused::give_up),
///     }
/// })?;
/// graph.attach_each(disk, |_wire| {
///     move |call: HttpRequest, _cx: &mut Context| {
///         let answer = files.respond(&call.request);
///         call.respond(answer);
///     }
/// })?;
/// let server = http.serve(graph.start()?)?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Files {
    shared: Arc<Shared>,
}

struct Shared {
    config: FilesConfig,
    store: Store,
}

impl Files {
    /// Opens a directory. It stays open; if its path is a link, and the link is switched, the files
    /// of the new directory are served.
    ///
    /// # Errors
    /// [`FilesError`] if a setting is out of its bounds, or the directory cannot be opened.
    pub fn open(root: impl AsRef<Path>, config: FilesConfig) -> Result<Self, FilesError> {
        let clocks = Clocks { monotonic: Arc::new(MonotonicClock::new()), wall: wall_time };
        Self::with_clocks(root.as_ref(), config, clocks)
    }

    fn with_clocks(root: &Path, config: FilesConfig, clocks: Clocks) -> Result<Self, FilesError> {
        config.check()?;
        let rules = FieldRules::new(&config)?;
        let root = Root::open(root, clocks.monotonic.now())
            .map_err(|source| FilesError::Root { path: root.to_owned(), source })?;
        Ok(Self::new(root, rules, config, clocks))
    }

    fn new(root: Root, rules: FieldRules, config: FilesConfig, clocks: Clocks) -> Self {
        let store = Store::new(root, rules, &config, clocks);
        Self { shared: Arc::new(Shared { config, store }) }
    }

    /// Returns the answer to a request. It may wait for the disk, so it is for a stage with workers
    /// of its own.
    ///
    /// A method other than GET and HEAD is answered with 405, a path without a file with 404. The
    /// body of the request is not used.
    ///
    /// ```
    /// use seda_http::{Files, FilesConfig, Request, header};
    ///
    /// let files = Files::open("src", FilesConfig::default())?;
    /// let answer = files.respond(&Request::get("/lib.rs").body(()).unwrap());
    /// assert_eq!(answer.status(), 200);
    /// let etag = answer.headers()[header::ETAG].clone();
    /// assert!(answer.headers().contains_key(header::LAST_MODIFIED));
    ///
    /// let again = Request::get("/lib.rs").header(header::IF_NONE_MATCH, etag).body(()).unwrap();
    /// assert_eq!(files.respond(&again).status(), 304);
    /// # Ok::<(), seda_http::FilesError>(())
    /// ```
    pub fn respond<B>(&self, request: &Request<B>) -> Response<Body> {
        let path = request.uri().path();
        self.answer(request, Wait::Allowed).unwrap_or_else(|failure| failure.answer(path))
    }

    /// Returns the answer to a request if it needs no wait for the disk, else `None`: then
    /// [`respond`](Self::respond) has it. So it is for a stage on the threads of the reactors.
    ///
    /// It answers from its own memory without a system call. Else it asks the kernel for what is in
    /// memory there (Linux 5.12 and later; other systems have `None`). A large file is sent if its
    /// begin is in memory. The listing of a directory always waits.
    pub fn try_respond<B>(&self, request: &Request<B>) -> Option<Response<Body>> {
        match self.answer(request, Wait::Never) {
            Ok(answer) => Some(answer),
            Err(Failure::WouldBlock) => None,
            Err(failure) => Some(failure.answer(request.uri().path())),
        }
    }

    fn answer<B>(&self, request: &Request<B>, wait: Wait) -> Result<Response<Body>, Failure> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(not_allowed());
        }
        let FilesConfig { prefix, listing, dotfiles, .. } = &self.shared.config;
        let uri = request.uri();
        if uri.path() == prefix && !prefix.is_empty() {
            return redirect(uri.path(), uri.query());
        }
        let path = SitePath::read(uri.path(), prefix, *dotfiles).ok_or(Failure::NotFound)?;
        match self.represent(request, &path.file(), wait) {
            Ok(located) => answer::answer(request, located, &self.shared.store, wait),
            Err(Failure::Directory) if !path.is_directory() => redirect(uri.path(), uri.query()),
            Err(Failure::NotFound) if path.is_directory() && *listing => {
                self.listing(path.as_str(), wait)
            }
            Err(failure) => Err(failure),
        }
    }

    /// Chooses the stored file of a path by Accept-Encoding.
    fn represent<B>(
        &self,
        request: &Request<B>,
        path: &str,
        wait: Wait,
    ) -> Result<Located, Failure> {
        let store = &self.shared.store;
        let is_head = *request.method() == Method::HEAD;
        let need = if is_head { Need::Metadata } else { Need::Content };
        if !self.shared.config.precompressed {
            return store.find(path, Coding::Identity, need, wait);
        }
        let mut accepted = AcceptEncoding::of(request.headers()).ranked().peekable();
        if accepted.peek() != Some(&Coding::Identity) {
            // A file without a coding is there, whichever is sent.
            store.find(path, Coding::Identity, Need::Metadata, wait)?;
        }
        for coding in accepted {
            match store.find(path, coding, need, wait) {
                Err(Failure::NotFound) if coding != Coding::Identity => {}
                found => return found,
            }
        }
        Err(Failure::NotAcceptable)
    }

    fn listing(&self, path: &str, wait: Wait) -> Result<Response<Body>, Failure> {
        if wait == Wait::Never {
            return Err(Failure::WouldBlock);
        }
        let Shared { config, store } = &*self.shared;
        let directory = store.directory(path, wait)?;
        let page = Listing::read(&directory, config.dotfiles)?.page(path);
        let mut answer = Response::new(Body::from(page));
        let headers = answer.headers_mut();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(header::CONTENT_TYPE, html);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        headers.insert(header::CONTENT_SECURITY_POLICY, LISTING_POLICY);
        if let Some(value) = store.rules().cache_control(path) {
            headers.insert(header::CACHE_CONTROL, value.clone());
        }
        Ok(answer)
    }
}

fn not_allowed() -> Response<Body> {
    let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "GET and HEAD only\n");
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// Returns a redirect to the directory that the path names without its slash.
fn redirect(path: &str, query: Option<&str>) -> Result<Response<Body>, Failure> {
    let target = path::with_slash(path, query);
    let target = HeaderValue::from_str(&target).map_err(|_| Failure::NotFound)?;
    let mut answer = text(StatusCode::MOVED_PERMANENTLY, "the directory is here with a slash\n");
    answer.headers_mut().insert(header::LOCATION, target);
    Ok(answer)
}

/// Returns the wall clock's time: HTTP's dates are of it.
#[expect(clippy::disallowed_methods, reason = "HTTP's dates have the wall clock's time")]
fn wall_time() -> SystemTime {
    SystemTime::now()
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files").field("store", &self.shared.store).finish_non_exhaustive()
    }
}
