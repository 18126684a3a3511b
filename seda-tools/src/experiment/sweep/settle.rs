//! Waits until a server has worked off the last load.

use super::error::SweepError;
use super::plan::{Load, Pause, Rig};
use crate::load::plan::Pace;
use std::time::Duration;

/// How long a single client tries whether the server has settled.
const TRIAL: Duration = Duration::from_millis(250);

/// Waits until a single client is served within the SLO; returns the seconds that this took.
pub(crate) fn settle<R: Rig>(
    rig: &mut R,
    pause: Pause,
    label: &str,
    round: u32,
) -> Result<f64, SweepError<R::Error>> {
    let pace = Pace::Closed { clients: 1, think: Duration::from_millis(5), duration: TRIAL };
    let load = Load { pace, warm_up: Duration::ZERO, cool_down: Duration::ZERO, round };
    let mut waited = Duration::ZERO;
    while waited < pause.most {
        let tried = rig.run(&format!("{label}settling: "), &load).map_err(SweepError::Rig)?;
        let outcomes = tried.load.outcomes;
        if tried.load.interrupted || outcomes.good == outcomes.scheduled {
            break;
        }
        waited += tried.elapsed.max(TRIAL);
    }
    rig.pause(pause.least);
    Ok(waited.as_secs_f64())
}
