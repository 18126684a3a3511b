//! The way of HTTP requests into the graph: admission, refusal and loss.
//!
//! A request is decided from its head. One with a body on its way is checked first
//! ([`Source::check`]): under overload it is refused before its body is read. It holds no place
//! while its body arrives, because a few slow clients could hold all places. Admission proper
//! follows when the body is whole; it refuses again only if the graph has filled meanwhile.

use super::admin::AdminView;
use super::codec::{Http1, RequestBody};
use super::reply::Reply;
use super::request::HttpRequest;
use super::responses;
use super::retry_after::RetryAfter;
use crate::h1::RequestHead;
use crate::reactor::{Admission, Body, BodyReader, Checked, Service};
use crate::server::catch_panic;
use bytes::Bytes;
use http::{Response, StatusCode};
use seda_core::{Class, LossReason, RefusalReason, ReplyAddress, ReplySink, SendOptions, Source};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Returns the class, deadline, route, cost and tenant of a request.
pub(super) type Classify = dyn Fn(&RequestHead) -> SendOptions + Send + Sync;

/// Returns the most bytes of a body that is streamed; `None` for one that is read whole.
pub(super) type StreamBodies = dyn Fn(&RequestHead) -> Option<u64> + Send + Sync;

/// The service of one reactor.
pub(super) struct HttpService {
    pub(super) source: Source<HttpRequest>,
    pub(super) reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    pub(super) admin: AdminView,
    pub(super) retry_after: RetryAfter,
    pub(super) classify: Option<Arc<Classify>>,
    /// `None` if every body is read whole.
    pub(super) stream_bodies: Option<Arc<StreamBodies>>,
    /// The options of a request without a classifier.
    pub(super) options: SendOptions,
    /// The number of requests refused because of overload.
    pub(super) refused_total: u64,
}

impl HttpService {
    fn options(&self, head: &RequestHead) -> SendOptions {
        match &self.classify {
            Some(classify) => {
                catch_panic("the classifier", || classify(head)).unwrap_or(self.options)
            }
            None => self.options,
        }
    }

    /// Returns the most bytes of the request's body if it is streamed; `None` if it is read whole.
    fn streams(&self, head: &RequestHead) -> Option<u64> {
        let stream_bodies = self.stream_bodies.as_ref()?;
        catch_panic("the choice of streamed bodies", || stream_bodies(head)).flatten()
    }

    fn refuse(&mut self, class: Class, reason: RefusalReason) -> Reply {
        if reason.is_transient() {
            self.refused_total += 1;
        }
        let (busy, seconds) = self.retry_after.next(class);
        match reason {
            RefusalReason::Closed => {
                Reply::unavailable("the server takes no more requests\n", seconds)
            }
            RefusalReason::Expired => {
                Reply::unavailable("the request's deadline has passed\n", seconds)
            }
            _ => Reply::unavailable(busy, seconds),
        }
    }
}

impl Service<Http1> for HttpService {
    fn check(&mut self, head: &RequestHead) -> Result<Checked, Reply> {
        if self.admin.takes(head) {
            let checked = Checked { options: self.options, streams: None };
            return self.admin.check(head).map_or(Ok(checked), Err);
        }
        let options = self.options(head);
        let streams = self.streams(head);
        if let Some(reply) = too_long(head, streams) {
            return Err(reply);
        }
        match self.source.check(options) {
            Ok(()) => Ok(Checked { options, streams }),
            Err(refusal) => Err(self.refuse(options.class, refusal.reason())),
        }
    }

    fn admit(
        &mut self,
        (head, body): (RequestHead, RequestBody),
        options: Option<SendOptions>,
        peer: SocketAddr,
        address: ReplyAddress,
    ) -> Admission<Reply> {
        if self.admin.takes(&head) {
            return self.admin.admit(&head, address);
        }
        let (body, stream) = match body {
            RequestBody::Streamed(reader) => (Bytes::new(), Some(reader)),
            // The head was checked, and the body was read whole.
            RequestBody::Whole(body) if options.is_some() => (body, None),
            RequestBody::Whole(body) => match self.streams(&head) {
                None => (body, None),
                most => match too_long(&head, most) {
                    Some(reply) => return Admission::Answered(reply),
                    None => (Bytes::new(), Some(BodyReader::whole(body))),
                },
            },
        };
        let options = options.unwrap_or_else(|| self.options(&head));
        let reply_sink = Arc::clone(&self.reply_sink);
        // The request is made once it has a place.
        let admitted = self.source.request_to(reply_sink, address, options, |reply| HttpRequest {
            request: head.into_request(body),
            stream,
            peer,
            reply,
        });
        match admitted {
            Ok(request) => Admission::Admitted(request),
            Err(refusal) => Admission::Answered(self.refuse(options.class, refusal.reason())),
        }
    }

    fn no_memory(&mut self) -> Reply {
        // The class is not known here. The time is the same for all classes.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        Reply::unavailable("the server has no memory for this body\n", seconds)
    }

    fn refused_total(&self) -> u64 {
        self.refused_total
    }

    fn slo(&self) -> Option<Duration> {
        self.source.slo()
    }

    fn lost(&mut self, reason: LossReason) -> Reply {
        let text = match reason {
            LossReason::Panicked | LossReason::Forgotten => {
                let text = "the server failed to answer this request\n";
                return responses::text(StatusCode::INTERNAL_SERVER_ERROR, text).into();
            }
            LossReason::Expired => "the request's deadline has passed\n",
            LossReason::Drain => "the server ends\n",
            _ => "the server is busy\n",
        };
        // The class of a lost request is not known here. The time is the same for all classes.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        Reply::unavailable(text, seconds)
    }
}

/// Returns the 413 to a streamed body with a declared length of more than `most`.
fn too_long(head: &RequestHead, most: Option<u64>) -> Option<Reply> {
    let most = most.filter(|most| head.content_length().is_some_and(|length| length > *most))?;
    let line = format!("the request body is larger than {most} bytes\n");
    Some(responses::text(StatusCode::PAYLOAD_TOO_LARGE, line).into())
}
