//! From the lines of a text to a trace.

use super::format::{Format, Record};
use super::lines::Lines;
use super::targets::Targets;
use super::timeline::Timeline;
use super::{LineFault, Trace, TraceError, WorkScale};
use std::io::BufRead;

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Reading {
    scale: WorkScale,
    timeline: Timeline,
    targets: Targets,
    taken: u64,
    skipped: u64,
}

impl Reading {
    pub(super) fn new(scale: WorkScale) -> Result<Self, TraceError> {
        let scale = scale.check()?;
        let (timeline, targets) = (Timeline::new(), Targets::default());
        Ok(Self { scale, timeline, targets, taken: 0, skipped: 0 })
    }

    pub(super) fn read(mut self, name: &str, text: impl BufRead) -> Result<Trace, TraceError> {
        let file = || name.to_owned();
        let mut lines = Lines::new(name, text);
        let mut known = None;
        while let Some(line) = lines.next()? {
            let at = |fault: LineFault| TraceError::Line { file: file(), line: line.number, fault };
            let format = match &known {
                Some(format) => format,
                None => {
                    let format =
                        known.insert(Format::recognise(line.text, self.scale).map_err(at)?);
                    if format.has_header() {
                        continue;
                    }
                    format
                }
            };
            let record = format.read(line.text).map_err(at)?;
            self.take(record)
                .ok_or_else(|| TraceError::TooManyTargets { file: file(), line: line.number })?;
        }
        match (self.taken, self.skipped) {
            (0, 0) => Err(TraceError::Empty { file: file() }),
            (0, skipped) => Err(TraceError::AllSkipped { file: file(), skipped }),
            _ => Ok(self.finish()),
        }
    }

    /// Adds what a line says; `None` if there are too many distinct requests.
    fn take(&mut self, record: Record) -> Option<()> {
        let Some(target) = record.target else {
            self.skipped += 1;
            return Some(());
        };
        let number = self.targets.number(target)?;
        self.timeline.push(record.stamp, number);
        self.taken += 1;
        Some(())
    }

    fn finish(self) -> Trace {
        let (entries, targets) = (self.timeline.finish(), self.targets.finish());
        Trace { entries, targets, skipped: self.skipped }
    }
}
