//! The end of a server, on a runtime with a clock that stands still.

use http::Request;
use seda_tower::{Admission, Drain, Stop};
use std::future::{pending, ready};
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceExt;

const SECOND: Duration = Duration::from_secs(1);

/// Runs on one thread; timers fire as soon as nothing else can run.
fn on_still_clock<F: Future>(future: F) -> F::Output {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.unwrap().block_on(future)
}

#[test]
fn a_server_that_ends_by_itself_ends_the_graph() {
    let admission = Admission::new();
    admission.start().unwrap();
    let ended = on_still_clock(
        Drain::new(&admission, 20 * SECOND).serve(pending(), |_stop: Stop| ready(7)),
    );
    assert_eq!(
        (ended.server, ended.graph.is_some_and(|drained| drained.complete)),
        (Some(7), true)
    );
}

#[test]
fn at_the_signal_the_probe_answers_503_and_the_server_stops_after_the_lame_duck() {
    let admission = Admission::new();
    let admin = admission.admin();
    let probe = admin.clone();
    let (stopped_after, status) = on_still_clock(async {
        let began = Instant::now();
        let drain = Drain::new(&admission, 20 * SECOND).lame_duck(5 * SECOND).admin(&admin);
        let ended = drain
            .serve(ready(()), |stop| async move {
                tokio::time::sleep(SECOND).await;
                let answer = probe.oneshot(Request::get("/readyz").body(()).unwrap()).await;
                stop.await;
                (began.elapsed(), answer.unwrap().status())
            })
            .await;
        ended.server.unwrap()
    });
    assert_eq!((stopped_after.as_secs(), status.as_u16()), (5, 503));
}

#[test]
fn connections_that_do_not_end_are_left_at_the_limit() {
    let admission = Admission::new();
    let (took, server) = on_still_clock(async {
        let began = Instant::now();
        let drain = Drain::new(&admission, 20 * SECOND).lame_duck(60 * SECOND);
        let ended = drain.serve(ready(()), |_stop| pending::<()>()).await;
        (began.elapsed(), ended.server)
    });
    assert_eq!((took.as_secs(), server), (20, None));
}
