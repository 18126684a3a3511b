//! The properties of a request that its answer needs.

use super::access_log::{Record, RequestId};
use super::times::{ExchangeTrace, Label};
use crate::h1;

/// An exchange from its request to its answer.
#[derive(Debug)]
pub(super) struct Exchange {
    pub(super) framing: h1::Exchange,
    /// `None` without a log and without ids.
    pub(super) notes: Option<Box<Notes>>,
    /// `None` until a service has seen the request.
    pub(super) label: Option<Label>,
    /// `None` unless a subscriber wants its span, or its answer has Server-Timing.
    pub(super) trace: Option<Box<ExchangeTrace>>,
}

/// The id of a request, and its record for the access log.
#[derive(Debug)]
pub(super) struct Notes {
    pub(super) id: Option<RequestId>,
    pub(super) record: Option<Record>,
}

impl From<h1::Exchange> for Exchange {
    fn from(framing: h1::Exchange) -> Self {
        Self { framing, notes: None, label: None, trace: None }
    }
}
