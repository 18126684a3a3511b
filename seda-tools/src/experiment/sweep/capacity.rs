//! The capacity of a server: the loads of a sweep are multiples of it.
//!
//! A closed loop finds a first value: with few clients, even a server that collapses under overload
//! is not overloaded. Open loops around this value then find C, because C is defined as the best
//! goodput of an open loop.

use super::error::{NoCapacity, SweepError};
use super::plan::{Load, Rig, SweepPlan};
use super::settle::settle;
use crate::load::plan::Pace;
use crate::report::outcome::{Outcome, Outcomes};
use std::time::Duration;

/// Clients of the closed loops. The highest number keeps a server busy that has some hundred
/// workers which only wait.
const CLIENTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// The length of a closed loop's measured part, and of its warm-up.
const CLOSED: Duration = Duration::from_millis(400);
/// The factor by which goodput has to grow in one of the last two steps; else the search ends.
const GROWTH: f64 = 1.05;
/// The first open loops, as multiples of the closed loops' result. The best goodput lies where the
/// queue is seldom empty and answers are not yet late.
const KNEE: [f64; 3] = [0.9, 1.0, 1.1];
/// The factor between further open loops, if the server served the highest one of [`KNEE`] whole:
/// clients that wait for each other may use less than the server has.
const FURTHER: f64 = 1.25;
/// The most further open loops: the last one is four times the closed loops' result.
const MOST_FURTHER: usize = 6;
/// The share of the offered load from which a server served it whole.
const WHOLE: f64 = 0.97;
/// The longest measured part of an open loop around the knee.
const OPEN: Duration = Duration::from_secs(2);

/// The result of a probe, in good answers per second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probed {
    /// The base of the multiples: `best`, or the closed loops' result if `best` is 0.
    pub(super) knee: f64,
    /// The best goodput of an open loop around the knee. The round's capacity is the maximum of
    /// this and the goodput of its loads.
    pub(super) best: f64,
}

/// Probes a server; `None` if the probe was interrupted.
pub(super) fn probe<R: Rig>(
    plan: &SweepPlan,
    rig: &mut R,
    prefix: &str,
    round: u32,
) -> Result<Option<Probed>, SweepError<R::Error>> {
    let Some(busy) = probe_closed(rig, prefix, round)? else {
        return Ok(None);
    };
    let highest = KNEE.into_iter().fold(0.0, f64::max);
    let further = std::iter::successors(Some(highest * FURTHER), |share| Some(share * FURTHER));
    let mut best = 0.0_f64;
    for share in KNEE.into_iter().chain(further.take(MOST_FURTHER)) {
        // More is offered only to a server that served the highest load so far.
        if share > highest && best < WHOLE * busy * share / FURTHER {
            break;
        }
        let load = plan.open(busy * share, plan.duration.min(OPEN), round)?;
        let label = format!("{prefix}knee, {:.0}/s: ", busy * share);
        let report = rig.run(&label, &load).map_err(SweepError::Rig)?.load;
        if report.interrupted {
            return Ok(None);
        }
        best = best.max(report.goodput_per_second);
        settle(rig, plan.pause, prefix, round)?;
    }
    // A server that loses all its goodput at the knee still has the goodput of the closed loops.
    Ok(Some(Probed { knee: if best > 0.0 { best } else { busy }, best }))
}

/// Returns the best goodput of closed loops with a growing number of clients; `None` if
/// interrupted.
fn probe_closed<R: Rig>(
    rig: &mut R,
    prefix: &str,
    round: u32,
) -> Result<Option<f64>, SweepError<R::Error>> {
    let mut best = 0.0_f64;
    let mut steps_without_growth = 0;
    for clients in CLIENTS {
        let pace = Pace::Closed { clients, think: Duration::ZERO, duration: CLOSED };
        let load = Load { pace, warm_up: CLOSED, cool_down: Duration::ZERO, round };
        let label = format!("{prefix}probe, {clients} clients: ");
        let report = rig.run(&label, &load).map_err(SweepError::Rig)?.load;
        if report.interrupted {
            return Ok(None);
        }
        if clients == 1 && report.outcomes.good == 0 {
            return Err(NoCapacity { ends: describe(&report.outcomes) }.into());
        }
        let grew = report.goodput_per_second > best * GROWTH;
        steps_without_growth = if grew { 0 } else { steps_without_growth + 1 };
        best = best.max(report.goodput_per_second);
        if steps_without_growth == 2 {
            break;
        }
    }
    Ok(Some(best))
}

/// Lists the outcomes that occurred: "7 wrong, 2 timed out".
fn describe(outcomes: &Outcomes) -> String {
    let occurred = Outcome::ALL.iter().filter(|outcome| outcomes.of(**outcome) > 0);
    let counts: Vec<String> =
        occurred.map(|outcome| format!("{} {outcome}", outcomes.of(*outcome))).collect();
    if counts.is_empty() { "none ended".to_owned() } else { counts.join(", ") }
}
