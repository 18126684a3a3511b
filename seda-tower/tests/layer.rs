//! The layer: refusals as answers, places, deadlines, bad services and bad settings.

use crate::scripted::{End, Failed, LONG, Script, Scripted, admission_of, poll_once, run};
use http::{Request, Response};
use http_body_util::BodyExt;
use seda_core::{Class, GraphConfig, Mode, SendOptions};
use seda_tower::{Admission, RequestHead};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tower::{Layer, Service, ServiceExt};

/// A service that answers at once.
fn plain() -> Scripted {
    Scripted::default()
}

fn request() -> Request<Script> {
    Request::new(Script::default())
}

fn with(name: &'static str, value: &'static str) -> Request<Script> {
    let mut request = request();
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

/// Returns a layer all of whose places are taken, for as long as the first value lives.
fn full(admission: &Admission) -> impl Sized {
    let script = Script { polls: usize::MAX, ..Script::default() };
    let mut running = Box::pin(admission.layer(plain()).oneshot(Request::new(script)));
    assert!(poll_once(running.as_mut()).unwrap().is_pending());
    // The second poll begins the service.
    assert!(poll_once(running.as_mut()).unwrap().is_pending());
    running
}

#[test]
fn a_request_passes_and_is_counted_once() {
    let admission = Admission::new();
    let answer = run(admission.layer(plain()).oneshot(request())).unwrap();
    assert_eq!(answer.status(), 200);
    drop(answer);
    let report = admission.report().unwrap();
    assert_eq!((report.requests.admitted, report.requests.answered), (1, 1));
    assert_eq!((report.events.handled, report.stages[0].name.as_str()), (1, "requests"));
}

#[test]
fn a_request_waits_in_the_queue_of_the_layer_until_a_place_is_free() {
    let admission = admission_of(1);
    let taken = full(&admission);
    let mut second = pin!(admission.layer(plain()).oneshot(request()));
    for _ in 0..10 {
        assert!(poll_once(second.as_mut()).unwrap().is_pending());
    }
    let stage = &admission.report().unwrap().stages[0];
    assert_eq!((stage.queued, stage.pending), (1, 1));
    drop(taken);
    assert!(run(second.as_mut()).is_ok());
}

#[test]
fn it_is_always_ready_and_readies_the_service_in_the_future() {
    let admission = admission_of(1);
    let _taken = full(&admission);
    let ready = Script { polls: 3, ..Script::default() };
    let mut service = admission.layer(Scripted::new(ready));
    for _ in 0..3 {
        let ready = poll_once(pin!(ServiceExt::<Request<Script>>::ready(&mut service))).unwrap();
        assert!(matches!(ready, Poll::Ready(Ok(_))));
    }
    let service = Admission::new().layer(Scripted::new(ready));
    assert!(run(service.oneshot(request())).is_ok());
}

#[test]
fn the_error_of_a_service_that_does_not_get_ready_is_the_error_of_the_request() {
    let admission = admission_of(1);
    let failing = Scripted::new(Script { end: End::FailReady, ..Script::default() });
    for _ in 0..3 {
        assert_eq!(run(admission.layer(failing.clone()).oneshot(request())).err(), Some(Failed));
    }
    // The place is free again.
    assert!(run(admission.layer(plain()).oneshot(request())).is_ok());
}

#[test]
fn a_body_of_known_length_holds_the_place_and_a_stream_does_not() {
    for (is_sized, held) in [(true, 1), (false, 0)] {
        let admission = admission_of(1);
        let script = Script { frames: 2, is_sized, ..Script::default() };
        let answer = run(admission.layer(plain()).oneshot(Request::new(script))).unwrap();
        assert_eq!(admission.report().unwrap().stages[0].pending, held);
        assert_eq!(run(answer.into_body().collect()).unwrap().to_bytes(), "..");
        let report = admission.report().unwrap();
        assert_eq!((report.stages[0].pending, report.requests.answered), (0, 1));
    }
}

#[test]
fn a_body_that_fails_half_way_gives_its_error_on_and_frees_the_place() {
    let admission = admission_of(1);
    let script = Script { frames: 1, is_sized: true, body_fails: true, ..Script::default() };
    let answer = run(admission.layer(plain()).oneshot(Request::new(script))).unwrap();
    assert_eq!(run(answer.into_body().collect()).err(), Some(Failed));
    assert_eq!(admission.report().unwrap().stages[0].pending, 0);
    assert!(run(admission.layer(plain()).oneshot(request())).is_ok());
}

#[test]
fn a_panic_of_the_service_loses_its_request_and_frees_the_place() {
    let admission = admission_of(1);
    for end in [End::Panic, End::PanicInCall] {
        let script = Script { end, ..Script::default() };
        let service = admission.layer(plain());
        let panics = AssertUnwindSafe(move || run(service.oneshot(Request::new(script))));
        assert!(catch_unwind(panics).is_err());
    }
    assert!(run(admission.layer(plain()).oneshot(request())).is_ok());
    let report = admission.report().unwrap();
    assert_eq!((report.events.failed, report.requests.lost["panicked"]), (2, 2));
}

#[test]
fn a_client_that_leaves_the_queue_starts_no_work() {
    let admission = admission_of(1);
    let taken = full(&admission);
    let panics = Script { end: End::PanicInCall, ..Script::default() };
    let mut second = Box::pin(admission.layer(plain()).oneshot(Request::new(panics)));
    assert!(poll_once(second.as_mut()).unwrap().is_pending());
    drop(second);
    drop(taken);
    let report = admission.drain(LONG).unwrap().report;
    assert_eq!(report.requests.lost["abandoned"], 2);
    assert_eq!(report.stages[0].shed["abandoned"], 1);
}

#[test]
fn a_drained_layer_refuses_in_the_form_of_the_client() {
    let admission = Admission::new();
    admission.start().unwrap();
    assert!(admission.drain(LONG).unwrap().complete);
    assert!(admission.drain(LONG).is_none());
    let answer = run(admission.layer(plain()).oneshot(request())).unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["retry-after"]),
        (503, &"1".parse().unwrap())
    );
    assert_eq!(run(answer.into_body().collect()).unwrap().to_bytes(), "");
    let grpc = with("content-type", "application/grpc+proto");
    let answer = run(admission.layer(plain()).oneshot(grpc)).unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["grpc-status"]),
        (200, &"14".parse().unwrap())
    );
}

