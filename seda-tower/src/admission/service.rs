//! The service that a layer makes.

use crate::admission::body::ResponseBody;
use crate::admission::future::ResponseFuture;
use crate::admission::layer::Admission;
use http::{Request, Response};
use http_body::Body;
use std::task::{Context, Poll};
use tower_layer::Layer;
use tower_service::Service;

/// A service behind an [`Admission`].
///
/// It is always ready: whether a request is admitted is decided in `call`, for each request. A
/// limit in `poll_ready` would be held by connections without a request. The service behind it is
/// cloned for each request, and its clone is made ready once the request has its place.
#[derive(Clone, Debug)]
pub struct AdmissionService<S> {
    inner: S,
    admission: Admission,
}

impl<S> Layer<S> for Admission {
    type Service = AdmissionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        AdmissionService { inner, admission: self.clone() }
    }
}

impl<S, B, R> Service<Request<B>> for AdmissionService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: Body,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.inner.clone();
        let Some(graph) = self.admission.graph() else {
            return ResponseFuture::unbounded(service, request);
        };
        let form = self.admission.refusal_form(&request);
        match graph.enter(self.admission.options(graph, &request)) {
            Ok(receiver) => ResponseFuture::queued(receiver, form, graph.clone(), service, request),
            Err(_reason) => ResponseFuture::refused(form, graph.clone()),
        }
    }
}
