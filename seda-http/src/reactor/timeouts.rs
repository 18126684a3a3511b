//! What a connection waits for, and since when.

use super::{Expecting, Settings};
use seda_core::Time;
use std::time::Duration;

/// How long a client that connected just before a drain may take to send its first request: its
/// bytes follow its handshake by a round trip.
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(250);

/// What the client has to do next, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// Nothing: the server is at work.
    Nothing,
    /// A first or next request.
    Request,
    /// A first request, while the server drains.
    FirstRequest,
    /// The rest of a request's head, from its first byte on.
    Head,
    /// More of a body.
    Body,
    /// To take what is written.
    Reading,
    /// To close its side.
    Fin,
}

/// A time limit that begins anew whenever something else is awaited, or on progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout {
    waiting: Waiting,
    since: Time,
}

impl Timeout {
    pub(super) fn new(now: Time) -> Self {
        Self { waiting: Waiting::Request, since: now }
    }

    /// The client made progress, if this is what it was to do.
    pub(super) fn renew_if(&mut self, waiting: Waiting, now: Time) {
        if self.waiting == waiting {
            self.since = now;
        }
    }

    /// Takes note of what is awaited now.
    pub(super) fn set_waiting(&mut self, waiting: Waiting, now: Time) {
        if self.waiting != waiting {
            *self = Self { waiting, since: now };
        }
    }

    pub(super) fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Since when, without progress.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// When it ends.
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let limit = match self.waiting {
            Waiting::Nothing => return Time::NEVER,
            Waiting::Request => settings.idle,
            Waiting::FirstRequest => FIRST_REQUEST_GRACE,
            Waiting::Head => settings.head,
            Waiting::Body => settings.body,
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
        }
    }
}
