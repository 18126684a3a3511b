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
    /// The PROXY header from the begin of the connection on, and the end of the TLS handshake.
    Preface,
    /// The first or next request.
    Request,
    /// The first request, or the first byte before it, while the server drains.
    FirstRequest,
    /// The rest of a request's head, from its first byte on.
    Head,
    /// More of a body.
    Body,
    /// None: the program has to read the arrived part of a streamed body.
    Consumer,
    /// The end of a refused request's body.
    RefusedBody,
    /// The client reads the response.
    Reading,
    /// None: the program owes the next piece of a streamed response.
    Piece,
    /// The client closes its side.
    Fin,
}

/// The time limits of the awaited action. All restart when the connection waits for another one;
/// the limit on the time without progress restarts on progress, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeout {
    waiting: Waiting,
    begun: Time,
    /// The last change or progress.
    since: Time,
    /// Bytes of progress.
    bytes: u64,
    /// The longest time for the current body; `None` for that of the settings.
    body_total: Option<Duration>,
}

impl Timeout {
    pub(super) fn new(now: Time) -> Self {
        Self::of(Waiting::Request, now)
    }

    fn of(waiting: Waiting, now: Time) -> Self {
        Self { waiting, begun: now, since: now, bytes: 0, body_total: None }
    }

    /// Takes in progress of this action.
    pub(super) fn note_progress(&mut self, waiting: Waiting, bytes: usize, now: Time) {
        if self.waiting == waiting {
            self.since = now;
            self.bytes += bytes as u64;
        }
    }

    /// Sets the awaited action; restarts all limits if it changes. While the program has to read
    /// from a body, those of the body stand still.
    pub(super) fn set_waiting(&mut self, waiting: Waiting, now: Time) {
        match (self.waiting, waiting) {
            (before, after) if before == after => {}
            (Waiting::Body, Waiting::Consumer) => *self = Self { waiting, since: now, ..*self },
            (Waiting::Consumer, Waiting::Body) => {
                let begun = self.begun.after(now.since(self.since));
                *self = Self { waiting, since: now, begun, ..*self };
            }
            _ => *self = Self { body_total: self.body_total, ..Self::of(waiting, now) },
        }
    }

    /// Sets the longest time for the body that is read next; `None` for that of the settings.
    pub(super) fn set_body_total(&mut self, total: Option<Duration>) {
        self.body_total = total;
    }

    pub(super) fn waiting(&self) -> Waiting {
        self.waiting
    }

    /// Returns the mean rate of progress, in bytes a second.
    pub(super) fn rate(&self, now: Time) -> u64 {
        let millis = u64::try_from(now.since(self.begun).as_millis()).unwrap_or(u64::MAX);
        self.bytes.saturating_mul(1_000) / millis.max(1)
    }

    /// Returns the bytes of progress.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the start of the limit: the last change or progress.
    pub(super) fn since(&self) -> Time {
        self.since
    }

    /// Returns the end of the earliest limit; [`Time::NEVER`] if the client owes nothing.
    pub(super) fn deadline(&self, settings: &Settings) -> Time {
        let limit = match self.waiting {
            Waiting::Nothing | Waiting::Piece | Waiting::Consumer => return Time::NEVER,
            Waiting::Request => settings.idle,
            Waiting::FirstRequest => FIRST_REQUEST_GRACE,
            Waiting::Preface | Waiting::Head => settings.head,
            Waiting::Body => return self.body_deadline(settings),
            Waiting::RefusedBody => settings.body,
            Waiting::Reading => settings.write,
            Waiting::Fin => {
                let total = self.begun.after(settings.linger_total);
                return total.min(self.since.after(settings.linger));
            }
        };
        self.since.after(limit)
    }

    /// Returns the earliest of three limits: since the last byte, in all, and by the least rate.
    /// The least rate applies after the time that a body may pause.
    fn body_deadline(&self, settings: &Settings) -> Time {
        let pause = self.since.after(settings.body);
        let total = self.begun.after(self.body_total.unwrap_or(settings.body_total));
        let paid_nanos = self.bytes.saturating_mul(1_000_000_000).checked_div(settings.body_rate);
        let rate = paid_nanos.map_or(Time::NEVER, |nanos| {
            self.begun.after(settings.body).after(Duration::from_nanos(nanos))
        });
        pause.min(total).min(rate)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Time {
        Time::from_nanos(seconds * 1_000_000_000)
    }

    /// 10 bytes in 10 s of the client's own time, with 100 s of the program's in between.
    #[test]
    fn the_limits_of_a_body_stand_still_while_the_program_has_to_read() {
        let mut timeout = Timeout::new(at(0));
        timeout.set_waiting(Waiting::Body, at(1));
        timeout.note_progress(Waiting::Body, 10, at(6));
        timeout.set_waiting(Waiting::Consumer, at(6));
        timeout.set_waiting(Waiting::Body, at(106));
        assert_eq!((timeout.rate(at(111)), timeout.since()), (1, at(106)));
        // Another wait begins anew.
        timeout.set_waiting(Waiting::Nothing, at(111));
        timeout.set_waiting(Waiting::Body, at(112));
        assert_eq!((timeout.rate(at(113)), timeout.since()), (0, at(112)));
    }
}
