//! The locks: how long each is held per second, and by which stages.

use crate::monitor::report::diagnosis::flow::Flows;
use crate::monitor::report::{LockReport, Report};

/// Contended looks that are enough to blame a lock and to tell its holder.
const ENOUGH_LOOKS: u64 = 25;

/// The demand for one lock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LockDemand {
    pub(super) name: String,
    /// The stages, by their places in the report, and the part of time that each would hold the
    /// lock under the offered flow.
    pub(super) parts: Vec<(usize, f64)>,
    /// The part of time in which it was held.
    pub(super) used: f64,
    /// The relative standard error of that part.
    pub(super) error: f64,
}

/// Returns the demands for the locks with samples enough.
pub(super) fn lock_demands(report: &Report, flows: &Flows) -> Vec<LockDemand> {
    let seen = report.locks.iter().filter(|lock| lock.contended >= ENOUGH_LOOKS);
    seen.filter_map(|lock| demand(report, flows, lock)).collect()
}

fn demand(report: &Report, flows: &Flows, lock: &LockReport) -> Option<LockDemand> {
    // A lock is seen only while a worker waits for it: that is while it is held and wanted once
    // more. For random arrivals the part of time with two users or more is the square of the part
    // with one or more (M/M/1), and both are 1 under overload.
    let contended = lock.contended as f64 / lock.looks.max(1) as f64;
    let used = contended.min(1.0).sqrt();
    let error = ((1.0 - contended).max(0.0) / lock.contended.max(1) as f64).sqrt() / 2.0;
    let held: f64 = lock.users.iter().map(|user| user.holding).sum();
    if held <= 0.0 {
        return None;
    }
    let parts = lock.users.iter().filter_map(|user| {
        let place = report.stages.iter().position(|stage| stage.name == user.stage)?;
        let window = &report.stages.get(place)?.last_ten_seconds;
        let served = (window.served + window.failed) as f64 / window.seconds;
        let offered = flows.per_second.get(place).copied().unwrap_or(0.0);
        (served > 0.0).then(|| (place, used * user.holding / held * offered / served))
    });
    let parts: Vec<(usize, f64)> = parts.collect();
    let holder = report.stages.get(parts.first()?.0)?;
    Some(LockDemand { name: format!("{} of {}", lock.object, holder.name), parts, used, error })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::report::{LockUser, StageReport, StageWindow};

    fn stage(name: &str, served: u64) -> StageReport {
        let window = StageWindow { seconds: 10.0, served, ..StageWindow::default() };
        StageReport { name: name.to_owned(), last_ten_seconds: window, ..StageReport::default() }
    }

    fn user(stage: &str, holding: f64) -> LockUser {
        LockUser { stage: stage.to_owned(), waiting: 100, holding }
    }

    fn report(contended: u64) -> Report {
        Report {
            stages: vec![stage("read", 1_000), stage("write", 1_000)],
            locks: vec![LockReport {
                object: "lock at 7f00".to_owned(),
                looks: 250,
                contended,
                users: vec![
                    user("write", 0.8 * contended as f64),
                    user("read", 0.2 * contended as f64),
                ],
            }],
            ..Report::default()
        }
    }

    fn flows(per_second: f64) -> Flows {
        Flows {
            entering: per_second,
            entered: 1_000,
            seconds: 10.0,
            per_second: vec![per_second; 2],
        }
    }

    #[test]
    fn a_lock_that_is_always_contended_is_full_at_the_rate_that_it_serves() {
        let [lock] = &lock_demands(&report(250), &flows(150.0))[..] else { panic!("one lock") };
        assert_eq!((lock.used, lock.name.as_str()), (1.0, "lock at 7f00 of write"));
        let [(1, write), (0, read)] = lock.parts[..] else { panic!("write holds it: {lock:?}") };
        // One and a half times the requests that are served would hold it for 150 % of the time.
        assert!((write - 1.2).abs() < 1e-9 && (read - 0.3).abs() < 1e-9, "{write} {read}");
    }

    #[test]
    fn a_lock_with_few_samples_is_no_resource() {
        assert!(lock_demands(&report(24), &flows(100.0)).is_empty());
        assert_eq!(lock_demands(&report(25), &flows(100.0)).len(), 1);
    }
}
