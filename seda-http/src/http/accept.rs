//! Where requests enter the graph, or are turned away.

use super::admin::Admin;
use super::codec::Http1;
use super::request::HttpRequest;
use super::responses;
use super::retry_after::RetryAfter;
use crate::reactor::{Admission, Body, Service};
use crate::server::catch_panic;
use bytes::Bytes;
use http::{Request, Response, StatusCode};
use seda_core::{Address, Class, Home, LossReason, RefusalReason, Source, Terms};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Gives each request its class and deadline.
pub(crate) type Classify = dyn Fn(&Request<Bytes>) -> Terms + Send + Sync;

/// One reactor's way into the graph.
pub(crate) struct HttpService {
    pub(crate) source: Source<HttpRequest>,
    pub(crate) reply_sink: Arc<dyn Home<Response<Body>>>,
    pub(crate) admin: Admin,
    pub(crate) retry_after: RetryAfter,
    pub(crate) classify: Option<Arc<Classify>>,
    /// Of a request that nobody classifies.
    pub(crate) terms: Terms,
    /// How many requests were refused because there is too much to do.
    pub(crate) refused_total: u64,
}

impl HttpService {
    fn terms(&self, request: &Request<Bytes>) -> Terms {
        let Some(classify) = &self.classify else { return self.terms };
        catch_panic("the classifier", || classify(request)).unwrap_or(self.terms)
    }

    fn refused(&mut self, class: Class, reason: RefusalReason) -> Response<Body> {
        self.refused_total += u64::from(reason.is_transient());
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
        address: Address,
    ) -> Admission<Response<Body>> {
        if Admin::handles(&request) {
            return self.admin.answer(&request, address);
        }
        let terms = self.terms(&request);
        let reply_sink = Arc::clone(&self.reply_sink);
        let admitted = self.source.request_to(reply_sink, address, terms, |reply| HttpRequest {
            request,
            peer,
            reply,
        });
        match admitted {
            Ok(request) => Admission::Admitted(request),
            Err(refusal) => Admission::Answered(self.refused(terms.class, refusal.reason())),
        }
    }

    fn refused_total(&self) -> u64 {
        self.refused_total
    }

    fn slo(&self) -> Option<Duration> {
        self.source.promised()
    }

    fn lost(&mut self, reason: LossReason) -> Response<Body> {
        let why = match reason {
            LossReason::Panicked | LossReason::Forgotten => {
                let why = "the server failed to answer this request\n";
                return responses::text(StatusCode::INTERNAL_SERVER_ERROR, why);
            }
            LossReason::Expired => "the request's deadline has passed\n",
            LossReason::Drain => "the server ends\n",
            _ => "the server is busy\n",
        };
        // Nobody remembers its class; the time is the same for all.
        let (_, seconds) = self.retry_after.next(Class::HIGHEST);
        responses::unavailable(why, seconds)
    }
}
