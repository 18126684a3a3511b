//! Reads one answer out of whatever bytes have come.

use super::body::{Body, Chunks};
use super::error::NotHttp;
use std::time::Duration;

/// The largest head that is put up with: eight times what servers are commonly set to send.
const MAX_HEAD: usize = 64 * 1024;
/// The most header lines of a head.
const MAX_HEADERS: usize = 128;

/// What a whole answer said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Whether the connection can carry another request.
    pub(crate) keep_alive: bool,
    /// How long to wait before trying again (RFC 9110, 10.2.3); dates are not read.
    pub(crate) retry_after: Option<Duration>,
}

/// How far an answer has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// More bytes are needed; all that were given are used up.
    More,
    /// It is whole; so many of the given bytes belonged to it.
    Whole(Answer, usize),
}

/// Reads answers, one after the other. Keeps no more than one head.
#[derive(Debug, Default)]
pub(crate) struct AnswerReader {
    /// A head that has come in part.
    head: Vec<u8>,
    /// The answer whose body is being read.
    body: Option<(Answer, Body)>,
    begun: bool,
}

impl AnswerReader {
    /// Whether any byte of the answer has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Reads on. After [`Progress::Whole`] the reader is ready for the next answer.
    ///
    /// `to_head`: the request was a HEAD, so that no body follows.
    pub(crate) fn read(&mut self, bytes: &[u8], to_head: bool) -> Result<Progress, NotHttp> {
        self.begun |= !bytes.is_empty();
        let mut used = 0;
        while self.body.is_none() {
            let rest = bytes.get(used..).unwrap_or_default();
            let Some((length, head)) = self.read_head(rest)? else {
                return Ok(Progress::More);
            };
            used += length;
            // An interim answer has no body, and the real one follows (RFC 9110, 15.2).
            if (100..200).contains(&head.status) {
                continue;
            }
            let answer = head.answer();
            match head.body(to_head) {
                None => return Ok(self.whole(answer, used)),
                Some(body) => self.body = Some((answer, body)),
            }
        }
        let Some((answer, body)) = &mut self.body else {
            return Err(NotHttp);
        };
        let (length, ends) = body.read(bytes.get(used..).unwrap_or_default())?;
        let answer = *answer;
        Ok(if ends { self.whole(answer, used + length) } else { Progress::More })
    }

    /// The server has closed: the answer, if that is how it ends.
    pub(crate) fn close(&mut self) -> Option<Answer> {
        match self.body.take() {
            Some((answer, Body::UntilClose)) => Some(answer),
            _ => None,
        }
    }

    fn whole(&mut self, answer: Answer, used: usize) -> Progress {
        self.body = None;
        self.begun = false;
        Progress::Whole(answer, used)
    }

    /// A head, and how many of `bytes` belong to it; `None` if it has not come whole.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<(usize, Head)>, NotHttp> {
        if self.head.is_empty() {
            return match Head::parse(bytes)? {
                Some(found) => Ok(Some(found)),
                None => self.keep(bytes),
            };
        }
        let before = self.head.len();
        self.head.extend_from_slice(bytes);
        match Head::parse(&self.head)? {
            Some((length, head)) => {
                self.head.clear();
                Ok(Some((length.saturating_sub(before), head)))
            }
            None => self.keep(&[]),
        }
    }

    fn keep(&mut self, bytes: &[u8]) -> Result<Option<(usize, Head)>, NotHttp> {
        self.head.extend_from_slice(bytes);
        if self.head.len() > MAX_HEAD { Err(NotHttp) } else { Ok(None) }
    }
}

/// What of an answer's head matters to a client that only measures.
#[derive(Debug)]
struct Head {
    status: u16,
    keep_alive: bool,
    retry_after: Option<Duration>,
    length: Option<u64>,
    chunked: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, NotHttp> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let length = match response.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err(NotHttp),
        };
        let mut head = Head {
            status: response.code.ok_or(NotHttp)?,
            keep_alive: response.version == Some(1),
            retry_after: None,
            length: None,
            chunked: false,
        };
        for header in response.headers.iter() {
            head.take_note(header.name, header.value)?;
        }
        Ok(Some((length, head)))
    }

    fn take_note(&mut self, name: &str, value: &[u8]) -> Result<(), NotHttp> {
        let text = std::str::from_utf8(value).unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("content-length") {
            let length = text.parse().map_err(|_| NotHttp)?;
            // Two that differ leave open where the answer ends (RFC 9112, 6.3).
            if self.length.is_some_and(|known| known != length) {
                return Err(NotHttp);
            }
            self.length = Some(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            let last = text.rsplit(',').next().unwrap_or_default().trim();
            self.chunked = last.eq_ignore_ascii_case("chunked");
        } else if name.eq_ignore_ascii_case("connection") {
            for option in text.split(',').map(str::trim) {
                if option.eq_ignore_ascii_case("close") {
                    self.keep_alive = false;
                } else if option.eq_ignore_ascii_case("keep-alive") {
                    self.keep_alive = true;
                }
            }
        } else if name.eq_ignore_ascii_case("retry-after") {
            self.retry_after = text.parse().ok().map(Duration::from_secs);
        }
        Ok(())
    }

    fn answer(&self) -> Answer {
        let ends_by_itself = self.chunked || self.length.is_some() || self.has_no_body();
        Answer {
            status: self.status,
            keep_alive: self.keep_alive && ends_by_itself,
            retry_after: self.retry_after,
        }
    }

    fn has_no_body(&self) -> bool {
        matches!(self.status, 204 | 304)
    }

    fn body(&self, to_head: bool) -> Option<Body> {
        match self.length {
            _ if to_head || self.has_no_body() => None,
            _ if self.chunked => Some(Body::Chunked(Chunks::new())),
            Some(0) => None,
            Some(length) => Some(Body::Sized(length)),
            None => Some(Body::UntilClose),
        }
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
