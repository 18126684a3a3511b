//! Arrivals as they were recorded, and what each of them demanded.

use super::check::{LONGEST, SpecError};
use super::demand::check_seconds;

/// Recorded arrivals. What passes before the first passes again each time that it begins anew.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Trace {
    /// Seconds since the beginning, ascending.
    pub times: Vec<f64>,
    /// What each request demands in seconds; none if that was not recorded.
    pub demands: Vec<f64>,
}

impl Trace {
    /// A trace of arrivals, each with its demand; both in seconds.
    pub fn new(times: Vec<f64>, demands: Vec<f64>) -> Self {
        Self { times, demands }
    }

    /// Reads a line for each arrival: seconds, and behind a tab the demand if that is wanted.
    pub(super) fn parse(text: &str, with_demands: bool) -> Result<Self, SpecError> {
        let column = |n| column(text, n, "arrivals.trace");
        let demands = if with_demands { column(1)? } else { Vec::new() };
        Ok(Self { times: column(0)?, demands })
    }

    /// After how many seconds it begins anew: a mean gap behind its last arrival.
    pub fn period(&self) -> f64 {
        let (Some(first), Some(last)) = (self.times.first(), self.times.last()) else {
            return 0.0;
        };
        last + (last - first) / self.times.len().saturating_sub(1).max(1) as f64
    }

    /// Arrivals per second.
    pub fn mean_rate(&self) -> f64 {
        let period = self.period();
        if period > 0.0 { self.times.len() as f64 / period } else { 0.0 }
    }

    /// First and second moment of the demands.
    pub(super) fn moments(&self) -> (f64, f64) {
        let n = self.demands.len().max(1) as f64;
        let squares = self.demands.iter().map(|demand| demand * demand).sum::<f64>();
        (self.demands.iter().sum::<f64>() / n, squares / n)
    }

    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.times.is_empty() {
            return Err(SpecError::value("arrivals.trace", "empty", "a file with a line for each"));
        }
        let mut last = 0.0;
        for time in &self.times {
            if !(last..=LONGEST.as_secs_f64()).contains(time) {
                let allowed = "ascending times, 100 days at most";
                return Err(SpecError::value("arrivals.trace", time, allowed));
            }
            last = *time;
        }
        check_seconds("arrivals.trace", &self.demands)
    }
}

/// The number in one column of each line; empty lines and those that begin with `#` are passed
/// over.
pub(super) fn column(text: &str, column: usize, key: &str) -> Result<Vec<f64>, SpecError> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.filter(|line| !line.starts_with('#'));
    let number = |line: &str| {
        let cell = line.split('\t').nth(column).unwrap_or_default().trim();
        let words = if cell.is_empty() { line } else { cell };
        cell.parse().map_err(|_| {
            let allowed = format!("a number of seconds in column {} of each line", column + 1);
            SpecError::value(key, words, allowed)
        })
    };
    lines.map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_lasts_a_mean_gap_longer_than_its_last_arrival() {
        let trace = Trace::parse("# seconds\n0\t0.5\n1\t1.5\n\n3\t1.0\n", true).unwrap();
        assert_eq!((trace.period(), trace.mean_rate()), (4.5, 3.0 / 4.5));
        assert_eq!(trace.moments(), (1.0, 3.5 / 3.0));
        assert_eq!(Trace::new(vec![0.0; 3], Vec::new()).mean_rate(), 0.0);
    }

    #[test]
    fn a_demand_that_is_missing_is_named() {
        let error = Trace::parse("0\t0.5\n7\n", true).unwrap_err().to_string();
        assert!(error.contains("is 7; allowed is a number of seconds in column 2"), "{error}");
        assert!(Trace::parse("0\n7\tGET /\n", false).is_ok(), "only what is wanted is read");
    }
}
