//! The decision about each request, from its head alone.

use super::mounted::{AnyParams, Arrived, Mounted};
use super::params::Parameters;
use super::table::{BodyLimits, Table, Unrouted};
use crate::h1::{Rejection, RequestHead};
use crate::http::responses::{self, ErrorResponse, FAILED};
use crate::http::times::{Label, RouteLabel};
use crate::reactor::{Body, Counters, Origin};
use crate::server::catch_panic;
use http::{Response, StatusCode, header};
use seda_core::{Refusal, ReplyAddress, ReplySink, Request, SendOptions};
use std::sync::Arc;
use std::time::Duration;

/// Returns the options of a request: those of its route, changed by who the client is.
pub(in crate::http) type Classify = dyn Fn(&RequestHead, SendOptions) -> SendOptions + Send + Sync;

/// The routes as one reactor uses them.
pub(in crate::http) struct Dispatcher {
    table: Arc<Table>,
    /// By the number of the route.
    endpoints: Vec<Box<dyn Mounted>>,
    classify: Option<Arc<Classify>>,
    counters: Arc<Counters>,
}

/// The route of a request with all that its head says.
pub(in crate::http) struct Routed {
    number: usize,
    params: AnyParams,
    pub(in crate::http) options: SendOptions,
    pub(in crate::http) limits: BodyLimits,
    /// The most bytes of a body that is streamed; `None` for one that is read whole.
    pub(in crate::http) streams: Option<u64>,
}

impl Dispatcher {
    pub(in crate::http) fn new(
        table: Arc<Table>,
        endpoints: Vec<Box<dyn Mounted>>,
        classify: Option<Arc<Classify>>,
        counters: Arc<Counters>,
    ) -> Self {
        Self { table, endpoints, classify, counters }
    }

    /// Returns the route of a request with its parameters and options.
    ///
    /// # Errors
    /// The response to a request that does not reach the graph: it has no route, its declared body
    /// is too long, or its parameters do not fit.
    pub(in crate::http) fn route(
        &self,
        head: &RequestHead,
        streams: Option<u64>,
    ) -> Result<Routed, ErrorResponse> {
        // Match its path and its method.
        let uri = head.uri();
        let found = self.table.find(head.method(), uri.path());
        let found = found.map_err(|unrouted| self.unrouted(unrouted))?;
        let Some(endpoint) = self.endpoints.get(found.number) else {
            debug_assert!(false, "every route has an endpoint");
            return Err(failed().into());
        };
        // Judge its declared length.
        let limits = found.route.limits;
        let streams = streams.or(limits.streamed);
        self.check_length(head, streams.unwrap_or(limits.bytes as u64))?;
        // Read its parameters.
        let parameters = Parameters { path: &found.params, query: uri.query() };
        let (params, options) = match endpoint.read(parameters, found.route.options) {
            Some(Ok(read)) => read,
            Some(Err(error)) => return Err(self.unfit(&error).into()),
            None => return Err(failed().into()),
        };
        // Ask who the client is.
        let classified = self
            .classify
            .as_ref()
            .and_then(|classify| catch_panic("the classifier", || classify(head, options)));
        let options = classified.unwrap_or(options);
        Ok(Routed { number: found.number, params, options, limits, streams })
    }

    /// Checks the declared length of a body.
    ///
    /// # Errors
    /// The response to a request with a longer one.
    pub(in crate::http) fn check_length(
        &self,
        head: &RequestHead,
        most: u64,
    ) -> Result<(), ErrorResponse> {
        if head.content_length().is_none_or(|length| length <= most) {
            return Ok(());
        }
        self.counters.routes.long_bodies.count();
        let limit = usize::try_from(most).unwrap_or(usize::MAX);
        let rejection = Rejection::BodyTooLarge { limit };
        Err(responses::text(rejection.status(), responses::line(&rejection)).into())
    }

    /// Checks whether a request would be admitted now.
    pub(in crate::http) fn check(&self, routed: &Routed) -> Result<(), Refusal> {
        self.endpoints.get(routed.number).map_or(Ok(()), |endpoint| endpoint.check(routed.options))
    }

    /// Admits a whole request. `None` if no endpoint has its route, which does not happen.
    pub(in crate::http) fn admit(
        &self,
        routed: Routed,
        arrived: Arrived,
        origin: &Origin,
        reply_sink: Arc<dyn ReplySink<Response<Body>>>,
        address: ReplyAddress,
    ) -> Option<Result<Arc<Request>, Refusal>> {
        let Routed { number, params, options, .. } = routed;
        let endpoint = self.endpoints.get(number)?;
        endpoint.admit(params, arrived, origin, options, reply_sink, address)
    }

    /// Returns the label of a request, whose route is `routed`.
    pub(in crate::http) fn label(&self, head: &RequestHead, routed: &Routed) -> Label {
        let label = Label::new(self.route_label(routed.number), Some(head.method()));
        match self.endpoints.get(routed.number) {
            Some(endpoint) => {
                let (class, slo) = endpoint.objective(routed.options);
                label.of_class(class, slo)
            }
            None => label,
        }
    }

    /// Returns the label of a request that [`Self::route`] has answered. It has a route if only its
    /// parameters or its length do not fit.
    pub(in crate::http) fn label_of_unrouted(&self, head: &RequestHead) -> Label {
        let found = self.table.find(head.method(), head.uri().path());
        let route = found.map_or(RouteLabel::Unmatched, |found| self.route_label(found.number));
        Label::new(route, Some(head.method()))
    }

    fn route_label(&self, number: usize) -> RouteLabel {
        u32::try_from(self.table.counted_as(number)).map_or(RouteLabel::Other, RouteLabel::Route)
    }

    /// Returns the shortest SLO of any class.
    pub(in crate::http) fn slo(&self) -> Option<Duration> {
        self.endpoints.first()?.slo()
    }

    fn unrouted(&self, unrouted: Unrouted) -> Response<Body> {
        match unrouted {
            Unrouted::NotFound => {
                self.counters.routes.not_found.count();
                responses::text(StatusCode::NOT_FOUND, "not found\n")
            }
            Unrouted::NotAllowed(allow) => {
                self.counters.routes.not_allowed.count();
                let text = format!("this path has {}\n", allow.to_str().unwrap_or_default());
                let mut response = responses::text(StatusCode::METHOD_NOT_ALLOWED, text);
                response.headers_mut().insert(header::ALLOW, allow);
                response
            }
            Unrouted::Options(allow) => {
                self.counters.routes.options.count();
                let mut response = Response::new(Body::Empty);
                *response.status_mut() = StatusCode::NO_CONTENT;
                response.headers_mut().insert(header::ALLOW, allow);
                response
            }
            Unrouted::NotImplemented => {
                self.counters.routes.not_allowed.count();
                let rejection = Rejection::NotImplemented("this method");
                responses::text(rejection.status(), responses::line(&rejection))
            }
        }
    }

    /// Returns the response to parameters that do not fit. The status is 400, as in axum: the path
    /// is that of a resource, and 404 would hide the fault from the client.
    fn unfit(&self, error: &dyn std::error::Error) -> Response<Body> {
        self.counters.routes.bad_parameters.count();
        responses::text(StatusCode::BAD_REQUEST, responses::line(&error))
    }
}

/// Returns the response to a request after user code has panicked.
pub(in crate::http) fn failed() -> Response<Body> {
    responses::text(StatusCode::INTERNAL_SERVER_ERROR, FAILED)
}
