//! The exit codes of the program.

use std::process::ExitCode;

/// How a command ended. An error before or instead of a result has exit code 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// The command was carried out.
    Success,
    /// The result is not the wanted one: an `--assert` does not hold, or nothing was answered.
    NotAsWanted,
    /// The generator could not keep its schedule: the load was not the one asked for.
    ScheduleNotKept,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
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
