//! Every path of a recorded log, served from memory with its status and its size in the log.

use crate::site::not_found;
use seda::http::{Body, Method, Response, StatusCode};
use seda_tools::trace::{LoggedRequest, SkipLimit, TraceError, read_requests};
use std::collections::HashMap;
use std::path::Path;

/// The response to one path by a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) status: StatusCode,
    /// Bytes of the body.
    pub(crate) size: u64,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) size: u64,
}

/// The lines of a log.
pub(crate) struct Log {
    pub(crate) lines: Vec<Line>,
    /// A description of the lines that were skipped; empty if none was.
    pub(crate) skipped: String,
}

/// A site made from a log, in any format that `seda load --trace` reads.
pub(crate) struct Trace {
    /// The answers to GET and HEAD.
    paths: HashMap<String, Entry>,
    /// The answers to other methods.
    others: HashMap<(String, String), Entry>,
}

impl Log {
    /// Reads a file with the reader of the load generator.
    pub(crate) fn read(file: &Path) -> Result<Self, TraceError> {
        let read = read_requests(file, SkipLimit::default())?;
        let is_whole = read.skipped.is_empty();
        let skipped = if is_whole { String::new() } else { format!(" ({})", read.skipped) };
        Ok(Self { lines: read.requests.into_iter().map(Line::from).collect(), skipped })
    }
}

impl From<LoggedRequest> for Line {
    fn from(logged: LoggedRequest) -> Self {
        // 499 says that the client left: what the server would have answered is unknown.
        let known = logged.status.filter(|status| *status != 499);
        Self {
            method: logged.method.to_string(),
            path: logged.path,
            status: known.and_then(|known| StatusCode::from_u16(known).ok()).unwrap_or_default(),
            size: logged.bytes.unwrap_or_default(),
        }
    }
}

impl Trace {
    /// Returns the site of a log. A path gets its most frequent size with status 200; if it never
    /// had that status, its most frequent status with that status's most frequent size. Among
    /// equals the first in the log counts. A HEAD line has no size, so its size counts only if
    /// there is no other line. Methods other than GET and HEAD have answers of their own.
    pub(crate) fn new(lines: &[Line]) -> Self {
        let (mut by_path, mut by_both) = (HashMap::new(), HashMap::new());
        for line in lines {
            let lines: &mut Vec<&Line> = if matches!(line.method.as_str(), "GET" | "HEAD") {
                by_path.entry(&line.path).or_default()
            } else {
                by_both.entry((&line.method, &line.path)).or_default()
            };
            lines.push(line);
        }
        let paths = by_path.into_iter().map(|(path, lines)| (path.clone(), entry(&lines)));
        let others = by_both
            .into_iter()
            .map(|((method, path), lines)| ((method.clone(), path.clone()), entry(&lines)));
        Self { paths: paths.collect(), others: others.collect() }
    }

    /// Returns the number of answers.
    pub(crate) fn len(&self) -> usize {
        self.paths.len() + self.others.len()
    }

    /// Returns the response to a path with its query.
    fn get(&self, method: &Method, path: &str) -> Option<Entry> {
        if matches!(*method, Method::GET | Method::HEAD) {
            return self.paths.get(path).copied();
        }
        self.others.get(&(method.to_string(), path.to_owned())).copied()
    }

    /// Returns the answer to a request for `path`. A 204, 205 or 304 has no body: some servers log
    /// the bytes of its head.
    pub(crate) fn answer(&self, method: &Method, path: &str) -> Response<Body> {
        let Some(entry) = self.get(method, path) else { return not_found() };
        let is_bare = matches!(entry.status.as_u16(), 204 | 205 | 304);
        let mut answer = Response::new(Body::Pattern(if is_bare { 0 } else { entry.size }));
        *answer.status_mut() = entry.status;
        answer
    }
}

fn entry(lines: &[&Line]) -> Entry {
    let ok = lines.iter().any(|line| line.status == StatusCode::OK);
    let statuses = lines.iter().map(|line| line.status);
    let status =
        if ok { StatusCode::OK } else { most_frequent(statuses).unwrap_or(StatusCode::OK) };
    let of_status = || lines.iter().filter(|line| line.status == status);
    let sized = of_status().filter(|line| line.method != "HEAD").map(|line| line.size);
    let size = most_frequent(sized).or_else(|| most_frequent(of_status().map(|line| line.size)));
    Entry { status, size: size.unwrap_or(0) }
}

/// Returns the most frequent value; among equals the first.
fn most_frequent<T: PartialEq>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counted: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counted.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counted.push((value, 1)),
        }
    }
    let most = counted.iter().map(|(_, count)| *count).max()?;
    counted.into_iter().find(|(_, count)| *count == most).map(|(value, _)| value)
}
