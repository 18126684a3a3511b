//! axum on tokio's multi-threaded runtime.

use crate::bounded_queue::{BoundedQueue, Full};
use crate::settings::{Algorithm, Work};
use axum::error_handling::HandleErrorLayer;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header::RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use axum::serve::ListenerExt;
use axum::{BoxError, Router};
use peers::answers::{self, QueryError};
use peers::burn;
use seda_tower::Blocking;
use std::future::{Ready, ready};
use std::io;
use std::time::Duration;
use tokio::runtime::Builder;
use tokio::task::spawn_blocking;
use tower::ServiceBuilder;
use tower::layer::util::{Identity, Stack};
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower_acc::ConcurrencyLimitLayer;
use tower_resilience_adaptive::{AdaptiveLimiterLayer, Aimd, Vegas};

/// Serves until the process ends.
pub(crate) fn serve(
    listener: std::net::TcpListener,
    router: Router,
    threads: usize,
    blocking_threads: usize,
) -> io::Result<()> {
    let mut runtime = Builder::new_multi_thread();
    runtime.worker_threads(threads).max_blocking_threads(blocking_threads).enable_all();
    let runtime = runtime.build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        // axum does not set it by itself; seda, actix and nginx do.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, router).await
    })
}

/// Returns the routes. A bounded queue has `threads` threads.
pub(crate) fn router(work: Work, threads: usize) -> io::Result<Router> {
    let (work, sleep) = match work {
        Work::Inline => (get(work_inline), get(sleep_async)),
        Work::SpawnBlocking => (get(work_blocking), get(sleep_blocking)),
        Work::Blocking => {
            let pool = Blocking::start("work").map_err(io::Error::other)?;
            (get(move |query| work_pooled(query, pool)), get(sleep_async))
        }
        Work::Limit(limit) => {
            (limited(get(work_blocking), limit), limited(get(sleep_async), limit))
        }
        Work::Adaptive(algorithm) => {
            (adaptive(get(work_blocking), algorithm)?, adaptive(get(sleep_async), algorithm)?)
        }
        Work::BoundedQueue(limit) => {
            let queue = BoundedQueue::start(limit, threads)?;
            (get(move |query| work_queued(query, queue)), get(sleep_async))
        }
    };
    let router = Router::new()
        .route("/", get(async || answers::HELLO))
        .route("/file8k", get(async || answers::FILE))
        .route("/work", work)
        .route("/sleep", sleep)
        .fallback(async || (StatusCode::NOT_FOUND, answers::NOT_FOUND));
    // This applies the layers of every route. axum would otherwise do so for each connection, and
    // tower-acc would give each connection a limit of its own.
    Ok(router.with_state(()))
}

/// Refuses at once where the next layer would make the request wait.
type Shedding = ServiceBuilder<Stack<LoadShedLayer, Stack<HandleErrorLayer<Refuse, ()>, Identity>>>;
type Refuse = fn(BoxError) -> Ready<Response>;

/// Returns the layers in front of a limit. All layers of a route stand in one stack: between
/// separate ones stands a route, which is always ready.
fn shedding() -> Shedding {
    let refuse: Refuse = |_overloaded| ready(busy());
    ServiceBuilder::new().layer(HandleErrorLayer::new(refuse)).layer(LoadShedLayer::new())
}

/// Limits this route alone, over all connections, so that expensive requests never cause the
/// refusal of a cheap one.
fn limited(route: MethodRouter, limit: usize) -> MethodRouter {
    route.layer(shedding().layer(GlobalConcurrencyLimitLayer::new(limit)))
}

/// Does the same with a limit that the algorithm chooses. Each of these layers makes a request wait
/// when the limit is reached, so all have the same load shed in front.
fn adaptive(route: MethodRouter, algorithm: Algorithm) -> io::Result<MethodRouter> {
    Ok(match algorithm {
        Algorithm::ResilienceAimd => {
            let aimd = Aimd::builder().build().map_err(io::Error::other)?;
            route.layer(shedding().layer(AdaptiveLimiterLayer::new(aimd)))
        }
        Algorithm::ResilienceVegas => {
            let vegas = Vegas::builder().build().map_err(io::Error::other)?;
            route.layer(shedding().layer(AdaptiveLimiterLayer::new(vegas)))
        }
        Algorithm::AccVegas => {
            route.layer(shedding().layer(ConcurrencyLimitLayer::new(tower_acc::Vegas::default())))
        }
    })
}

async fn work_inline(RawQuery(query): RawQuery) -> Result<String, Response> {
    let micros = answers::micros(query.as_deref()).map_err(bad)?;
    burn(Duration::from_micros(micros));
    Ok(answers::burned(micros))
}

async fn work_blocking(RawQuery(query): RawQuery) -> Result<String, Response> {
    let micros = answers::micros(query.as_deref()).map_err(bad)?;
    spawn_blocking(move || burn(Duration::from_micros(micros))).await.map_err(|_| busy())?;
    Ok(answers::burned(micros))
}

async fn work_pooled(query: RawQuery, pool: Blocking) -> Result<String, Response> {
    let micros = answers::micros(query.0.as_deref()).map_err(bad)?;
    pool.spawn(move || burn(Duration::from_micros(micros))).await.map_err(|_| busy())?;
    Ok(answers::burned(micros))
}

async fn work_queued(query: RawQuery, queue: BoundedQueue) -> Result<String, Response> {
    let micros = answers::micros(query.0.as_deref()).map_err(bad)?;
    queue.burn(Duration::from_micros(micros)).await.map_err(|Full| busy())?;
    Ok(answers::burned(micros))
}

async fn sleep_async(RawQuery(query): RawQuery) -> Result<String, Response> {
    let millis = answers::millis(query.as_deref()).map_err(bad)?;
    tokio::time::sleep(Duration::from_millis(millis)).await;
    Ok(answers::slept(millis))
}

#[expect(clippy::disallowed_methods, reason = "this route is there to block")]
async fn sleep_blocking(RawQuery(query): RawQuery) -> Result<String, Response> {
    let millis = answers::millis(query.as_deref()).map_err(bad)?;
    let slept = spawn_blocking(move || std::thread::sleep(Duration::from_millis(millis)));
    slept.await.map_err(|_| busy())?;
    Ok(answers::slept(millis))
}

fn bad(error: QueryError) -> Response {
    (StatusCode::BAD_REQUEST, error.to_string()).into_response()
}

fn busy() -> Response {
    let wait = [(RETRY_AFTER, answers::RETRY_AFTER)];
    (StatusCode::SERVICE_UNAVAILABLE, wait, answers::BUSY).into_response()
}
