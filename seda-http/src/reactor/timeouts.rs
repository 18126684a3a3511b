//! What a connection waits for, and since when.

use super::{Owed, Settings};
use seda_core::Time;
use std::time::Duration;

/// How long a client that connected just before a drain may take to send its first request: its
/// bytes follow its handshake by a round trip.
const NEWCOMER_GRACE: Duration = Duration::from_millis(250);

/// What the client has to do next, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
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
pub(super) struct Patience {
    awaited: Awaited,
    since: Time,
}

impl Patience {
    pub(super) fn new(now: Time) -> Self {
        Self { awaited: Awaited::Request, since: now }
    }

    /// The client made progress, if this is what it was to do.
    pub(super) fn renew_if(&mut self, awaited: Awaited, now: Time) {
        if self.awaited == awaited {
            self.since = now;
        }
    }

    /// Takes note of what is awaited now.
    pub(super) fn await_next(&mut self, awaited: Awaited, now: Time) {
        if self.awaited != awaited {
            *self = Self { awaited, since: now };
        }
    }

    pub(super) fn awaited(&self) -> Awaited {
        self.awaited
    }

    /// Since when, without progress.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// When it ends.
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let limit = match self.awaited {
            Awaited::Nothing => return Time::NEVER,
            Awaited::Request => settings.idle,
            Awaited::FirstRequest => NEWCOMER_GRACE,
            Awaited::Head => settings.head,
            Awaited::Body => settings.body,
            Awaited::Reading => settings.write,
            Awaited::Fin => settings.linger,
        };
        self.since.after(limit)
    }
}

impl From<Owed> for Awaited {
    fn from(owed: Owed) -> Self {
        match owed {
            Owed::Nothing => Awaited::Request,
            Owed::Head => Awaited::Head,
            Owed::Body => Awaited::Body,
        }
    }
}
