//! The progress line.

use super::output;
use crate::generator::{Observer, Progress};
use crate::report::outcome::Outcomes;
use crate::report::units::{percent, rate, seconds_or_dash};
use rustix::termios::tcgetwinsize;
use std::io::{self, IsTerminal};
use std::time::Duration;

/// The width of a file, and of a terminal that does not tell.
const COLUMNS: usize = 80;

/// The interval at which the line of a terminal is rewritten.
const ON_TERMINAL: Duration = Duration::from_millis(500);
/// The interval at which a file or a pipe gets a new line.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// Prints the progress of a run to standard error.
#[derive(Debug)]
pub(super) struct ProgressLine {
    label: String,
    interval: Duration,
    is_terminal: bool,
    /// When the last line was printed, since the run began.
    printed_at: Duration,
    /// The outcomes at that time.
    printed: Outcomes,
    is_shown: bool,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            label: String::new(),
            interval: if is_terminal { ON_TERMINAL } else { ELSEWHERE },
            is_terminal,
            printed_at: Duration::ZERO,
            printed: Outcomes::default(),
            is_shown: false,
        }
    }

    /// Removes the line from the terminal, and forgets the run.
    pub(super) fn clear(&mut self) {
        if self.is_terminal && std::mem::take(&mut self.is_shown) {
            output::show(&"\r\x1b[K");
        }
        self.printed_at = Duration::ZERO;
        self.printed = Outcomes::default();
    }

    /// Describes the time since the last line.
    fn describe(&self, progress: &Progress) -> String {
        let passed = progress.elapsed.saturating_sub(self.printed_at);
        let passed = passed.as_secs_f64().max(f64::MIN_POSITIVE);
        let now = &progress.outcomes;
        let scheduled = now.scheduled.saturating_sub(self.printed.scheduled);
        let refused = now.refused.saturating_sub(self.printed.refused);
        format!(
            "{}{}: {}, {} good, p99 {}, {} refused, {} under way",
            self.label,
            clock(progress),
            rate(scheduled as f64 / passed),
            rate(now.good.saturating_sub(self.printed.good) as f64 / passed),
            seconds_or_dash(progress.p99),
            percent(refused, scheduled),
            progress.under_way
        )
    }
}

/// Returns the passed and the whole time of a load: "3.2 of 10 s". A load of a minute or more shows
/// the time that is left, too.
fn clock(progress: &Progress) -> String {
    let (elapsed, planned) = (progress.elapsed.as_secs_f64(), progress.planned.as_secs_f64());
    let left = planned - elapsed;
    match planned {
        planned if planned >= 60.0 && left > 0.0 => {
            let minutes = (left / 60.0).floor();
            let seconds = (left - minutes * 60.0).floor();
            format!("{elapsed:.0} s, {minutes:.0}:{seconds:02.0} left")
        }
        planned => format!("{elapsed:.1} of {} s", (planned * 10.0).round() / 10.0),
    }
}

/// Returns the beginning of a line, at most `columns` characters.
fn cut(line: &str, columns: usize) -> &str {
    line.char_indices().nth(columns).and_then(|(end, _)| line.get(..end)).unwrap_or(line)
}

/// Returns the width of the terminal behind standard error.
fn columns() -> usize {
    let size = tcgetwinsize(io::stderr()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(COLUMNS)
}

impl Observer for ProgressLine {
    fn begins(&mut self, label: &str) {
        self.clear();
        label.clone_into(&mut self.label);
    }

    fn ends(&mut self) {
        self.clear();
    }

    fn progress(&mut self, progress: &Progress) {
        if progress.elapsed.saturating_sub(self.printed_at) < self.interval {
            return;
        }
        let line = self.describe(progress);
        if self.is_terminal {
            // The last column stays free: some terminals break a line there.
            let line = cut(&line, columns().saturating_sub(1));
            output::show(&format_args!("\r\x1b[K{line}"));
            self.is_shown = true;
        } else {
            output::tell(&cut(&line, COLUMNS));
        }
        self.printed_at = progress.elapsed;
        self.printed = progress.outcomes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_load_of_a_minute_shows_the_time_that_is_left() {
        let clock = |elapsed: f64, planned: u64| {
            clock(&Progress {
                elapsed: Duration::from_secs_f64(elapsed),
                planned: Duration::from_secs(planned),
                ..Progress::default()
            })
        };
        assert_eq!(clock(3.25, 10), "3.2 of 10 s");
        assert_eq!(clock(40.0, 125), "40 s, 1:25 left");
        assert_eq!(clock(0.5, 0), "0.5 of 0 s");
        assert_eq!(clock(126.0, 125), "126.0 of 125 s");
    }

    #[test]
    fn a_line_is_cut_between_characters() {
        assert_eq!((cut("abc", 3), cut("äbc", 2), cut("abc", 0)), ("abc", "äb", ""));
    }
}
