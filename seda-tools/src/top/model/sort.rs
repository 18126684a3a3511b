//! The orders of the stages.

use super::rows::StageRow;

/// The order of the stages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sort {
    /// From the entries on.
    #[default]
    Flow,
    Rate,
    Queue,
    Workers,
    Busy,
    Wait,
    Service,
    Refused,
    Shed,
}

/// All orders, in the order of the columns.
const SORTS: [Sort; 9] = [
    Sort::Flow,
    Sort::Rate,
    Sort::Queue,
    Sort::Workers,
    Sort::Busy,
    Sort::Wait,
    Sort::Service,
    Sort::Refused,
    Sort::Shed,
];

impl Sort {
    /// Puts stages, which come in the order of the flow, into this order: the highest first.
    pub(crate) fn apply(self, stages: &mut [StageRow<'_>]) {
        if self != Sort::Flow {
            stages.sort_by(|a, b| self.figure(b).total_cmp(&self.figure(a)));
        }
    }

    fn figure(self, stage: &StageRow<'_>) -> f64 {
        let figures = &stage.figures;
        let known = |time: Option<f32>| time.map_or(-1.0, f64::from);
        match self {
            Sort::Flow => 0.0,
            Sort::Rate => stage.rate(),
            Sort::Queue => stage.fill(),
            Sort::Workers => f64::from(figures.workers.busy_workers),
            Sort::Busy => f64::from(figures.workers.utilization),
            Sort::Wait => known(figures.wait.p99),
            Sort::Service => known(figures.service.p99),
            Sort::Refused => stage.per_second(figures.events.refused),
            Sort::Shed => stage.per_second(figures.events.shed),
        }
    }

    /// Returns the order of the next column, in a circle.
    pub(super) fn next(self) -> Self {
        self.after(1)
    }

    /// Returns the order of the column before, in a circle.
    pub(super) fn previous(self) -> Self {
        self.after(SORTS.len() - 1)
    }

    fn after(self, steps: usize) -> Self {
        let now = SORTS.iter().position(|sort| *sort == self).unwrap_or(0);
        SORTS.get((now + steps) % SORTS.len()).copied().unwrap_or_default()
    }
}
