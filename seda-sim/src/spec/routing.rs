//! The routes as a whole: every stage is reached, and from every stage a request can be answered.

use super::error::SpecError;
use super::stage::StageSpec;

/// The most by which rounding lowers shares that add up to 1.
const ROUNDING: f64 = 1e-9;

/// Checks that a route leads to every stage, and that from every stage some request is answered.
pub(super) fn check(stages: &[StageSpec]) -> Result<(), SpecError> {
    let next = successors(stages);
    let entry = stages.first().map(|_| 0);
    let reached = reachable(&next, entry.into_iter().collect());
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
    Ok(())
}

/// Returns whether the stage answers a share of its events.
fn answers(stage: &StageSpec) -> bool {
    stage.routes.iter().map(|route| route.share).sum::<f64>() < 1.0 - ROUNDING
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
