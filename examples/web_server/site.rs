//! The site that `files` serves: the embedded demo site, a directory, or the paths of a recorded
//! log.

use crate::settings::Flags;
use crate::trace::{Log, Trace};
use seda::http::{
    Body, Bytes, Files, FilesConfig, HeaderValue, Request, Response, StatusCode, header, text,
};

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
    Directory(Files),
    Trace(Trace),
}

impl Site {
    /// Opens the site that the flags name; returns it with its description.
    pub(crate) fn open(flags: &Flags, config: FilesConfig) -> Result<(Self, String), String> {
        config.check().map_err(|error| format!("[files]: {error}"))?;
        if let Some(root) = &flags.root {
            let name = root.display();
            let files = Files::open(root, config);
            let files = files.map_err(|error| format!("--root {name}: {error}"))?;
            return Ok((Site::Directory(files), format!("the files of {name}")));
        }
        if let Some(file) = &flags.site_from {
            let log = Log::read(file).map_err(|error| format!("--site-from {error}"))?;
            let trace = Trace::new(&log.lines);
            let described = format!("{} answers of {}{}", trace.len(), file.display(), log.skipped);
            return Ok((Site::Trace(trace), described));
        }
        Ok((Site::Embedded, "the demo site".to_owned()))
    }

    /// Returns whether an answer may wait for a disk.
    pub(crate) fn blocks(&self) -> bool {
        matches!(self, Site::Directory(_))
    }

    /// Returns whether requests of any method have answers.
    pub(crate) fn has_all_methods(&self) -> bool {
        matches!(self, Site::Trace(_))
    }

    /// Returns the answer to a request. It may wait for a disk.
    pub(crate) fn answer(&self, request: &Request<Bytes>) -> Response<Body> {
        match self {
            Site::Embedded => embedded(request.uri().path()),
            Site::Directory(files) => files.respond(request),
            Site::Trace(trace) => {
                let target = request.uri().path_and_query();
                trace.answer(request.method(), target.map_or("/", |target| target.as_str()))
            }
        }
    }

    /// Returns the answer to a request; `None` if it would wait for a disk.
    pub(crate) fn try_answer(&self, request: &Request<Bytes>) -> Option<Response<Body>> {
        match self {
            Site::Directory(files) => files.try_respond(request),
            Site::Embedded | Site::Trace(_) => Some(self.answer(request)),
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
