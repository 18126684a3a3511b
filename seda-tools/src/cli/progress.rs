//! The progress line.

use crate::generator::{Observer, Progress};
use crate::report::outcome::Outcomes;
use crate::report::units::{percent, rate, seconds_or_dash};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

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
            eprint!("\r\x1b[K");
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
            "{}{:.1} s: {} offered, {} good, p99 {}, {} refused, {} under way",
            self.label,
            progress.elapsed.as_secs_f64(),
            rate(scheduled as f64 / passed),
            rate(now.good.saturating_sub(self.printed.good) as f64 / passed),
            seconds_or_dash(progress.p99),
            percent(refused, scheduled),
            progress.under_way
        )
    }
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
            eprint!("\r\x1b[K{line}");
            let _ = io::stderr().flush();
            self.is_shown = true;
        } else {
            eprintln!("{line}");
        }
        self.printed_at = progress.elapsed;
        self.printed = progress.outcomes;
    }
}
