//! The cost of the admission layer of seda-tower, on the service alone: no sockets, no runtime.
//!
//! `cargo bench -p benches --bench admission_layer` polls requests to a service that answers at
//! once, with and without the layer. The figure is CPU time of the whole process per request,
//! paired round by round.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a benchmark ends if its setup fails"
)]

use benches::{Rounds, cpu_seconds, pin};
use http::{Request, Response};
use seda_tower::Admission;
use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tower_layer::Layer;
use tower_service::Service;

const REQUESTS: usize = 200_000;
const ROUNDS: usize = 15;

/// Answers at once.
#[derive(Clone)]
struct Hello;

impl Service<Request<()>> for Hello {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _request: Request<()>) -> Self::Future {
        ready(Ok(Response::new(String::new())))
    }
}

fn main() {
    pin(&[0]);
    let admission = Admission::new();
    admission.start().expect("a graph without settings");
    let mut rounds = Rounds::new(["the service alone", "with the layer"]);
    for _ in 0..ROUNDS {
        rounds.add(0, run(Hello));
        rounds.add(1, run(admission.layer(Hello)));
    }
    println!("CPU ns per request, {ROUNDS} rounds (min, median, max)");
    rounds.print_minus(0, "  ");
}

/// Returns CPU nanoseconds per request.
fn run<S, R>(service: S) -> f64
where
    S: Service<Request<()>, Response = Response<R>, Error = Infallible> + Clone,
{
    let mut cx = Context::from_waker(Waker::noop());
    let before = cpu_seconds();
    for _ in 0..REQUESTS {
        // As axum does: a clone for each request.
        let mut service = service.clone();
        let mut future = pin!(service.call(Request::new(())));
        while future.as_mut().poll(&mut cx).is_pending() {}
    }
    (cpu_seconds() - before) / REQUESTS as f64 * 1e9
}
