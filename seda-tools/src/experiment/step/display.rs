//! The step for people.

use super::report::{PartReport, Recovery, StepReport};
use crate::experiment::sweep::Spread;
use crate::report::Bin;
use crate::report::units::{rate, seconds};
use std::fmt;

/// Lines of the time series on a screen; the page and the JSON have every bin.
const LINES: usize = 40;
/// Width of the bars.
const BAR: usize = 40;

impl fmt::Display for StepReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.kept_schedule {
            writeln!(out, "THE SCHEDULE WAS NOT KEPT in some run: this is not the load asked for")?;
        }
        let slo = seconds(self.slo_seconds);
        writeln!(out, "{} ({}), {} runs pooled, SLO {slo}", self.name, self.url, self.repeats)?;
        self.series(out)?;
        self.parts.iter().try_for_each(|part| writeln!(out, "{part}"))?;
        self.recoveries.iter().try_for_each(|recovery| writeln!(out, "{recovery}"))
    }
}

impl StepReport {
    /// Good answers over time as bars, several bins to a line.
    fn series(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.bins.len().div_ceil(LINES).max(1);
        let most = self.bins.chunks(group).map(|bins| self.rates(bins).0).fold(1.0, f64::max);
        writeln!(out, "{:>8}  good (#) of offered (.), worst p99 of the bins", "")?;
        for bins in self.bins.chunks(group) {
            let (offered, good) = self.rates(bins);
            let width = |rate: f64| (rate / most * BAR as f64).round() as usize;
            let bar = format!("{}{}", "#".repeat(width(good)), dots(width(offered), width(good)));
            let from = bins.first().map_or(0.0, |bin| bin.from_seconds);
            let p99 = bins.iter().filter_map(|bin| bin.p99).max_by(f64::total_cmp);
            let p99 = p99.map_or("-".to_owned(), seconds);
            writeln!(out, "{from:>6.2} s  {bar:<BAR$} {:>8} {p99:>9}", rate(good))?;
        }
        Ok(())
    }

    /// Offered and good per second of one run, on average.
    fn rates(&self, bins: &[Bin]) -> (f64, f64) {
        let seconds: f64 = bins.iter().map(|bin| bin.seconds).sum();
        let over =
            |count: u64| count as f64 / (seconds * self.repeats as f64).max(f64::MIN_POSITIVE);
        let offered = bins.iter().map(|bin| bin.outcomes.scheduled).sum();
        (over(offered), over(bins.iter().map(|bin| bin.outcomes.good).sum()))
    }
}

fn dots(offered: usize, good: usize) -> String {
    ".".repeat(offered.saturating_sub(good))
}

impl fmt::Display for PartReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |spread: Option<Spread>| match spread {
            Some(s) => format!("{} ({} to {})", seconds(s.median), seconds(s.low), seconds(s.high)),
            None => "-".to_owned(),
        };
        let good = self.goodput_per_second;
        write!(
            out,
            "{:<16} good {} ({} to {}), p99 {}",
            self.name,
            rate(good.median),
            rate(good.low),
            rate(good.high),
            time(self.p99)
        )
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = |time: Option<f64>| match time {
            Some(time) => format!("after {time:.2} s"),
            None => "not before the part ended".to_owned(),
        };
        write!(
            out,
            "{} at {:.1} s: p99 within the SLO {}; goodput back at 97 % {}",
            self.change,
            self.at_seconds,
            after(self.p99_within_slo_after),
            after(self.goodput_back_after)
        )
    }
}
