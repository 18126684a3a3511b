//! How much a server can do: the loads of a sweep are multiples of it.
//!
//! A closed loop finds it first: with few clients even a server that collapses under an overload
//! is not overloaded. Then open loops around what it found, since C is the best goodput that an
//! open loop gets.

use super::rounds::{Load, Rig, SweepError, SweepPlan};
use crate::load::plan::Pace;
use crate::report::outcome::{Outcome, Outcomes};
use std::time::Duration;
use thiserror::Error;

/// Clients of the closed loops. The most is what it takes to keep a server of some hundred workers
/// busy that only wait.
const CLIENTS: [u32; 10] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
/// Each closed loop is measured for so long, after as much again for warming up.
const CLOSED: Duration = Duration::from_millis(400);
/// More clients are tried as long as one of the last two steps brought so much.
const GROWTH: f64 = 1.05;
/// Open loops are tried at these multiples of what the closed ones found: their best goodput lies
/// where the queue is seldom empty and answers are not yet late.
const KNEE: [f64; 3] = [0.9, 1.0, 1.1];
/// An open loop around the knee is measured no longer than this.
const OPEN: Duration = Duration::from_secs(2);

/// What a probe found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probed {
    /// What the loads are multiples of: the best goodput of an open loop around the knee.
    pub(super) knee: f64,
    /// The same, to be compared with what the loads of the round come to.
    pub(super) best: f64,
}

/// There is no capacity to take multiples of.
#[derive(Debug, Error)]
#[error(
    "the server gave no good answer to a single client ({ends}): there is no capacity to take multiples of; check the URL, --expect and --slo"
)]
#[non_exhaustive]
pub struct NoCapacity {
    /// What became of its requests.
    ends: String,
}

/// Probes a server; `None` if it was interrupted.
pub(super) fn probe<R: Rig>(
    plan: &SweepPlan,
    rig: &mut R,
    words: &str,
    round: u32,
) -> Result<Option<Probed>, SweepError<R::Error>> {
    let Some(busy) = closed(rig, words, round)? else {
        return Ok(None);
    };
    let mut best = 0.0_f64;
    for share in KNEE {
        let load = plan.open(busy * share, plan.duration.min(OPEN), round)?;
        let label = format!("{words}knee, {:.0}/s: ", busy * share);
        let report = rig.run(&label, &load).map_err(SweepError::Rig)?.load;
        if report.interrupted {
            return Ok(None);
        }
        best = best.max(report.goodput_per_second);
        super::rounds::settle(rig, plan.rest, words, round)?;
    }
    // A server that loses all its goodput at the knee still has what a few clients got.
    Ok(Some(Probed { knee: if best > 0.0 { best } else { busy }, best }))
}

/// The best goodput of closed loops of more and more clients.
fn closed<R: Rig>(
    rig: &mut R,
    words: &str,
    round: u32,
) -> Result<Option<f64>, SweepError<R::Error>> {
    let (mut best, mut fruitless) = (0.0_f64, 0);
    for clients in CLIENTS {
        let pace = Pace::Closed { clients, think: Duration::ZERO, duration: CLOSED };
        let load = Load { pace, warm_up: CLOSED, cool_down: Duration::ZERO, round };
        let label = format!("{words}probe, {clients} clients: ");
        let report = rig.run(&label, &load).map_err(SweepError::Rig)?.load;
        if report.interrupted {
            return Ok(None);
        }
        if clients == 1 && report.outcomes.good == 0 {
            return Err(NoCapacity { ends: ends(&report.outcomes) }.into());
        }
        fruitless = if report.goodput_per_second > best * GROWTH { 0 } else { fruitless + 1 };
        best = best.max(report.goodput_per_second);
        if fruitless == 2 {
            break;
        }
    }
    Ok(Some(best))
}

fn ends(outcomes: &Outcomes) -> String {
    let some = Outcome::ALL.iter().filter(|outcome| outcomes.of(**outcome) > 0);
    let words: Vec<_> =
        some.map(|outcome| format!("{} {outcome}", outcomes.of(*outcome))).collect();
    if words.is_empty() { "none ended".to_owned() } else { words.join(", ") }
}
