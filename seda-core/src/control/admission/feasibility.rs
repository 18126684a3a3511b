//! Whether an SLO can be met at all.

use crate::platform::Time;
use std::time::Duration;

/// How long an SLO must look infeasible (or feasible again) before the change is reported. A stall
/// of the machine is shorter, and a report must not come at every tick.
const PERSISTENCE: Duration = Duration::from_secs(1);
/// An infeasible SLO counts as feasible again only if services take less than this share of it.
const FEASIBLE_BELOW: f64 = 0.8;

/// Whether the services of a stage, or of all stages on a route, alone exceed the SLO of a class.
/// No limit, number of workers or batch size changes that.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Feasibility {
    infeasible: bool,
    /// Since when it has looked different.
    differs_since: Option<Time>,
}

impl Feasibility {
    /// Compares the seconds of `service` with the seconds of the `slo`. Returns the new state when
    /// it changes: true if the SLO is infeasible.
    pub(crate) fn judge(&mut self, service: f64, slo: f64, now: Time) -> Option<bool> {
        let differs = if self.infeasible { service < slo * FEASIBLE_BELOW } else { service >= slo };
        if !differs {
            self.differs_since = None;
            return None;
        }
        let since = *self.differs_since.get_or_insert(now);
        if now.since(since) < PERSISTENCE {
            return None;
        }
        *self = Self { infeasible: !self.infeasible, differs_since: None };
        Some(self.infeasible)
    }

    /// Returns whether the SLO is infeasible.
    pub(crate) fn is_infeasible(&self) -> bool {
        self.infeasible
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The changes reported for these services and an SLO of one second, one every 600 ms.
    fn reported<const N: usize>(services: [f64; N]) -> [Option<bool>; N] {
        let (mut feasibility, mut millis) = (Feasibility::default(), 0);
        services.map(|service| {
            millis += 600;
            feasibility.judge(service, 1.0, Time::from_nanos(millis * 1_000_000))
        })
    }

    #[test]
    fn a_lasting_change_is_reported_once_in_each_direction() {
        let (yes, no) = (Some(true), Some(false));
        assert_eq!(reported([2.0, 2.0, 2.0, 2.0, 2.0]), [None, None, yes, None, None]);
        assert_eq!(
            reported([2.0, 2.0, 2.0, 0.5, 0.5, 0.5, 0.5]),
            [None, None, yes, None, None, no, None]
        );
    }

    #[test]
    fn moments_and_services_near_the_slo_report_nothing() {
        assert_eq!(reported([2.0, 0.5, 2.0, 0.5, 2.0, 2.0]), [None; 6]);
        assert_eq!(reported([1.0, 1.0, 1.0, 0.9, 0.9, 0.9, 0.9, 1.1, 1.1])[3..], [None; 6]);
        assert_eq!(reported([f64::NAN; 4]), [None; 4]);
    }
}
