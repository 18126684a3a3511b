//! Which stage limits the graph.

use crate::monitor::report::{Bottleneck, Report};
use crate::monitor::{Monitor, Sample, StageSums};

/// Below this utilization waits come from bursts, not from a lack of capacity.
const BUSY: f64 = 0.7;
/// A wait that is longer than service by this factor comes from a queue that does not empty.
const STANDING: f64 = 2.0;

/// The busiest stage above 70 % utilization whose wait grows, or whose queue stands.
pub(super) fn find_bottleneck(
    report: &Report,
    monitor: &Monitor,
    then: &Sample,
) -> Option<Bottleneck> {
    let middle = monitor.window_middle();
    let candidates = report.stages.iter().enumerate().filter(|(_, stage)| stage.utilization > BUSY);
    let mut evidence = candidates.filter_map(|(index, stage)| {
        let now = monitor.now.stages.get(index)?;
        let earlier = mean_wait(then.stages.get(index)?, middle.stages.get(index)?);
        let recent = mean_wait(middle.stages.get(index)?, now)?;
        let service = stage.service_seconds.quantiles.mean?;
        let grows = earlier.is_some_and(|earlier| recent > earlier * 1.1);
        let stands = recent > STANDING * service && stage.queue.depth > 0;
        let how = match (grows, stands) {
            (true, _) => format!("its wait grew from {:.1} ms", earlier.unwrap_or(0.0) * 1e3),
            (false, true) => format!("its queue stands at {} events", stage.queue.depth),
            (false, false) => return None,
        };
        let why = format!(
            "utilization {:.0} %, {how}, wait {:.1} ms for {:.1} ms of service",
            stage.utilization * 100.0,
            recent * 1e3,
            service * 1e3
        );
        Some((stage.utilization, Bottleneck { stage: stage.name.clone(), why }))
    });
    let first = evidence.next()?;
    // Among equals the first: what it holds back never reaches those behind it.
    let busiest = evidence.fold(first, |best, next| if next.0 > best.0 { next } else { best });
    Some(busiest.1)
}

/// Mean wait, in seconds, of events taken between two samples.
fn mean_wait(then: &StageSums, now: &StageSums) -> Option<f64> {
    let taken = now.wait.1.checked_sub(then.wait.1).filter(|taken| *taken > 0)?;
    Some(now.wait.0.saturating_sub(then.wait.0) as f64 / taken as f64 / 1e9)
}
