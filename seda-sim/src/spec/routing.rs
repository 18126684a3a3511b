//! Ways between stages: each stage is come to, and from each there is a way out.

use super::check::SpecError;
use super::stage::StageSpec;

/// What rounding leaves of shares that add up to 1.
const ROUNDING: f64 = 1e-9;

/// # Errors
/// A stage that nothing comes to, or one that nothing ever leaves the graph from.
pub(super) fn check(stages: &[StageSpec]) -> Result<(), SpecError> {
    let key = |stage: &StageSpec, what: &str| format!("stage.{}{what}", stage.name);
    let place = |name: &str| stages.iter().position(|stage| stage.name == name);
    let next: Vec<Vec<usize>> = stages
        .iter()
        .map(|stage| stage.routes.iter().filter_map(|route| place(&route.to)).collect())
        .collect();
    let reached = spread(&next, |stage| stage == 0);
    if let Some((stage, _)) = stages.iter().zip(&reached).find(|(_, reached)| !**reached) {
        let allowed = "one that a route leads to; requests enter at the first";
        return Err(SpecError::value(key(stage, ""), "never visited", allowed));
    }
    let mut before = vec![Vec::new(); stages.len()];
    for (stage, next) in next.iter().enumerate() {
        for to in next {
            if let Some(before) = before.get_mut(*to) {
                before.push(stage);
            }
        }
    }
    let ends = |stage: &StageSpec| {
        stage.routes.iter().map(|route| route.share).sum::<f64>() < 1.0 - ROUNDING
    };
    let ending = spread(&before, |stage| stages.get(stage).is_some_and(ends));
    match stages.iter().zip(&ending).find(|(_, ends)| !**ends) {
        Some((stage, _)) => Err(SpecError::value(
            key(stage, ".routes"),
            "a circle that nothing leaves",
            "shares that leave something over on the way, which is answered",
        )),
        None => Ok(()),
    }
}

/// What is reached from where it starts, a step at a time.
fn spread(next: &[Vec<usize>], starts: impl Fn(usize) -> bool) -> Vec<bool> {
    let mut reached = vec![false; next.len()];
    let mut open: Vec<usize> = (0..next.len()).filter(|place| starts(*place)).collect();
    while let Some(place) = open.pop() {
        if let Some(reached) = reached.get_mut(place).filter(|reached| !**reached) {
            *reached = true;
            open.extend(next.get(place).into_iter().flatten());
        }
    }
    reached
}
