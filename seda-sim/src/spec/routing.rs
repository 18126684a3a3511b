//! The routes as a whole: every stage is reached, from every stage a request can be answered, and
//! no circle multiplies its events.

use super::beside::TimerSpec;
use super::capacity::visits;
use super::error::SpecError;
use super::stage::StageSpec;

/// The most by which rounding lowers shares that add up to 1.
const ROUNDING: f64 = 1e-9;
/// The most mean visits of a request to one stage.
const MOST_VISITS: f64 = 1e6;

/// Checks that a route leads to every stage, and that from every stage some request is answered.
pub(super) fn check(stages: &[StageSpec], timers: &[TimerSpec]) -> Result<(), SpecError> {
    let next = successors(stages);
    let is_begun = |(index, stage): &(usize, &StageSpec)| {
        *index == 0 || timers.iter().any(|timer| timer.stage == stage.name)
    };
    let begun = stages.iter().enumerate().filter(is_begun).map(|(index, _)| index).collect();
    let reached = reachable(&next, begun);
    if let Some((stage, _)) = stages.iter().zip(&reached).find(|(_, reached)| !**reached) {
        let allowed = "one that a route leads to; requests enter at the first";
        return Err(SpecError::value(format!("stage.{}", stage.name), "never visited", allowed));
    }
    // Backwards from the stages that answer: a stage that is not met never ends a request.
    let answering = stages.iter().enumerate().filter(|(_, stage)| answers(stage));
    let answering = answering.map(|(index, _)| index).collect();
    let ending = reachable(&reversed(&next), answering);
    if let Some((stage, _)) = stages.iter().zip(&ending).find(|(_, ends)| !**ends) {
        return Err(SpecError::value(
            stage.key("routes"),
            "a circle that nothing leaves",
            "shares below 1 somewhere on the circle, so that the rest is answered",
        ));
    }
    check_visits(stages)
}

/// Checks that copies on a circle do not become ever more.
fn check_visits(stages: &[StageSpec]) -> Result<(), SpecError> {
    for start in 0..stages.len() {
        let visits = visits(stages, start);
        let most = stages.iter().zip(visits).max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((stage, visits)) = most
            && visits > MOST_VISITS
        {
            let value = format!("a circle that multiplies events, {visits:.0} visits");
            return Err(SpecError::value(
                stage.key("routes"),
                value,
                "1000000 visits of a request",
            ));
        }
    }
    Ok(())
}

/// Returns whether the stage answers a share of its events.
fn answers(stage: &StageSpec) -> bool {
    stage.onward() < 1.0 - ROUNDING
}

/// Returns the indices of the next stages, by stage.
fn successors(stages: &[StageSpec]) -> Vec<Vec<usize>> {
    let mut next = Vec::with_capacity(stages.len());
    for stage in stages {
        let targets = stage.routes.iter();
        let targets = targets.filter_map(|route| stages.iter().position(|s| s.name == route.to));
        next.push(targets.collect());
    }
    next
}

/// Returns the same edges from their ends to their beginnings.
fn reversed(next: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut before = vec![Vec::new(); next.len()];
    for (from, targets) in next.iter().enumerate() {
        for to in targets {
            if let Some(before) = before.get_mut(*to) {
                before.push(from);
            }
        }
    }
    before
}

/// Returns, by stage, whether it can be reached from one of `open`.
fn reachable(next: &[Vec<usize>], mut open: Vec<usize>) -> Vec<bool> {
    let mut reached = vec![false; next.len()];
    while let Some(index) = open.pop() {
        if let Some(reached) = reached.get_mut(index)
            && !*reached
        {
            *reached = true;
            open.extend(next.get(index).into_iter().flatten());
        }
    }
    reached
}
