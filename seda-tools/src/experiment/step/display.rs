//! The report of a step as text.

use super::report::{PartReport, Recovery, StepReport};
use crate::report::Bin;
use crate::report::units::{rate, seconds, seconds_or_dash};
use std::fmt;

/// Lines of the time series in the text; the page and the JSON have every bin.
const LINES: usize = 40;
/// Width of the bars in characters.
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

/// Mean rates over some bins, per second of one run.
struct Rates {
    offered: f64,
    good: f64,
}

impl StepReport {
    /// Writes goodput over time as bars, several bins to a line.
    fn series(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = self.bins.len().div_ceil(LINES).max(1);
        let most = self.bins.chunks(group).map(|bins| self.rates(bins).offered).fold(1.0, f64::max);
        writeln!(out, "{:>8}  good (#) of offered (.), worst p99 of the bins", "")?;
        for bins in self.bins.chunks(group) {
            let rates = self.rates(bins);
            let good = bar_width(rates.good, most);
            let refused = bar_width(rates.offered, most).saturating_sub(good);
            let bar = format!("{}{}", "#".repeat(good), ".".repeat(refused));
            let from = bins.first().map_or(0.0, |bin| bin.from_seconds);
            let p99 = bins.iter().filter_map(|bin| bin.p99).max_by(f64::total_cmp);
            let (goodput, p99) = (rate(rates.good), seconds_or_dash(p99));
            writeln!(out, "{from:>6.2} s  {bar:<BAR$} {goodput:>8} {p99:>9}")?;
        }
        Ok(())
    }

    fn rates(&self, bins: &[Bin]) -> Rates {
        let seconds: f64 = bins.iter().map(|bin| bin.seconds).sum();
        let run_seconds = (seconds * self.repeats as f64).max(f64::MIN_POSITIVE);
        let offered: u64 = bins.iter().map(|bin| bin.outcomes.scheduled).sum();
        let good: u64 = bins.iter().map(|bin| bin.outcomes.good).sum();
        Rates { offered: offered as f64 / run_seconds, good: good as f64 / run_seconds }
    }
}

fn bar_width(rate: f64, most: f64) -> usize {
    (rate / most * BAR as f64).round() as usize
}

impl fmt::Display for PartReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:<16} good {}", self.name, self.goodput_per_second.describe(rate))?;
        self.main_quantiles().into_iter().try_for_each(|(name, spread)| {
            let spread = spread.map_or("-".to_owned(), |spread| spread.describe(seconds));
            write!(out, ", {name} {spread}")
        })
    }
}

impl fmt::Display for Recovery {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{} at {:.1} s: p99 within the SLO {}; goodput back at 97 % {}",
            self.change,
            self.at_seconds,
            describe_delay(self.p99_within_slo_after),
            describe_delay(self.goodput_back_after)
        )
    }
}

fn describe_delay(seconds: Option<f64>) -> String {
    match seconds {
        Some(seconds) => format!("after {seconds:.2} s"),
        None => "not before the part ended".to_owned(),
    }
}
