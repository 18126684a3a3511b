//! A service that does what a script says, and futures that are polled by hand.

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use seda_core::{GraphConfig, StageConfig};
use seda_tower::Admission;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tower::Service;

/// Long enough for any machine.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// What the service does with a request; the request carries it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Script {
    /// The polls after which the service is ready, and after which its future is.
    pub(crate) polls: usize,
    /// What happens at the last of them.
    pub(crate) end: End,
    /// The frames of the body.
    pub(crate) frames: usize,
    /// Whether the length of the body is known.
    pub(crate) is_sized: bool,
    /// Whether the body fails after its last frame.
    pub(crate) body_fails: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum End {
    #[default]
    Answer,
    Fail,
    FailReady,
    Panic,
    PanicInCall,
}

/// The error of the service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failed;

/// The service. It is told the script by the first request, so `poll_ready` follows `ready`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scripted {
    pub(crate) ready: Script,
    polled: usize,
}

impl Scripted {
    pub(crate) fn new(ready: Script) -> Self {
        Self { ready, polled: 0 }
    }
}

impl Service<Request<Script>> for Scripted {
    type Response = Response<Frames>;
    type Error = Failed;
    type Future = Running;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        if self.polled < self.ready.polls {
            self.polled += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(if self.ready.end == End::FailReady { Err(Failed) } else { Ok(()) })
    }

    fn call(&mut self, request: Request<Script>) -> Running {
        let script = *request.body();
        assert!(script.end != End::PanicInCall, "as the script says");
        Running { script, polled: 0 }
    }
}

pub(crate) struct Running {
    script: Script,
    polled: usize,
}

impl Future for Running {
    type Output = Result<Response<Frames>, Failed>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polled < self.script.polls {
            self.polled += 1;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        assert!(self.script.end != End::Panic, "as the script says");
        if self.script.end == End::Fail {
            return Poll::Ready(Err(Failed));
        }
        let Script { frames, is_sized, body_fails, .. } = self.script;
        Poll::Ready(Ok(Response::new(Frames { left: frames, is_sized, fails: body_fails })))
    }
}

/// A body of frames of one byte.
#[derive(Debug)]
pub(crate) struct Frames {
    left: usize,
    is_sized: bool,
    fails: bool,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Failed;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Failed>>> {
        if self.left == 0 {
            return Poll::Ready(std::mem::take(&mut self.fails).then_some(Err(Failed)));
        }
        self.left -= 1;
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b".")))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0 && !self.fails
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_sized { SizeHint::with_exact(self.left as u64) } else { SizeHint::default() }
    }
}

/// Returns a layer with this number of places, which stay as many.
pub(crate) fn admission_of(places: usize) -> Admission {
    let mut config = GraphConfig::default();
    let stage =
        StageConfig { outstanding: Some(places), pending: Some(places), ..StageConfig::default() };
    config.stages.insert("requests".to_owned(), stage);
    Admission::new().config(config)
}

/// Polls once, without a runtime; `Err` if the poll panicked.
pub(crate) fn poll_once<F: Future>(future: Pin<&mut F>) -> Result<Poll<F::Output>, ()> {
    let mut cx = Context::from_waker(Waker::noop());
    // The future that panicked is dropped by its owner.
    catch_unwind(AssertUnwindSafe(|| future.poll(&mut cx))).map_err(drop)
}

/// Polls until the future ends; it wakes itself, or another thread ends it.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    loop {
        match poll_once(future.as_mut()) {
            Ok(Poll::Ready(output)) => return output,
            Ok(Poll::Pending) => std::thread::yield_now(),
            Err(()) => panic!("the future panicked"),
        }
    }
}
