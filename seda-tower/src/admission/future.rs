//! The future of one request: it waits for its place, then runs the service.

use crate::admission::body::ResponseBody;
use crate::admission::entry::GrantReceiver;
use crate::admission::graph::AdmissionGraph;
use crate::admission::permit::Permit;
use crate::admission::refusal::RefusalForm;
use crate::runtime::Pause;
use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tower_service::Service;

pin_project! {
    /// The future of [`AdmissionService`](crate::AdmissionService). Dropping it abandons the
    /// request: a service that has not begun does not begin.
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, S::Future, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, F, B> {
        // The request is refused.
        Refused { form: RefusalForm, graph: Arc<AdmissionGraph> },
        // It is in the queue.
        Queued {
            receiver: GrantReceiver,
            form: RefusalForm,
            graph: Arc<AdmissionGraph>,
            call: Option<Call<S, B>>,
        },
        // It has a place: the runtime looks at its sockets, then the service becomes ready.
        Starting { pause: Option<Pause>, permit: Option<Permit>, call: Option<Call<S, B>> },
        // The service runs; without a permit if there is no graph.
        Running { #[pin] future: F, permit: Option<Permit> },
        // The future has ended.
        Ended,
    }
}

/// A service of its own, and the request for it.
struct Call<S, B> {
    service: S,
    request: Request<B>,
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    pub(super) fn refused(form: RefusalForm, graph: Arc<AdmissionGraph>) -> Self {
        Self { state: State::Refused { form, graph } }
    }

    pub(super) fn queued(
        receiver: GrantReceiver,
        form: RefusalForm,
        graph: Arc<AdmissionGraph>,
        service: S,
        request: Request<B>,
    ) -> Self {
        let call = Some(Call { service, request });
        Self { state: State::Queued { receiver, form, graph, call } }
    }

    /// Runs the service without a graph.
    pub(super) fn unbounded(service: S, request: Request<B>) -> Self {
        let call = Some(Call { service, request });
        Self { state: State::Starting { pause: None, permit: None, call } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: Body,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Refused { form, graph } => {
                    let answer = form.answer(graph.retry_after.next(), ResponseBody::empty());
                    state.set(State::Ended);
                    return Poll::Ready(Ok(answer));
                }
                StateProjection::Queued { receiver, form, graph, call } => {
                    match ready!(receiver.poll(cx)) {
                        Ok(grant) => {
                            let request = Arc::clone(receiver.request());
                            let mut permit = Permit::new(Arc::clone(graph), request, grant);
                            let pause = graph.pause();
                            if pause.is_none() {
                                permit.begin();
                            }
                            State::Starting { pause, permit: Some(permit), call: call.take() }
                        }
                        Err(_reason) => {
                            State::Refused { form: form.clone(), graph: Arc::clone(graph) }
                        }
                    }
                }
                StateProjection::Starting { pause, permit, call } => {
                    if let Some(waiting) = pause {
                        ready!(waiting.as_mut().poll(cx));
                        *pause = None;
                        permit.iter_mut().for_each(Permit::begin);
                    }
                    match ready!(start(permit, call, cx)) {
                        Some(Ok(future)) => State::Running { future, permit: permit.take() },
                        // The service has failed before the request: no place is held for it.
                        Some(Err(error)) => {
                            permit.take().into_iter().for_each(Permit::complete);
                            state.set(State::Ended);
                            return Poll::Ready(Err(error));
                        }
                        None => State::Ended,
                    }
                }
                StateProjection::Running { future, permit } => {
                    let result = ready!(timed(permit, || future.poll(cx)));
                    let permit = permit.take();
                    state.set(State::Ended);
                    return Poll::Ready(finish(result, permit));
                }
                // Polled after its end.
                StateProjection::Ended => return Poll::Pending,
            };
            state.set(next);
        }
    }
}

/// Makes the service ready and calls it; `None` if it was called before.
fn start<S, B>(
    permit: &mut Option<Permit>,
    call: &mut Option<Call<S, B>>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<S::Future, S::Error>>>
where
    S: Service<Request<B>>,
{
    let Some(waiting) = call else { return Poll::Ready(None) };
    if let Err(error) = ready!(timed(permit, || waiting.service.poll_ready(cx))) {
        return Poll::Ready(Some(Err(error)));
    }
    let called = call
        .take()
        .map(|Call { mut service, request }| timed(permit, || Ok(service.call(request))));
    Poll::Ready(called)
}

/// Returns the answer of the service; its body holds the place until its end.
fn finish<R: Body, E>(
    result: Result<Response<R>, E>,
    permit: Option<Permit>,
) -> Result<Response<ResponseBody<R>>, E> {
    match result {
        Ok(answer) => Ok(answer.map(|body| ResponseBody::of(body, permit))),
        Err(error) => {
            permit.into_iter().for_each(Permit::complete);
            Err(error)
        }
    }
}

/// Polls the service, and counts the time at its place if it has one.
fn timed<T>(permit: &mut Option<Permit>, poll: impl FnOnce() -> T) -> T {
    match permit {
        Some(permit) => permit.time(poll),
        None => poll(),
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
