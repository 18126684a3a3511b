//! Parses answers from bytes that arrive in pieces.

use super::body::{Body, Chunks};
use super::error::AnswerFault;
use std::time::Duration;

/// The largest head in bytes: eight times the common limit of servers.
const MAX_HEAD: usize = 64 * 1024;
/// The most header lines of a head.
const MAX_HEADERS: usize = 128;

/// A complete answer, without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// True if the connection can carry another request.
    pub(crate) keep_alive: bool,
    /// The `Retry-After` of the answer (RFC 9110, 10.2.3); dates are ignored.
    pub(crate) retry_after: Option<Duration>,
}

/// The result of reading some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// The answer needs more bytes; all given bytes were used.
    Partial,
    /// The answer is complete; `used` of the given bytes belong to it.
    Complete { answer: Answer, used: usize },
}

/// Parses one answer after the other. Buffers at most one head.
#[derive(Debug, Default)]
pub(crate) struct AnswerReader {
    /// The part of a head that has arrived.
    head: Vec<u8>,
    /// The current answer, and the rest of its body.
    body: Option<(Answer, Body)>,
    begun: bool,
}

impl AnswerReader {
    /// Returns true if any byte of the answer has arrived.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Reads more bytes. After [`Parsed::Complete`] the reader is ready for the next answer.
    ///
    /// `to_head` is true if the request was a HEAD, because then no body follows.
    pub(crate) fn read(&mut self, bytes: &[u8], to_head: bool) -> Result<Parsed, AnswerFault> {
        self.begun |= !bytes.is_empty();
        // 1. Read heads until the one of a final answer.
        let mut used = 0;
        while self.body.is_none() {
            let rest = bytes.get(used..).unwrap_or_default();
            let Some((length, head)) = self.read_head(rest)? else {
                return Ok(Parsed::Partial);
            };
            used += length;
            // An interim answer has no body, and the final answer follows (RFC 9110, 15.2).
            if (100..200).contains(&head.status) {
                continue;
            }
            let answer = head.answer();
            match head.body(to_head) {
                None => return Ok(self.complete(answer, used)),
                Some(body) => self.body = Some((answer, body)),
            }
        }
        // 2. Read its body.
        let Some((answer, body)) = &mut self.body else {
            return Err(AnswerFault::NotHttp);
        };
        let (length, ends) = body.read(bytes.get(used..).unwrap_or_default())?;
        let answer = *answer;
        Ok(if ends { self.complete(answer, used + length) } else { Parsed::Partial })
    }

    /// Ends the answer because the server has closed; `None` if a close does not complete it.
    pub(crate) fn close(&mut self) -> Option<Answer> {
        match self.body.take() {
            Some((answer, Body::UntilClose)) => Some(answer),
            _ => None,
        }
    }

    fn complete(&mut self, answer: Answer, used: usize) -> Parsed {
        self.body = None;
        self.begun = false;
        Parsed::Complete { answer, used }
    }

    /// Returns a head and the number of `bytes` that belong to it; `None` if it is not complete.
    fn read_head(&mut self, bytes: &[u8]) -> Result<Option<(usize, Head)>, AnswerFault> {
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

    fn keep(&mut self, bytes: &[u8]) -> Result<Option<(usize, Head)>, AnswerFault> {
        self.head.extend_from_slice(bytes);
        if self.head.len() > MAX_HEAD { Err(AnswerFault::TooLong) } else { Ok(None) }
    }
}

/// The fields of a head that a benchmark needs.
#[derive(Debug)]
struct Head {
    status: u16,
    keep_alive: bool,
    retry_after: Option<Duration>,
    length: Option<u64>,
    chunked: bool,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, AnswerFault> {
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut response = httparse::Response::new(&mut headers);
        let mut rules = httparse::ParserConfig::default();
        // A client takes a folded field as one with blanks in its value (RFC 9112, 5.2).
        rules.allow_obsolete_multiline_headers_in_responses(true);
        let length = match rules.parse_response(&mut response, bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(error) => return Err(fault(error)),
        };
        let mut head = Head {
            status: response.code.ok_or(AnswerFault::NotHttp)?,
            keep_alive: response.version == Some(1),
            retry_after: None,
            length: None,
            chunked: false,
        };
        for header in response.headers.iter() {
            head.read_header(header.name, header.value)?;
        }
        Ok(Some((length, head)))
    }

    fn read_header(&mut self, name: &str, value: &[u8]) -> Result<(), AnswerFault> {
        // A value that is not text matches none of the values below.
        let text = std::str::from_utf8(value).unwrap_or_default().trim();
        if name.eq_ignore_ascii_case("content-length") {
            for length in text.split(',').map(str::trim) {
                self.read_length(length)?;
            }
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

    /// Takes one length. A repeated one is allowed; with two different ones the end of the answer
    /// is unknown (RFC 9112, 6.3).
    fn read_length(&mut self, text: &str) -> Result<(), AnswerFault> {
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let length = text.parse().ok().filter(|_| is_number).ok_or(AnswerFault::Length)?;
        if self.length.is_some_and(|known| known != length) {
            return Err(AnswerFault::Length);
        }
        self.length = Some(length);
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

/// Returns the fault behind an error of the parser.
fn fault(error: httparse::Error) -> AnswerFault {
    match error {
        httparse::Error::TooManyHeaders => AnswerFault::TooManyFields,
        httparse::Error::HeaderName => AnswerFault::Name,
        httparse::Error::HeaderValue => AnswerFault::Control,
        httparse::Error::NewLine => AnswerFault::LineEnd,
        _ => AnswerFault::NotHttp,
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
