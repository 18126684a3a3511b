//! Every path of an access trace, served from memory with its size in the trace.

use crate::site::not_found;
use seda::http::{Body, Response, StatusCode};
use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// The response to one path by an access trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) status: StatusCode,
    /// Bytes of the body.
    pub(crate) size: u64,
}

/// One line of an access trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) status: StatusCode,
    pub(crate) size: u64,
}

/// A site made from an access trace: tab-separated lines of seconds, client, method, path,
/// status and bytes, below a line with these names.
pub(crate) struct Trace {
    paths: HashMap<String, Entry>,
}

impl Trace {
    /// Reads a site from a file.
    pub(crate) fn read(file: &Path) -> Result<Self, String> {
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| format!("--site-from {name}: {error}; name a readable trace"))?;
        let lines = parse(&text).map_err(|error| format!("--site-from {name}, {error}"))?;
        Ok(Self::new(&lines))
    }

    /// Returns the site of a trace. A path gets its most frequent size with status 200; if it never
    /// had that status, its most frequent status with that status's most frequent size. Among
    /// equals the first in the trace counts. A HEAD line has no size, so its size counts only if
    /// there is no other line.
    pub(crate) fn new(lines: &[Line]) -> Self {
        let mut by_path: HashMap<&str, Vec<&Line>> = HashMap::new();
        for line in lines {
            by_path.entry(&line.path).or_default().push(line);
        }
        let paths = by_path.into_iter().map(|(path, lines)| (path.to_owned(), entry(&lines)));
        Self { paths: paths.collect() }
    }

    /// Returns the number of paths.
    pub(crate) fn len(&self) -> usize {
        self.paths.len()
    }

    /// Returns the response to a path with its query.
    pub(crate) fn get(&self, path: &str) -> Option<Entry> {
        self.paths.get(path).copied()
    }

    /// Returns the answer to a request for `path`. A 204, 205 or 304 has no body: some servers log
    /// the bytes of its head.
    pub(crate) fn answer(&self, path: &str) -> Response<Body> {
        let Some(entry) = self.get(path) else { return not_found() };
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

/// Reads a trace. A malformed line is an error with its number.
pub(crate) fn parse(text: &str) -> Result<Vec<Line>, String> {
    let numbered = text.lines().enumerate().skip(1).filter(|(_, line)| !line.is_empty());
    let lines: Result<Vec<Line>, String> =
        numbered.map(|(n, line)| parse_line(line).ok_or_else(|| malformed(n + 1))).collect();
    match lines {
        Ok(lines) if lines.is_empty() => Err("the trace has no lines below its first".to_owned()),
        lines => lines,
    }
}

fn malformed(line: usize) -> String {
    format!("line {line}: not seconds, client, method, path, status and bytes between tabs")
}

fn parse_line(line: &str) -> Option<Line> {
    let fields: Vec<&str> = line.split('\t').collect();
    let [seconds, _client, method, path, status, bytes] = fields.as_slice() else { return None };
    seconds.parse::<f64>().ok()?;
    Some(Line {
        method: (*method).to_owned(),
        path: (*path).to_owned(),
        status: StatusCode::from_bytes(status.as_bytes()).ok()?,
        size: bytes.parse().ok()?,
    })
}
