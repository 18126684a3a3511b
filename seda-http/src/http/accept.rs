//! The way of HTTP requests into the graph: admission, refusal and loss.

use super::admin::Admin;
use super::codec::Http1;
use super::request::HttpRequest;
use super::responses;
use super::retry_after::RetryAfter;
use crate::reactor::{Admission, Body, Service};
use crate::server::catch_panic;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use seda_core::{Class, LossReason, RefusalReason, ReplyAddress, ReplySink, SendOptions, Source};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Returns the class, deadline, route, cost and tenant of a request.
pub(super) type Classify = dyn Fn(&Request<Bytes>) -> SendOptions + Send + Sync;

/// The service of one reactor.
pub(super) struct HttpService {
    pub(super) source: Source<HttpRequest>,
    pub(super) reply_sink: Arc<dyn ReplySink<Response<Body>>>,
    pub(super) admin: Admin,
    pub(super) retry_after: RetryAfter,
    pub(super) classify: Option<Arc<Classify>>,
    /// The options of a request without a classifier.
    pub(super) options: SendOptions,
    /// The number of requests refused because of overload.
    pub(super) refused_total: u64,
}

impl HttpService {
    fn options(&self, request: &Request<Bytes>) -> SendOptions {
        match &self.classify {
            Some(classify) => {
                catch_panic("the classifier", || classify(request)).unwrap_or(self.options)
            }
            None => self.options,
        }
    }

    fn refuse(&mut self, class: Class, reason: RefusalReason) -> Response<Body> {
        if reason.is_transient() {
            self.refused_total += 1;
        }
        let (busy, seconds) = self.retry_after.next(class);
        match reason {
            RefusalReason::Closed => {
                responses::unavailable("the server takes no more requests\n", seconds)
            }
            RefusalReason::Expired => {
                responses::unavailable("the request's deadline has passed\n", seconds)
            }
            _ => responses::unavailable(busy, seconds),
        }
    }
}

impl Service<Http1> for HttpService {
    fn admit(
        &mut self,
        request: Request<Bytes>,
        peer: SocketAddr,
        address: ReplyAddress,
    ) -> Admission<Response<Body>> {
        if Admin::handles(&request) {
            return self.admin.admit(&request, address);
        }
        let options = self.options(&request);
        let reply_sink = Arc::clone(&self.reply_sink);
        let admitted = self.source.request_to(reply_sink, address, options, |reply| HttpRequest {
            request,
            peer,
            reply,
        });
        match admitted {
            Ok(request) => Admission::Admitted(request),
            Err(refusal) => Admission::Answered(self.refuse(options.class, refusal.reason())),
        }
    }

    fn refused_total(&self) -> u64 {
        self.refused_total
    }

    fn slo(&self) -> Option<Duration> {
        self.source.slo()
    }

    fn lost(&mut self, reason: LossReason) -> Response<Body> {
        let text = match reason {
            LossReason::Panicked | LossReason::Forgotten => {
                let text = "the server failed to answer this request\n";
                return responses::text(StatusCode::INTERNAL_SERVER_ERROR, text);
            }
            LossReason::Expired => "the request's deadline has passed\n",
            LossReason::Drain => "the server ends\n",
            _ => "the server is busy\n",
        };
        // The class of a lost request is not known here. The time is the same for all classes.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        responses::unavailable(text, seconds)
    }
}