#[test]
fn a_drain_tells_the_requests_that_wait() {
    let admission = admission_of(1);
    let _taken = full(&admission);
    let mut second = pin!(admission.layer(plain()).oneshot(request()));
    assert!(poll_once(second.as_mut()).unwrap().is_pending());
    let drained = admission.drain(Duration::from_millis(50)).unwrap();
    assert_eq!((drained.complete, drained.given_up, drained.left[0].pending), (false, 1, 1));
    assert_eq!(run(second).unwrap().status(), 503);
}

#[test]
fn a_clients_deadline_shortens_the_servers_and_never_extends_it() {
    // A deadline of zero is over at once: it is refused.
    for (name, value) in [("grpc-timeout", "0m"), ("x-envoy-expected-rq-timeout-ms", "0")] {
        let admission = Admission::new();
        let answer = run(admission.layer(plain()).oneshot(with(name, value))).unwrap();
        assert_eq!(answer.status(), 503);
        assert_eq!(admission.report().unwrap().stages[0].refused["expired"], 1);
    }
    let own = |deadline| {
        Admission::new().classify(move |_head: &RequestHead<'_>| SendOptions {
            deadline: Some(deadline),
            ..SendOptions::default()
        })
    };
    let answer = run(own(Duration::ZERO).layer(plain()).oneshot(with("grpc-timeout", "1H")));
    assert_eq!(answer.unwrap().status(), 503);
    let answer = run(own(LONG).layer(plain()).oneshot(with("grpc-timeout", "1H")));
    assert_eq!(answer.unwrap().status(), 200);
}

