//! The ledger of requests: admitted = answered + lost + open.

use crate::config::{Class, PerClass};
use crate::event::LossReason;
use crate::gate::Admission;
use crate::platform::sync::{Arc, Mutex};
use crate::platform::{Clock, Time};
use crate::stats::Quantiles;

/// The figures of one book, counted where they happen; `open` is counted, not derived.
#[derive(Clone, Debug, Default)]
pub(crate) struct RequestCounts {
    pub(crate) admitted: u64,
    pub(crate) answered: u64,
    pub(crate) lost: [u64; LossReason::ALL.len()],
    pub(crate) open: u64,
    /// Seconds from birth to answer, by class.
    pub(crate) response: PerClass<Quantiles>,
}

/// One source's requests. Every source has its own, so that entries do not share a lock.
#[derive(Debug)]
pub(crate) struct RequestLedger {
    clock: Arc<dyn Clock>,
    /// The gates that its requests have passed.
    pub(super) admission: Arc<Admission>,
    figures: Mutex<RequestCounts>,
}

impl RequestLedger {
    pub(crate) fn new(clock: Arc<dyn Clock>, admission: Arc<Admission>) -> Self {
        Self { clock, admission, figures: Mutex::default() }
    }

    pub(super) fn admit(&self, _class: Class) {
        let mut figures = self.figures.lock();
        figures.admitted += 1;
        figures.open += 1;
    }

    pub(super) fn answer(&self, class: Class, birth: Time) {
        let response = self.clock.now().nanos_since(birth);
        let mut figures = self.figures.lock();
        figures.answered += 1;
        figures.open -= 1;
        if let Some(quantiles) = figures.response.get_mut(class.index()) {
            quantiles.record(response, 1);
        }
    }

    pub(super) fn lose(&self, _class: Class, reason: LossReason) {
        let mut figures = self.figures.lock();
        if let Some(count) = figures.lost.get_mut(reason as usize) {
            *count += 1;
        }
        figures.open -= 1;
    }

    /// Adds this book's figures to `sum`, as one consistent cut.
    pub(crate) fn add_to(&self, sum: &mut RequestCounts) {
        let figures = self.figures.lock();
        sum.admitted += figures.admitted;
        sum.answered += figures.answered;
        sum.open += figures.open;
        for (sum, lost) in sum.lost.iter_mut().zip(figures.lost) {
            *sum += lost;
        }
        for (sum, response) in sum.response.iter_mut().zip(&figures.response) {
            sum.add(response);
        }
    }
}
