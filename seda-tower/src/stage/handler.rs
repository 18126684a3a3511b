//! A service inside a deferring stage.

use crate::stage::call::Call;
use seda_core::{Clock, Context, Handler, MonotonicClock};
use std::fmt;
use std::future::{Future, poll_fn};
use std::marker::PhantomData;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task;
use std::time::Duration;
use tower_service::Service;

/// A future that a runtime runs for a stage.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns a handler that runs `service` for each event. `spawn` gives a future to the runtime that
/// runs it, and does not wait for it.
///
/// The event is deferred: it holds no worker, counts as pending until the service has answered, and
/// a drain waits for it. Give the stage a range for the number of such events
/// ([`StageConfig::outstanding`](seda_core::StageConfig::outstanding) and `pending`): the
/// controller then finds the number beyond which the service answers no faster.
///
/// ```
/// use seda_core::{Graph, StageConfig};
/// use seda_tower::{Call, StageService};
/// use std::convert::Infallible;
/// use tower::{ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A client, or a whole router.
/// let remote = service_fn(|number: u64| async move { Ok::<_, Infallible>(number * number) });
///
/// let mut graph = Graph::new("squares");
/// let square = graph.stage::<Call<u64, Result<u64, Infallible>>>("square", 1_024);
/// let runtime = tokio::runtime::Handle::current();
/// graph.attach(square, |_wire| {
///     move || {
///         let runtime = runtime.clone();
///         Ok(seda_tower::stage(remote, move |task| drop(runtime.spawn(task))))
///     }
/// })?;
/// let places = StageConfig { outstanding: Some(8), pending: Some(256), ..StageConfig::default() };
/// graph.configure(square, places)?;
/// let squares = StageService::new(graph.source(square)?);
/// let running = graph.start()?;
/// assert_eq!(squares.oneshot(12).await, Ok(Ok(144)));
/// # drop(running);
/// # Ok(())
/// # }
/// ```
pub fn stage<S, Req, P>(service: S, spawn: P) -> ServiceHandler<S, Req, P>
where
    S: Service<Req> + Clone,
    P: Fn(Task) + Send,
{
    ServiceHandler { service, spawn, clock: Arc::new(MonotonicClock::new()), request: PhantomData }
}

/// The handler that [`stage`] returns.
pub struct ServiceHandler<S, Req, P> {
    service: S,
    spawn: P,
    clock: Arc<MonotonicClock>,
    request: PhantomData<fn(Req)>,
}

impl<S, Req, P> Handler<Call<Req, Result<S::Response, S::Error>>> for ServiceHandler<S, Req, P>
where
    S: Service<Req> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send + 'static,
    S::Error: Send + 'static,
    Req: Send + 'static,
    P: Fn(Task) + Send,
{
    fn handle(&mut self, call: Call<Req, Result<S::Response, S::Error>>, cx: &mut Context) {
        // At the limit of pending events the call is dropped, and its client told.
        let Ok(mut pending) = cx.defer() else { return };
        let (request, reply) = call.into_parts();
        let service = self.service.clone();
        let mut watch = Stopwatch::start(Arc::clone(&self.clock));
        (self.spawn)(Box::pin(async move {
            let result = watch.time(answer(service, request)).await;
            pending.add_thread_time(watch.running, watch.waiting);
            // If the runtime drops this future instead, the event fails and the request is lost.
            reply.respond(result);
            pending.complete();
        }));
    }
}

/// Makes the service ready, and returns its answer.
async fn answer<S: Service<Req>, Req>(
    mut service: S,
    request: Req,
) -> Result<S::Response, S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}

/// The time that a future is polled, and the time until its first poll.
struct Stopwatch {
    clock: Arc<MonotonicClock>,
    began: seda_core::Time,
    waiting: Duration,
    running: Duration,
}

impl Stopwatch {
    fn start(clock: Arc<MonotonicClock>) -> Self {
        let began = clock.now();
        Self { clock, began, waiting: Duration::ZERO, running: Duration::ZERO }
    }

    async fn time<T>(&mut self, future: impl Future<Output = T>) -> T {
        self.waiting = self.clock.now().since(self.began);
        let mut future = pin!(future);
        poll_fn(|cx: &mut task::Context<'_>| {
            let began = self.clock.now();
            let polled = future.as_mut().poll(cx);
            self.running += self.clock.now().since(began);
            polled
        })
        .await
    }
}

impl<S, Req, P> fmt::Debug for ServiceHandler<S, Req, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceHandler").finish_non_exhaustive()
    }
}
