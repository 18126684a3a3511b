//! The reply that an event owes: its own, one that it shares with its copies, or none.

use parking_lot::Mutex;
use seda_core::Responder;
use std::sync::Arc;

/// The answer to a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    /// A later stage refused the event.
    Refused,
}

/// The reply that an event owes.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The event is the whole request.
    Own(Responder<Answer>),
    /// The event is a part of the request.
    Part(Part),
    /// Nothing waits for the event, as for one of a timer.
    None,
}

/// A part of a request that has copies. A part that is dropped without an end is lost, and with it
/// the request.
#[derive(Debug)]
pub(crate) struct Part {
    whole: Arc<Whole>,
    has_ended: bool,
}

/// A request that has copies. It ends with its last part.
#[derive(Debug)]
struct Whole(Mutex<WholeState>);

#[derive(Debug)]
struct WholeState {
    responder: Option<Responder<Answer>>,
    answer: Answer,
    is_lost: bool,
}

impl Reply {
    /// Returns the reply of one more copy.
    pub(super) fn share(&mut self) -> Self {
        match std::mem::replace(self, Reply::None) {
            Reply::None => Reply::None,
            Reply::Own(responder) => {
                let (answer, is_lost) = (Answer::Done, false);
                let state = WholeState { responder: Some(responder), answer, is_lost };
                let whole = Arc::new(Whole(Mutex::new(state)));
                *self = Reply::Part(Part { whole: Arc::clone(&whole), has_ended: false });
                Reply::Part(Part { whole, has_ended: false })
            }
            Reply::Part(part) => {
                let copy = Part { whole: Arc::clone(&part.whole), has_ended: false };
                *self = Reply::Part(part);
                Reply::Part(copy)
            }
        }
    }

    /// Ends the event. A request is answered with its last part, and refused if any part was.
    pub(super) fn end(self, answer: Answer) {
        match self {
            Reply::Own(responder) => responder.respond(answer),
            Reply::Part(mut part) => {
                part.has_ended = true;
                if answer == Answer::Refused {
                    part.whole.0.lock().answer = answer;
                }
            }
            Reply::None => {}
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.has_ended {
            self.whole.0.lock().is_lost = true;
        }
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        let state = self.0.get_mut();
        // A responder that is dropped without an answer makes the request a lost one.
        if let Some(responder) = state.responder.take()
            && !state.is_lost
        {
            responder.respond(state.answer);
        }
    }
}
