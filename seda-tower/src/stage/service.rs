//! A stage as a service of tower.

use crate::stage::answer::{Answer, StageError};
use crate::stage::call::Call;
use seda_core::{SendOptions, Source};
use std::task::{Context, Poll};
use tower_service::Service;

/// A stage with events of type [`Call`], as a service: a request becomes an event, and the answer
/// of the handler resolves the future.
///
/// ```
/// use seda_core::Graph;
/// use seda_tower::{Call, StageService};
/// use tower::ServiceExt;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut graph = Graph::new("lengths");
/// let measure = graph.stage::<Call<String, usize>>("measure", 64);
/// graph.attach_each(measure, |_wire| {
///     |call: Call<String, usize>, _cx| {
///         let length = call.request.len();
///         call.respond(length);
///     }
/// })?;
/// let service = StageService::new(graph.source(measure)?);
/// let running = graph.start()?;
/// assert_eq!(service.oneshot("four".to_owned()).await, Ok(4));
/// # drop(running);
/// # Ok(())
/// # }
/// ```
///
/// It is always ready. A stage that has no room refuses the request with [`StageError::Refused`],
/// at once. A dropped future abandons the request.
#[derive(Debug)]
pub struct StageService<Req: Send + 'static, Res: Send + 'static> {
    source: Source<Call<Req, Res>>,
    options: SendOptions,
}

impl<Req: Send + 'static, Res: Send + 'static> StageService<Req, Res> {
    /// Returns the stage that `source` sends into.
    pub fn new(source: Source<Call<Req, Res>>) -> Self {
        Self { source, options: SendOptions::default() }
    }

    /// Returns the service with a class, deadline, route, cost or tenant of its requests.
    pub fn with_options(self, options: SendOptions) -> Self {
        Self { options, ..self }
    }

    /// Sends one request with options of its own.
    pub fn ask(&self, request: Req, options: SendOptions) -> Answer<Res> {
        Answer::ask(&self.source, options, |reply| Call::new(request, reply))
    }
}

impl<Req: Send + 'static, Res: Send + 'static> Clone for StageService<Req, Res> {
    fn clone(&self) -> Self {
        Self { source: self.source.clone(), options: self.options }
    }
}

impl<Req: Send + 'static, Res: Send + 'static> Service<Req> for StageService<Req, Res> {
    type Response = Res;
    type Error = StageError;
    type Future = Answer<Res>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), StageError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Req) -> Answer<Res> {
        self.ask(request, self.options)
    }
}
