//! HTTP/1.1 as a client speaks it, without I/O: requests are bytes prepared once, answers are read
//! from whatever bytes have come.

mod answer;
mod body;
mod error;
mod request;
mod url;

pub(crate) use answer::{Answer, AnswerReader, Progress};
pub(crate) use request::header;
pub use request::{RequestError, RequestShape};
pub use url::{Url, UrlError};
