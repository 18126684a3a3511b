//! Recorded arrivals, with the demand of each request.

use super::bounds::{LONGEST, check_seconds};
use super::error::SpecError;
use super::moments::Moments;

/// Recorded arrivals. A trace that repeats begins anew at time 0, so the time before its first
/// arrival passes again.
///
/// ```
/// use seda_sim::spec::Trace;
///
/// let trace = Trace::new(vec![0.0, 1.0, 3.0], vec![0.5, 1.5, 1.0]);
/// assert_eq!((trace.period(), trace.mean_rate()), (4.5, 3.0 / 4.5));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// Arrival times in seconds since the beginning, ascending, at most 100 days.
    pub times: Vec<f64>,
    /// The demand of each request in seconds, at most an hour; empty if none were recorded.
    pub demands: Vec<f64>,
}

impl Trace {
    /// Returns a trace of arrival times, with the demand of each; both in seconds.
    pub fn new(times: Vec<f64>, demands: Vec<f64>) -> Self {
        Self { times, demands }
    }

    /// Reads one line for each arrival: its time in seconds, then a tab and its demand in seconds,
    /// which is read only `with_demands`.
    pub(super) fn parse(text: &str, with_demands: bool) -> Result<Self, SpecError> {
        let demands = if with_demands { read_column(text, 1, KEY)? } else { Vec::new() };
        Ok(Self { times: read_column(text, 0, KEY)?, demands })
    }

    /// Returns the seconds after which a repeated trace begins anew: one mean gap behind its last
    /// arrival. 0 if the trace is empty.
    pub fn period(&self) -> f64 {
        let (Some(first), Some(last)) = (self.times.first(), self.times.last()) else {
            return 0.0;
        };
        last + (last - first) / self.times.len().saturating_sub(1).max(1) as f64
    }

    /// Returns the mean number of arrivals per second; 0 if the trace has no length.
    pub fn mean_rate(&self) -> f64 {
        let period = self.period();
        if period > 0.0 { self.times.len() as f64 / period } else { 0.0 }
    }

    /// Returns the moments of the demands.
    pub(super) fn moments(&self) -> Moments {
        Moments::of_sample(&self.demands)
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.times.is_empty() {
            return Err(SpecError::value(KEY, "empty", "a file with a line for each request"));
        }
        let mut last = 0.0;
        for time in &self.times {
            if !(last..=LONGEST.as_secs_f64()).contains(time) {
                return Err(SpecError::value(KEY, time, "ascending times, 100 days at most"));
            }
            last = *time;
        }
        check_seconds(KEY, &self.demands)
    }
}

/// The key of a trace in errors.
const KEY: &str = "arrivals.trace";

/// Returns the number in one tab-separated column of each line. Empty lines and lines that begin
/// with `#` are skipped.
pub(super) fn read_column(text: &str, column: usize, key: &str) -> Result<Vec<f64>, SpecError> {
    let lines = text.lines().map(str::trim);
    let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| read_cell(line, column, key)).collect()
}

fn read_cell(line: &str, column: usize, key: &str) -> Result<f64, SpecError> {
    let cell = line.split('\t').nth(column).unwrap_or_default().trim();
    cell.parse().map_err(|_| {
        let found = if cell.is_empty() { line } else { cell };
        let allowed = format!("a number of seconds in column {} of each line", column + 1);
        SpecError::value(key, found, allowed)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_lasts_a_mean_gap_longer_than_its_last_arrival() {
        let trace = Trace::parse("# seconds\n0\t0.5\n1\t1.5\n\n3\t1.0\n", true).unwrap();
        assert_eq!((trace.period(), trace.mean_rate()), (4.5, 3.0 / 4.5));
        assert_eq!(trace.moments(), Moments { mean: 1.0, mean_square: 3.5 / 3.0 });
        assert_eq!(Trace::new(vec![0.0; 3], Vec::new()).mean_rate(), 0.0);
    }

    #[test]
    fn a_missing_demand_is_named_with_its_line_if_demands_are_read() {
        let error = Trace::parse("0\t0.5\n7\n", true).unwrap_err().to_string();
        assert!(error.contains("is 7; allowed: a number of seconds in column 2"), "{error}");
        assert!(Trace::parse("0\n7\tGET /\n", false).is_ok());
    }
}
