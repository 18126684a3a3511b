//! The site that `files` serves: the embedded demo site, a directory, or the paths of an access
//! trace.

use crate::directory::Directory;
use crate::settings::Flags;
use crate::stages::text;
use crate::trace::Trace;
use seda::http::{Body, HeaderValue, Response, StatusCode, Uri, header};

/// The demo site: path, media type, content.
const PAGES: [(&str, &str, &str); 4] = [
    ("/", "text/html; charset=utf-8", include_str!("site/index.html")),
    ("/style.css", "text/css; charset=utf-8", include_str!("site/style.css")),
    // The path for benchmarks: a small answer, with the same bytes as that of other servers.
    ("/hello", "text/plain; charset=utf-8", "Hello, world!"),
    ("/robots.txt", "text/plain; charset=utf-8", "User-agent: *\nDisallow: /work\n"),
];

/// A site to serve.
pub(crate) enum Site {
    Embedded,
    Directory(Directory),
    Trace(Trace),
}

impl Site {
    /// Opens the site that the flags name; returns it with its description.
    pub(crate) fn open(flags: &Flags) -> Result<(Self, String), String> {
        if let Some(root) = &flags.root {
            let directory = Directory::open(root)?;
            return Ok((Site::Directory(directory), format!("the files of {}", root.display())));
        }
        if let Some(file) = &flags.site_from {
            let trace = Trace::read(file)?;
            let described = format!("{} paths of {}", trace.len(), file.display());
            return Ok((Site::Trace(trace), described));
        }
        Ok((Site::Embedded, "the demo site".to_owned()))
    }

    /// Returns whether an answer may wait for a disk.
    pub(crate) fn blocks(&self) -> bool {
        matches!(self, Site::Directory(_))
    }

    /// Returns the answer to a request for `uri`.
    pub(crate) fn answer(&self, uri: &Uri) -> Response<Body> {
        match self {
            Site::Embedded => embedded(uri.path()),
            Site::Directory(directory) => directory.answer(uri.path()),
            Site::Trace(trace) => {
                trace.answer(uri.path_and_query().map_or("/", |target| target.as_str()))
            }
        }
    }
}

fn embedded(path: &str) -> Response<Body> {
    match PAGES.iter().find(|(known, _, _)| *known == path) {
        Some((_, kind, content)) => {
            let mut answer = Response::new(Body::from(*content));
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            answer
        }
        None => not_found(),
    }
}

/// Returns the response 404.
pub(crate) fn not_found() -> Response<Body> {
    text(StatusCode::NOT_FOUND, "not here\n")
}
