//! What a connection waits for, and what becomes of it when that does not come.

use super::super::timeouts::Awaited;
use super::super::{Owed, Protocol, Service, Settings};
use super::{Connection, Phase, Round};
use bytes::BytesMut;
use seda_core::Time;
use std::time::Duration;

/// How long a connection is idle before its buffers are given back.
const BUFFERS_KEPT: Duration = Duration::from_secs(1);

impl<P: Protocol> Connection<P> {
    /// What the connection waits for.
    pub(super) fn awaited<S: Service<P>>(&self, round: &Round<'_, P, S>) -> Awaited {
        if matches!(self.phase, Phase::Lingering(_)) {
            Awaited::Fin
        } else if !self.output.is_empty() {
            Awaited::Reading
        } else if !self.pipeline.is_empty() {
            Awaited::Nothing
        } else if round.draining && self.fresh && self.owed(round) == Owed::Nothing {
            Awaited::FirstRequest
        } else {
            Awaited::from(self.owed(round))
        }
    }

    /// When this connection has to be looked at again though nothing happens.
    pub(in crate::reactor) fn due(&self, settings: &Settings) -> Time {
        let deadline = self.patience.deadline(settings);
        if self.keeps_idle_buffers() {
            deadline.min(self.patience.since().after(BUFFERS_KEPT))
        } else {
            deadline
        }
    }

    /// Looks after it when it is due; true if it then needs a turn.
    pub(in crate::reactor) fn tend(
        &mut self,
        protocol: &P,
        settings: &Settings,
        now: Time,
    ) -> bool {
        if self.keeps_idle_buffers() && self.patience.since().after(BUFFERS_KEPT) <= now {
            self.input = BytesMut::new();
            self.output.shrink();
        }
        if self.patience.deadline(settings) > now {
            return false;
        }
        match self.patience.awaited() {
            Awaited::Nothing => return false,
            Awaited::Request | Awaited::FirstRequest => self.phase = Phase::Ending,
            Awaited::Head => self.end_overdue(protocol.overdue(Owed::Head)),
            Awaited::Body => self.end_overdue(protocol.overdue(Owed::Body)),
            Awaited::Reading | Awaited::Fin => self.stream.dead = true,
        }
        true
    }

    fn end_overdue(&mut self, (answer, exchange): (P::Response, P::Exchange)) {
        self.pipeline.push_answered(answer, exchange);
        self.phase = Phase::Ending;
    }

    fn keeps_idle_buffers(&self) -> bool {
        self.patience.awaited() == Awaited::Request
            && self.input.is_empty()
            && (self.input.capacity() > 0 || self.output.has_memory())
    }

    #[cfg(test)]
    pub(in crate::reactor) fn awaits_a_head(&self) -> bool {
        self.patience.awaited() == Awaited::Head
    }
}
