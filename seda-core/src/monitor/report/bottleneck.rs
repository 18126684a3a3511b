//! Finds the stage that limits the graph.

use crate::config::units::{Millis, Percent};
use crate::monitor::report::{Bottleneck, Report};
use crate::monitor::{Monitor, Sample, StageSums};

/// Below this utilization events wait because of bursts, not because capacity is scarce.
const BUSY: f64 = 0.7;
/// A queue stands if its mean wait exceeds the mean service by this factor.
const STANDING: f64 = 2.0;

/// Returns the busiest stage above 70 % utilization that has a growing wait or a standing queue.
pub(super) fn find_bottleneck(
    report: &Report,
    monitor: &Monitor,
    then: &Sample,
) -> Option<Bottleneck> {
    let middle = monitor.window_middle();
    let stages = monitor.now.stages.indices().zip(&report.stages);
    let candidates = stages.filter(|(_, stage)| stage.utilization > BUSY);
    let mut evidence = candidates.filter_map(|(index, stage)| {
        let between = &middle.stages[index];
        let earlier = mean_wait(&then.stages[index], between);
        let recent = mean_wait(between, &monitor.now.stages[index])?;
        let service = stage.service_seconds.quantiles.mean?;
        let grows = earlier.is_some_and(|earlier| recent > earlier * 1.1);
        let stands = recent > STANDING * service && stage.queue.depth > 0;
        let how = match (grows, stands) {
            (true, _) => format!("its wait grew from {}", Millis(earlier.unwrap_or(0.0))),
            (false, true) => format!("its queue stands at {} events", stage.queue.depth),
            (false, false) => return None,
        };
        let why = format!(
            "utilization {}, {how}, wait {} for {} of service",
            Percent(stage.utilization),
            Millis(recent),
            Millis(service)
        );
        Some((stage.utilization, Bottleneck { stage: stage.name.clone(), why }))
    });
    let first = evidence.next()?;
    // Among equals the first wins, because it holds events back from the later ones.
    let busiest = evidence.fold(first, |best, next| if next.0 > best.0 { next } else { best });
    Some(busiest.1)
}

/// Returns the mean wait, in seconds, of events dequeued between two samples.
fn mean_wait(then: &StageSums, now: &StageSums) -> Option<f64> {
    now.wait.since(then.wait).mean_seconds()
}
