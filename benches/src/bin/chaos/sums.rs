//! The counts of a run.

use crate::world::World;
use seda_core::Report;
use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::Ordering::SeqCst;

/// Sums over generations: the counts of events and clients, and those of the graphs' last reports.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sums {
    accepted: u64,
    refused: u64,
    begun: u64,
    lost: u64,
    admitted: u64,
    answered: u64,
    unanswered: u64,
    abandoned: u64,
    stalls: u64,
    reported: [u64; 4],
    pub(crate) scrapes: u64,
}

impl Sums {
    pub(crate) fn add_world(&mut self, world: &World) {
        let (fates, clients) = (&world.fates, &world.clients);
        self.accepted += fates.accepted.load(SeqCst);
        self.refused += fates.refused.load(SeqCst);
        self.begun += fates.begun.load(SeqCst);
        self.lost += fates.lost();
        self.admitted += clients.admitted.load(SeqCst);
        self.answered += clients.answered.load(SeqCst);
        self.unanswered += clients.lost.load(SeqCst);
        self.abandoned += clients.abandoned.load(SeqCst);
        self.stalls += world.stall.stalls.load(SeqCst);
    }

    pub(crate) fn add_report(&mut self, report: &Report) {
        let events = &report.events;
        let [accepted, handled, failed, shed] = &mut self.reported;
        *accepted += events.accepted;
        *handled += events.handled;
        *failed += events.failed;
        *shed += events.shed;
    }

    /// True if every accepted event was begun or lost, and every admitted request was answered,
    /// lost or abandoned.
    pub(crate) fn add_up(&self) -> bool {
        let resolved = self.answered + self.unanswered + self.abandoned;
        self.accepted == self.begun + self.lost && self.admitted == resolved
    }
}

impl AddAssign for Sums {
    fn add_assign(&mut self, other: Self) {
        let [accepted, handled, failed, shed] = other.reported;
        let [a, h, f, s] = self.reported;
        *self = Self {
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            begun: self.begun + other.begun,
            lost: self.lost + other.lost,
            admitted: self.admitted + other.admitted,
            answered: self.answered + other.answered,
            unanswered: self.unanswered + other.unanswered,
            abandoned: self.abandoned + other.abandoned,
            stalls: self.stalls + other.stalls,
            reported: [a + accepted, h + handled, f + failed, s + shed],
            scrapes: self.scrapes + other.scrapes,
        };
    }
}

impl fmt::Display for Sums {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [accepted, handled, failed, shed] = self.reported;
        writeln!(
            f,
            "events: {} accepted = {} begun + {} lost; {} refused",
            self.accepted, self.begun, self.lost, self.refused
        )?;
        writeln!(
            f,
            "requests: {} admitted = {} answered + {} lost + {} abandoned",
            self.admitted, self.answered, self.unanswered, self.abandoned
        )?;
        writeln!(
            f,
            "last reports: {accepted} accepted, {handled} handled, {failed} failed, {shed} shed"
        )?;
        write!(f, "{} consistent scrapes; {} stuck handlers", self.scrapes, self.stalls)
    }
}