#[test]
fn a_request_that_waits_beyond_its_deadline_is_refused_and_not_begun() {
    let admission = admission_of(1);
    let taken = full(&admission);
    let panics = Script { end: End::PanicInCall, ..Script::default() };
    let mut late = Request::new(panics);
    late.headers_mut().insert("grpc-timeout", "1m".parse().unwrap());
    // Its place is taken, so a tick finds it in the queue.
    let answer = run(admission.layer(plain()).oneshot(late)).unwrap();
    assert_eq!(answer.status(), 503);
    drop(taken);
    assert_eq!(admission.report().unwrap().requests.lost["expired"], 1);
}

#[test]
fn the_function_of_the_program_sees_the_head() {
    let admission = Admission::new().classify(|head: &RequestHead<'_>| SendOptions {
        class: Class::new(u8::from(head.uri.path() == "/batch")),
        deadline: (head.method == "DELETE").then_some(Duration::ZERO),
        ..SendOptions::default()
    });
    let mut delete = request();
    *delete.method_mut() = http::Method::DELETE;
    assert_eq!(run(admission.layer(plain()).oneshot(delete)).unwrap().status(), 503);
    assert_eq!(run(admission.layer(plain()).oneshot(request())).unwrap().status(), 200);
}

#[test]
fn settings_that_are_wrong_are_named_and_requests_then_pass() {
    let mut config = GraphConfig::default();
    config.stages.insert("request".to_owned(), Default::default());
    for (admission, named) in [
        (Admission::new().config(config), "request"),
        (Admission::new().slo(Duration::ZERO), "slo.p99"),
    ] {
        for _ in 0..2 {
            let error = admission.start().unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        assert!(admission.report().is_none() && admission.drain(LONG).is_none());
        assert_eq!(run(admission.layer(plain()).oneshot(request())).unwrap().status(), 200);
    }
}

#[test]
fn two_layers_in_one_process_have_graphs_of_their_own() {
    let (one, two) = (Admission::new().name("one"), Admission::new().name("two"));
    for _ in 0..3 {
        run(one.layer(plain()).oneshot(request())).unwrap();
    }
    run(two.clone().layer(plain()).oneshot(request())).unwrap();
    let of = |admission: &Admission| {
        let report = admission.report().unwrap();
        (report.graph, report.requests.admitted)
    };
    assert_eq!((of(&one), of(&two)), (("one".to_owned(), 3), ("two".to_owned(), 1)));
    one.drain(LONG).unwrap();
    assert_eq!(run(two.layer(plain()).oneshot(request())).unwrap().status(), 200);
}

#[test]
fn an_observer_refuses_nothing() {
    let mut config = GraphConfig::default();
    config.control.set_mode(Mode::Observe);
    let admission = Admission::new().config(config);
    assert_eq!(run(admission.layer(plain()).oneshot(request())).unwrap().status(), 200);
}

#[test]
fn on_a_runtime_of_one_thread_all_requests_are_answered() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answered = runtime.block_on(async {
        let admission = admission_of(2);
        let service = admission.layer(tower::service_fn(|_request: Request<()>| async {
            tokio::time::sleep(Duration::from_millis(1)).await;
            Ok::<_, Failed>(Response::new(String::new()))
        }));
        let calls = (0..50).map(|_| tokio::spawn(service.clone().oneshot(Request::new(()))));
        let calls: Vec<_> = calls.collect();
        let mut answered = 0;
        for call in calls {
            answered += usize::from(call.await.unwrap().unwrap().status() == 200);
        }
        let report = admission.report().unwrap();
        assert_eq!(report.requests.answered, 50, "{report}");
        answered
    });
    assert_eq!(answered, 50);
}

/// A layer is used through `Service` of any body.
#[test]
fn the_service_is_cloned_and_called_without_being_readied() {
    let mut service = Admission::new().layer(plain());
    assert_eq!(run(service.call(request())).unwrap().status(), 200);
}
