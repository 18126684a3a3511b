//! Where requests enter the graph, or are turned away.

use super::admin::Admin;
use super::codec::Http1;
use super::request::HttpRequest;
use super::responses;
use super::retry_after::Advice;
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
pub(crate) struct Entrance {
    pub(crate) source: Source<HttpRequest>,
    pub(crate) home: Arc<dyn Home<Response<Body>>>,
    pub(crate) admin: Admin,
    pub(crate) advice: Advice,
    pub(crate) classify: Option<Arc<Classify>>,
    /// Of a request that nobody classifies.
    pub(crate) terms: Terms,
    /// How many requests were refused because there is too much to do.
    pub(crate) turned_away: u64,
}

impl Entrance {
    fn terms(&self, request: &Request<Bytes>) -> Terms {
        let Some(classify) = &self.classify else { return self.terms };
        catch_panic("the classifier", || classify(request)).unwrap_or(self.terms)
    }

    fn refused(&mut self, class: Class, reason: RefusalReason) -> Response<Body> {
        self.turned_away += u64::from(reason.is_transient());
        let (busy, seconds) = self.advice.next(class);
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

impl Service<Http1> for Entrance {
    fn admit(
        &mut self,
        request: Request<Bytes>,
        peer: SocketAddr,
        address: Address,
    ) -> Admission<Response<Body>> {
        if Admin::is_asked(&request) {
            return self.admin.answer(&request, address);
        }
        let terms = self.terms(&request);
        let home = Arc::clone(&self.home);
        let admitted = self.source.request_to(home, address, terms, |reply| HttpRequest {
            request,
            peer,
            reply,
        });
        match admitted {
            Ok(request) => Admission::Admitted(request),
            Err(refusal) => Admission::Answered(self.refused(terms.class, refusal.reason())),
        }
    }

    fn turned_away(&self) -> u64 {
        self.turned_away
    }

    fn promised(&self) -> Option<Duration> {
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
        let (_, seconds) = self.advice.next(Class::HIGHEST);
        responses::unavailable(why, seconds)
    }
}
