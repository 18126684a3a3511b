//! HTTP/1.1 for a client, without I/O: requests are prepared as bytes, answers are parsed from
//! bytes.
//!
//! This is the lowest room: it imports none of the others. Sockets and measurements do not belong
//! here.

mod answer;
mod body;
mod error;
mod origin_form;
mod request;
mod url;

pub(crate) use answer::{Answer, AnswerReader, Parsed};
pub(crate) use error::AnswerFault;
pub(crate) use origin_form::{is_origin_form, origin_form};
pub(crate) use request::header;
pub use request::{RequestError, RequestShape};
pub(crate) use url::redacted;
pub use url::{Url, UrlError};
