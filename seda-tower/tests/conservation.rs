//! Every request that enters the layer ends once, whatever its future goes through.

use crate::scripted::{End, LONG, Script, Scripted, admission_of, poll_once};
use http::Request;
use http_body::Body;
use proptest::prelude::*;
use seda_core::Report;
use seda_tower::{AdmissionService, ResponseBody, ResponseFuture};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use tower::{Layer, Service};

/// A step of a test: something happens to one of the requests.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A request comes.
    Call(Script),
    /// The future of the n-th request is polled; once it has its answer, the body is.
    Poll(usize),
    /// The client of the n-th request leaves.
    Drop(usize),
}

fn script() -> impl Strategy<Value = Script> {
    let end = prop_oneof![
        6 => Just(End::Answer),
        1 => Just(End::Fail),
        1 => Just(End::Panic),
        1 => Just(End::PanicInCall),
    ];
    (0_usize..3, end, 0_usize..3, any::<bool>(), any::<bool>()).prop_map(
        |(polls, end, frames, is_sized, body_fails)| Script {
            polls,
            end,
            frames,
            is_sized,
            body_fails,
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => script().prop_map(Step::Call),
        8 => (0_usize..24).prop_map(Step::Poll),
        1 => (0_usize..24).prop_map(Step::Drop),
    ]
}

type Inner = Pin<Box<ResponseFuture<Scripted, Script>>>;

/// How far a request has come.
enum Stand {
    Waiting(Inner),
    Sending(Pin<Box<ResponseBody<crate::scripted::Frames>>>),
    Over,
}

struct Bench {
    service: AdmissionService<Scripted>,
    requests: Vec<Stand>,
}

impl Bench {
    fn step(&mut self, step: Step) {
        match step {
            Step::Call(script) => {
                let future = self.service.call(Request::new(script));
                self.requests.push(Stand::Waiting(Box::pin(future)));
            }
            Step::Poll(n) => {
                if let Some(stand) = self.requests.get_mut(n) {
                    *stand = poll(std::mem::replace(stand, Stand::Over));
                }
            }
            Step::Drop(n) => {
                if let Some(stand) = self.requests.get_mut(n) {
                    *stand = Stand::Over;
                }
            }
        }
    }
}

/// Polls a request once. What panics is dropped while nothing unwinds, as a layer that catches
/// panics does.
fn poll(stand: Stand) -> Stand {
    match stand {
        Stand::Waiting(mut future) => match poll_once(future.as_mut()) {
            Ok(Poll::Pending) => Stand::Waiting(future),
            Ok(Poll::Ready(Ok(answer))) => Stand::Sending(Box::pin(answer.into_body())),
            Ok(Poll::Ready(Err(_))) | Err(()) => Stand::Over,
        },
        Stand::Sending(mut body) => {
            let mut cx = Context::from_waker(Waker::noop());
            match body.as_mut().poll_frame(&mut cx) {
                Poll::Ready(Some(Ok(_))) | Poll::Pending => Stand::Sending(body),
                Poll::Ready(Some(Err(_)) | None) => Stand::Over,
            }
        }
        Stand::Over => Stand::Over,
    }
}

fn assert_conserved(report: &Report) {
    let (events, requests) = (&report.events, &report.requests);
    assert_eq!((events.queued, events.in_hand, events.pending, requests.open), (0, 0, 0, 0));
    assert_eq!(events.offered, events.accepted + events.refused, "{report}");
    assert_eq!(events.accepted, events.handled + events.shed + events.failed, "{report}");
    let lost: u64 = requests.lost.values().sum();
    assert_eq!(requests.admitted, requests.answered + lost, "{report}");
    assert_eq!(events.accepted, requests.admitted, "{report}");
    // A client that leaves while its event is taken from the queue is lost, and the event handled.
    assert!((requests.answered..=requests.admitted).contains(&events.handled), "{report}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_request_ends_once_whatever_its_future_goes_through(
        places in 1_usize..4,
        steps in prop::collection::vec(step(), 1..120),
        ends_by_drain in any::<bool>(),
    ) {
        let admission = admission_of(places);
        let service = admission.layer(Scripted::default());
        let mut bench = Bench { service, requests: Vec::new() };
        steps.into_iter().for_each(|step| bench.step(step));
        if !ends_by_drain {
            bench.requests.clear();
        }
        let thread = std::thread::Builder::new();
        let drained = if ends_by_drain {
            // The clients are still there: the drain sheds what waits, and they leave meanwhile.
            let draining = admission.clone();
            let drain = thread.spawn(move || draining.drain(LONG)).unwrap();
            bench.requests.clear();
            drain.join().unwrap()
        } else {
            admission.drain(LONG)
        };
        assert_conserved(&drained.unwrap().report);
    }
}

#[test]
fn requests_of_many_threads_all_end() {
    let admission = admission_of(3);
    let service = admission.layer(Scripted::default());
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let mut service = service.clone();
            scope.spawn(move || {
                for n in 0..2_000 {
                    let script =
                        Script { polls: n % 3, frames: n % 2, is_sized: true, ..Script::default() };
                    let mut future = pin!(service.call(Request::new(script)));
                    // One in five clients leaves.
                    let polls_most = if n % 5 == thread { 2 } else { usize::MAX };
                    for _ in 0..polls_most {
                        match poll_once(future.as_mut()) {
                            Ok(Poll::Pending) => std::thread::yield_now(),
                            _ => break,
                        }
                    }
                }
            });
        }
    });
    let report = admission.drain(LONG).unwrap().report;
    assert_eq!(report.events.offered, 8_000);
    assert_conserved(&report);
}
