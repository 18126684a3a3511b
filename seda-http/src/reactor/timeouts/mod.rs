//! The time limit of a connection: the awaited action of the client, and since when.

mod deadline;
mod sweep_timer;

pub(crate) use deadline::Deadline;
pub(super) use sweep_timer::SweepTimer;

use super::{Expecting, Settings};
use seda_core::Time;
use std::time::Duration;

/// Time that a client may take for its first request if it connected just before a drain. Its
/// bytes follow its handshake by one round trip.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(250);

/// The next action that the server waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// None: the server itself is at work.
    Nothing,
    /// The first or next request.
    Request,
    /// The first request, while the server drains.
    FirstRequest,
    /// The rest of a request's head, from its first byte on.
    Head,
    /// More of a body.
    Body,
    /// The end of a refused request's body.
    RefusedBody,
    /// The client reads the response.
    Reading,
    /// The client closes its side.
    Fin,
}

/// A time limit that restarts when the connection waits for another action, or on progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout {
    waiting: Waiting,
    since: Time,
}

impl Timeout {
    pub(super) fn new(now: Time) -> Self {
        Self { waiting: Waiting::Request, since: now }
    }

    /// Restarts the limit if the connection waits for this action.
    pub(super) fn renew_if(&mut self, waiting: Waiting, now: Time) {
        if self.waiting == waiting {
            self.since = now;
        }
    }

    /// Sets the awaited action; restarts the limit if it changes.
    pub(super) fn set_waiting(&mut self, waiting: Waiting, now: Time) {
        if self.waiting != waiting {
            *self = Self { waiting, since: now };
        }
    }

    pub(super) fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Returns the start of the limit: the last change or progress.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// Returns the end of the limit; [`Time::NEVER`] if the client owes nothing.
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let limit = match self.waiting {
            Waiting::Nothing => return Time::NEVER,
            Waiting::Request => settings.idle,
            Waiting::FirstRequest => FIRST_REQUEST_GRACE,
            Waiting::Head => settings.head,
            Waiting::Body | Waiting::RefusedBody => settings.body,
            Waiting::Reading => settings.write,
            Waiting::Fin => settings.linger,
        };
        self.since.after(limit)
    }
}

impl From<Expecting> for Waiting {
    fn from(expecting: Expecting) -> Self {
        match expecting {
            Expecting::Nothing => Waiting::Request,
            Expecting::Head => Waiting::Head,
            Expecting::Body => Waiting::Body,
            Expecting::RefusedBody => Waiting::RefusedBody,
        }
    }
}
