//! The exit codes of the program.

use super::output;
use crate::report::outcome::Outcomes;
use std::process::ExitCode;

/// How a command ended. An error before or instead of a result has exit code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The command was carried out.
    Success,
    /// The result is not the wanted one: an `--assert` does not hold, nothing was answered, or all
    /// answers were wrong.
    NotAsWanted,
    /// The generator could not keep its schedule: the load was not the one asked for.
    ScheduleNotKept,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// Returns the exit of a load that was run as planned: it is not as wanted if nothing was
    /// answered, or every answer was wrong. Then tells so.
    pub(super) fn of_answers(outcomes: &Outcomes) -> Self {
        let Outcomes { scheduled, good, late, refused, wrong, .. } = *outcomes;
        match good + late + refused {
            0 if wrong > 0 => {
                output::tell(
                    &"every answer was wrong: check the URL, or name the status in --expect",
                );
                Exit::NotAsWanted
            }
            0 if scheduled > 0 => {
                output::tell(&"not one request was answered");
                Exit::NotAsWanted
            }
            _ => Exit::Success,
        }
    }

    pub(super) fn code(self) -> ExitCode {
        ExitCode::from(match self {
            Exit::Success => 0,
            Exit::NotAsWanted => 1,
            Exit::ScheduleNotKept => 3,
            // As shells report a program that SIGINT ended.
            Exit::Interrupted => 130,
        })
    }
}
