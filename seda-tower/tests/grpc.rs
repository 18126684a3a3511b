//! gRPC: the layer as a client of tonic meets it.

use crate::method::{self, TENANT, Work};
use crate::scripted::{LONG, admission_of, poll_once, run};
use seda_core::SendOptions;
use seda_tower::{Admission, GrpcStatus, RequestHead};
use std::convert::Infallible;
use std::future::pending;
use std::pin::{Pin, pin};
use std::time::Duration;
use tonic::body::Body;
use tonic::metadata::MetadataValue;
use tonic::{Code, Request, Status};
use tower::{Layer, ServiceExt, service_fn};

/// A call of one microsecond that waits for at most `timeout`.
fn within(timeout: Duration) -> Request<u64> {
    let mut request = Request::new(1);
    request.set_timeout(timeout);
    request
}

/// Answers never.
async fn never(_request: http::Request<Body>) -> Result<http::Response<Body>, Infallible> {
    pending().await
}

#[test]
fn a_call_passes_to_the_method_and_its_answer_to_the_client() {
    let admission = Admission::new();
    assert_eq!(run(method::call(admission.layer(Work), Request::new(7))).unwrap(), 7);
    assert_eq!(admission.report().unwrap().requests.answered, 1);
}

#[test]
fn a_refused_call_is_a_status_with_the_time_after_which_to_try_again() {
    for (status, code) in [
        (GrpcStatus::Unavailable, Code::Unavailable),
        (GrpcStatus::ResourceExhausted, Code::ResourceExhausted),
    ] {
        let admission = Admission::new().grpc_status(status);
        assert!(admission.drain(LONG).unwrap().complete);
        let refusal = run(method::call(admission.layer(Work), Request::new(1))).unwrap_err();
        assert_eq!((refusal.code(), refusal.message()), (code, "the server is busy"));
        let pushback = refusal.metadata().get("grpc-retry-pushback-ms").unwrap();
        let millis: u64 = pushback.to_str().unwrap().parse().unwrap();
        assert!((1_000..=30_000).contains(&millis), "{millis}");
    }
}

#[test]
fn a_short_timeout_of_the_client_shortens_the_deadline_of_the_server() {
    let options = SendOptions { deadline: Some(LONG), ..SendOptions::default() };
    let admission = admission_of(1).classify(move |_head: &RequestHead<'_>| options);
    let mut taken = pin!(admission.layer(service_fn(never)).oneshot(http::Request::default()));
    assert!(poll_once(taken.as_mut()).unwrap().is_pending());
    // No place becomes free, so a tick finds the call in the queue after its deadline.
    let short = within(Duration::from_millis(1));
    let refusal = run(method::call(admission.layer(Work), short)).unwrap_err();
    assert_eq!(refusal.code(), Code::Unavailable);
    assert_eq!(admission.report().unwrap().requests.lost["expired"], 1);
    let mut long = pin!(method::call(admission.layer(Work), within(LONG)));
    assert!(poll_once(long.as_mut()).unwrap().is_pending());
    assert_eq!(admission.report().unwrap().stages[0].queued, 1);
}

/// A call that waits for its answer.
type Waiting = Pin<Box<dyn Future<Output = Result<u64, Status>>>>;

/// Returns a call of a tenant that has entered; `None` if it was refused.
fn enter(admission: &Admission, tenant: &'static str) -> Option<Waiting> {
    let mut request = Request::new(1);
    request.metadata_mut().insert(TENANT, MetadataValue::from_static(tenant));
    let mut call = Box::pin(method::call(admission.layer(service_fn(never)), request));
    poll_once(call.as_mut()).unwrap().is_pending().then_some(call)
}

#[test]
fn a_greedy_tenant_crowds_out_no_other() {
    let by_first_letter = |head: &RequestHead<'_>| SendOptions {
        tenant: head.headers.get(TENANT).map(|name| u64::from(name.as_bytes()[0])),
        ..SendOptions::default()
    };
    // A try takes milliseconds. On a machine that stalls for longer, debts are paid meanwhile.
    let is_shared = || {
        let admission = admission_of(1).classify(by_first_letter);
        let (mut inside, mut refused) = (Vec::new(), 0);
        while refused < 100 {
            match enter(&admission, "greedy") {
                Some(call) => inside.push(call),
                None => refused += 1,
            }
        }
        let modest: Vec<_> = (0..10).filter_map(|_| enter(&admission, "modest")).collect();
        modest.len() == 10 && enter(&admission, "greedy").is_none()
    };
    assert!((0..50).any(|_| is_shared()));
}
