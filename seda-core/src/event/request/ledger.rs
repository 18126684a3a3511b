//! The ledger of requests: admitted = answered + lost + open.

use crate::config::{Class, PerClass};
use crate::event::loss::{LossCounts, LossReason};
use crate::gate::Admission;
use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Clock, Time};
use crate::stats::Quantiles;

/// The figures of one ledger. Each is counted where it happens; `open` is not derived either.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestCounts {
    pub(crate) admitted: u64,
    pub(crate) answered: u64,
    pub(crate) lost: LossCounts,
    pub(crate) open: u64,
    /// Seconds from birth to answer, by class.
    pub(crate) response: PerClass<Quantiles>,
}

/// The requests of one source. Each source has a ledger of its own, so that entries share no lock.
#[derive(Debug)]
pub(crate) struct RequestLedger {
    clock: Arc<dyn Clock>,
    /// The gates of the graph.
    pub(super) admission: Arc<Admission>,
    figures: Mutex<RequestCounts>,
}

impl RequestLedger {
    pub(crate) fn new(clock: Arc<dyn Clock>, admission: Arc<Admission>) -> Self {
        Self { clock, admission, figures: Mutex::default() }
    }

    pub(super) fn now(&self) -> Time {
        self.clock.now()
    }

    pub(super) fn admit(&self) {
        let mut figures = self.figures.lock();
        figures.admitted += 1;
        figures.open += 1;
    }

    pub(super) fn answer(&self, class: Class, birth: Time) {
        let response = self.clock.now().nanos_since(birth);
        let mut figures = self.figures.lock();
        figures.answered += 1;
        figures.close_one();
        figures.response[class].record(response, 1);
    }

    pub(super) fn lose(&self, reason: LossReason) {
        let mut figures = self.figures.lock();
        figures.lost.add(reason, 1);
        figures.close_one();
    }

    /// Adds the figures to `sum`, as one consistent cut.
    pub(crate) fn add_to(&self, sum: &mut RequestCounts) {
        let figures = self.figures.lock();
        sum.admitted += figures.admitted;
        sum.answered += figures.answered;
        sum.open += figures.open;
        sum.lost.add_all(&figures.lost);
        for (sum, response) in sum.response.iter_mut().zip(&figures.response) {
            sum.add(response);
        }
    }
}

impl RequestCounts {
    fn close_one(&mut self) {
        debug_assert!(self.open > 0, "more requests resolved than admitted");
        self.open -= 1;
    }
}
