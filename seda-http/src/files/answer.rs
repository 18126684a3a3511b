//! The answer to a request for a file that is there.

use super::conditions::Verdict;
use super::content;
use super::failure::{Failure, text};
use super::fields;
use super::multipart::{Multipart, PARTS_MOST, content_range};
use super::range::{ByteRange, Selection, selection};
use super::representation::Representation;
use super::root::Wait;
use super::store::{Located, Store};
use crate::reactor::{Body, StoredFile};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::Arc;

/// Returns the answer to a GET or HEAD request for a file.
pub(super) fn answer<B>(
    request: &Request<B>,
    located: Located,
    store: &Store,
    wait: Wait,
) -> Result<Response<Body>, Failure> {
    let Located { representation, file } = located;
    let headers = request.headers();
    match representation.validators.verdict(headers) {
        Verdict::Proceed => {}
        Verdict::NotModified => {
            let kept = fields::of_not_modified(&representation.headers);
            return Ok(response(StatusCode::NOT_MODIFIED, kept, Body::Empty));
        }
        Verdict::Failed => {
            return Ok(text(StatusCode::PRECONDITION_FAILED, "the file is another one\n"));
        }
    }
    if *request.method() == Method::HEAD {
        return Ok(head(&representation));
    }
    let source = Source { representation: &representation, file, store, wait };
    match selected(headers, &representation) {
        Selection::Whole => source.whole(),
        Selection::One(range) => source.part(range),
        Selection::Many(ranges) => source.parts(&ranges),
        Selection::Unsatisfiable => Ok(unsatisfiable(&representation)),
    }
}

fn selected(headers: &HeaderMap, found: &Representation) -> Selection {
    if headers.contains_key(header::RANGE) && found.validators.allow_range(headers) {
        selection(headers, found.length())
    } else {
        Selection::Whole
    }
}

/// Returns the answer to HEAD: the file is not read for it.
fn head(found: &Representation) -> Response<Body> {
    let mut headers = found.headers.clone();
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(found.length()));
    response(StatusCode::OK, headers, Body::Empty)
}

fn unsatisfiable(found: &Representation) -> Response<Body> {
    let mut answer = text(StatusCode::RANGE_NOT_SATISFIABLE, "the file has no such bytes\n");
    if let Ok(range) = HeaderValue::from_str(&format!("bytes */{}", found.length())) {
        answer.headers_mut().insert(header::CONTENT_RANGE, range);
    }
    answer
}

/// The bytes of a file: in memory, or in the open file.
struct Source<'a> {
    representation: &'a Arc<Representation>,
    file: Option<File>,
    store: &'a Store,
    wait: Wait,
}

impl Source<'_> {
    fn whole(self) -> Result<Response<Body>, Failure> {
        let headers = self.representation.headers.clone();
        let last = match self.representation.length().checked_sub(1) {
            None => return Ok(response(StatusCode::OK, headers, Body::Empty)),
            Some(last) => last,
        };
        Ok(response(StatusCode::OK, headers, self.body(ByteRange { first: 0, last })?))
    }

    fn part(self, range: ByteRange) -> Result<Response<Body>, Failure> {
        let mut headers = self.representation.headers.clone();
        let value = content_range(range, self.representation.length());
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(header::CONTENT_RANGE, value);
        }
        Ok(response(StatusCode::PARTIAL_CONTENT, headers, self.body(range)?))
    }

    /// Returns several parts. If they are too large for memory, returns the whole file.
    fn parts(self, ranges: &[ByteRange]) -> Result<Response<Body>, Failure> {
        let bytes = ranges.iter().map(|range| range.len()).sum::<u64>();
        let fits = usize::try_from(bytes).ok().filter(|_| bytes <= PARTS_MOST);
        let Some(charge) = fits.and_then(|bytes| self.store.budget().charge(bytes)) else {
            return self.whole();
        };
        let found = self.representation;
        let mut headers = found.headers.clone();
        let octets = HeaderValue::from_static("application/octet-stream");
        let kind = headers.get(header::CONTENT_TYPE).cloned().unwrap_or(octets);
        let mut parts = Multipart::new(&found.validators.etag, &kind, found.length());
        for range in ranges {
            parts.push(*range, &self.read(*range)?);
        }
        let (kind, body) = parts.finish();
        headers.insert(header::CONTENT_TYPE, kind);
        Ok(response(StatusCode::PARTIAL_CONTENT, headers, Body::Bytes(charge.hold(body))))
    }

    /// Returns the bytes of a part as a body: shared memory, or the file from there on.
    fn body(self, range: ByteRange) -> Result<Body, Failure> {
        if let Some(content) = &self.representation.content {
            return Ok(Body::Bytes(slice(content, range)));
        }
        let Some(mut file) = self.file else { return Err(Failure::Unavailable) };
        match self.wait {
            Wait::Allowed => content::read_ahead(&file, range.first),
            // The reactor reads the file: its begin at least is in memory.
            Wait::Never => drop(content::read(&file, range.first, 1, Wait::Never)?),
        }
        file.seek(SeekFrom::Start(range.first))?;
        let place = self.store.place(self.representation, range.first);
        Ok(Body::Stored(StoredFile::new(file, range.len(), Box::new(place))))
    }

    fn read(&self, range: ByteRange) -> Result<Bytes, Failure> {
        match (&self.representation.content, &self.file) {
            (Some(content), _) => Ok(slice(content, range)),
            (None, Some(file)) => {
                let length = usize::try_from(range.len()).map_err(|_| Failure::Unavailable)?;
                Ok(content::read(file, range.first, length, self.wait)?.into())
            }
            (None, None) => Err(Failure::Unavailable),
        }
    }
}

/// Returns a part of a content, which has it: ranges end within the length of the file.
fn slice(content: &Bytes, range: ByteRange) -> Bytes {
    let (first, last) = (range.first as usize, range.last as usize);
    match content.get(first..=last) {
        Some(part) => content.slice_ref(part),
        None => Bytes::new(),
    }
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response<Body> {
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    answer
}
