//! The parts of a line of the access log.

use crate::h1::RequestHead;
use http::{StatusCode, Uri, Version};
use seda_core::Time;
use std::net::IpAddr;

/// The most bytes of one field of a request. Longer ones are cut: a target of 8 KiB tells no more
/// than its first part.
const FIELD_BYTES: usize = 1024;

/// The part from the request, copied from its head: the memory of the head is not kept for a line.
#[derive(Debug)]
pub(in crate::http) struct Record {
    /// The moment at which the request was whole; with a streamed or refused body, its head.
    pub(super) began: Time,
    /// `None` if the request has no readable head.
    pub(super) fields: Option<Fields>,
}

/// The fields of a request, each of at most [`FIELD_BYTES`].
#[derive(Debug)]
pub(super) struct Fields {
    /// `None` if it is not known.
    pub(super) client: Option<IpAddr>,
    pub(super) method: Box<[u8]>,
    pub(super) target: Box<[u8]>,
    pub(super) referer: Option<Box<[u8]>>,
    pub(super) user_agent: Option<Box<[u8]>>,
}

/// The part from the answer.
#[derive(Clone, Copy, Debug)]
pub(in crate::http) struct Sent<'a> {
    /// The client of the connection: that of a request without a readable head.
    pub(in crate::http) client: Option<IpAddr>,
    pub(in crate::http) version: Version,
    pub(in crate::http) status: StatusCode,
    /// The bytes of the body; `None` if its length is not known at its begin.
    pub(in crate::http) bytes: Option<u64>,
    pub(in crate::http) id: Option<&'a str>,
    /// The server has answered with 503 instead of the program.
    pub(in crate::http) is_refused: bool,
}

impl Record {
    pub(super) fn new(head: Option<&RequestHead>, began: Time) -> Self {
        Self { began, fields: head.map(Fields::of) }
    }
}

impl Fields {
    fn of(head: &RequestHead) -> Self {
        Self {
            client: head.client(),
            method: cut(head.method().as_str().as_bytes()),
            target: target(head.uri()),
            referer: head.field("referer").map(cut),
            user_agent: head.field("user-agent").map(cut),
        }
    }
}

/// Returns a target as the client has sent it.
fn target(uri: &Uri) -> Box<[u8]> {
    match (uri.authority(), uri.path_and_query()) {
        (None, Some(target)) => cut(target.as_str().as_bytes()),
        _ => cut(uri.to_string().as_bytes()),
    }
}

fn cut(field: &[u8]) -> Box<[u8]> {
    field.get(..FIELD_BYTES).unwrap_or(field).into()
}
