//! The thread that computes the costly steps of handshakes.

use super::session::Session;
use crossbeam_channel::{Receiver, Sender, unbounded};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::Builder;

/// A thread that computes one step of a handshake at a time, in the order in which they arrived.
///
/// Each connection has at most one step here, so the bound of connections bounds the steps that
/// wait. A step costs up to 0.2 ms: on the reactor, a flood of them would be in the way of
/// established connections. The thread ends with the last handle.
#[derive(Clone, Debug)]
pub(crate) struct Handshaker {
    steps: Sender<Step>,
}

/// The mark of a connection that waits for its step. Without it the step is not computed.
#[derive(Debug)]
pub(crate) struct Wanted {
    _mark: Arc<()>,
}

struct Step {
    session: Box<Session>,
    wanted: Weak<()>,
    /// Gives the session back to its connection.
    give_back: Box<dyn FnOnce(Box<Session>, io::Result<()>) + Send>,
}

impl Handshaker {
    /// Starts the thread.
    pub(crate) fn start(name: String) -> io::Result<Self> {
        let (steps, receiver) = unbounded();
        Builder::new().name(name).spawn(move || run(&receiver))?;
        Ok(Self { steps })
    }

    /// Queues the next step of a session. `give_back` gets the session after it, on the thread,
    /// unless the connection has dropped its mark by then.
    pub(crate) fn submit(
        &self,
        session: Box<Session>,
        give_back: impl FnOnce(Box<Session>, io::Result<()>) + Send + 'static,
    ) -> Wanted {
        let mark = Arc::new(());
        let step = Step { session, wanted: Arc::downgrade(&mark), give_back: Box::new(give_back) };
        // The receiver is there until the last sender is dropped.
        let _ = self.steps.send(step);
        Wanted { _mark: mark }
    }
}

fn run(steps: &Receiver<Step>) {
    for Step { mut session, wanted, give_back } in steps {
        if wanted.strong_count() == 0 {
            continue;
        }
        let done = catch_unwind(AssertUnwindSafe(|| session.proceed()));
        let done = done.unwrap_or_else(|_| Err(io::Error::other("the handshake panicked")));
        give_back(session, done);
    }
}
