//! The progress line.

use crate::generator::{Observer, Progress};
use crate::report::outcome::Outcomes;
use crate::report::units::{percent, rate, seconds};
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// A terminal's line is rewritten this often.
const ON_TERMINAL: Duration = Duration::from_millis(500);
/// A file or a pipe gets a line of its own this often.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// Prints how a run is getting on to standard error.
#[derive(Debug)]
pub(super) struct ProgressLine {
    label: String,
    every: Duration,
    is_terminal: bool,
    last: (Duration, Outcomes),
    is_shown: bool,
}

impl ProgressLine {
    pub(super) fn new() -> Self {
        let is_terminal = io::stderr().is_terminal();
        Self {
            label: String::new(),
            every: if is_terminal { ON_TERMINAL } else { ELSEWHERE },
            is_terminal,
            last: (Duration::ZERO, Outcomes::default()),
            is_shown: false,
        }
    }

    /// Takes the line off the terminal.
    pub(super) fn clear(&mut self) {
        if self.is_terminal && std::mem::take(&mut self.is_shown) {
            eprint!("\r\x1b[K");
        }
        self.last = (Duration::ZERO, Outcomes::default());
    }

    fn words(&self, progress: &Progress) -> String {
        let (then, before) = self.last;
        let passed = progress.elapsed.saturating_sub(then).as_secs_f64().max(f64::MIN_POSITIVE);
        let now = &progress.outcomes;
        let scheduled = now.scheduled.saturating_sub(before.scheduled);
        let refused = now.refused.saturating_sub(before.refused);
        format!(
            "{}{:.1} s: {} offered, {} good, p99 {}, {} refused, {} under way",
            self.label,
            progress.elapsed.as_secs_f64(),
            rate(scheduled as f64 / passed),
            rate(now.good.saturating_sub(before.good) as f64 / passed),
            progress.p99.map_or("-".to_owned(), seconds),
            percent(refused, scheduled),
            progress.under_way
        )
    }
}

impl Observer for ProgressLine {
    fn begins(&mut self, words: &str) {
        self.clear();
        words.clone_into(&mut self.label);
    }

    fn ends(&mut self) {
        self.clear();
    }

    fn progress(&mut self, progress: &Progress) {
        if progress.elapsed.saturating_sub(self.last.0) < self.every {
            return;
        }
        let words = self.words(progress);
        if self.is_terminal {
            eprint!("\r\x1b[K{words}");
            let _ = io::stderr().flush();
            self.is_shown = true;
        } else {
            eprintln!("{words}");
        }
        self.last = (progress.elapsed, progress.outcomes);
    }
}
