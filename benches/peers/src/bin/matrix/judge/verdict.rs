//! The verdict on a row: each figure beside its target.

use seda_tools::sweep::Spread;
use seda_tools::units::seconds;
use serde::Serialize;

/// One line of the matrix.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// The cell's kind. Rows of one kind have the same checks.
    pub(crate) kind: &'static str,
    /// The cell's name, with the load if the cell has several.
    pub(crate) name: String,
    /// Each figure with its target.
    pub(crate) checks: Vec<Check>,
    /// Remarks to print below the table.
    pub(crate) notes: Vec<String>,
}

/// A figure and its target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    /// The name of the figure.
    pub(crate) what: String,
    /// The figure as text.
    pub(crate) figure: String,
    /// The target as text.
    pub(crate) wanted: String,
    /// The figure for programs, in seconds, per second or as a share; `None` if it is in words.
    pub(crate) spread: Option<Spread>,
    /// True if the target is met; `None` if the figure is shown without a verdict.
    pub(crate) met: Option<bool>,
}

impl Row {
    /// Returns the row of a cell that could not be run.
    pub(crate) fn not_run(kind: &'static str, name: &str, why: &str) -> Self {
        let notes = vec![format!("not run: {why}")];
        Self { kind, name: name.to_owned(), checks: Vec::new(), notes }
    }

    /// True if no check is missed.
    pub(crate) fn is_met(&self) -> bool {
        self.checks.iter().all(|check| check.met != Some(false))
    }

    /// Returns the row with its figures shown and none judged, and says why.
    #[must_use]
    pub(crate) fn unjudged(mut self, why: String) -> Self {
        self.checks = self.checks.into_iter().map(Check::unjudged).collect();
        self.notes.insert(0, why);
        self
    }

    /// Returns "met", "missed", "shown" if no figure is judged, or "not run".
    pub(crate) fn verdict(&self) -> &'static str {
        match self.is_met() {
            _ if self.checks.is_empty() => "not run",
            _ if self.checks.iter().all(|check| check.met.is_none()) => "shown",
            true => "met",
            false => "missed",
        }
    }
}

/// Turns a figure into text.
pub(crate) type Format = fn(f64) -> String;

/// Shows a share or a ratio with three decimals.
pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

/// Shows a share in percent with two decimals.
pub(crate) fn percent(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// Shows a whole number.
pub(crate) fn count(value: f64) -> String {
    format!("{value:.0}")
}

/// Shows a time, given in seconds.
pub(crate) fn time(value: f64) -> String {
    seconds(value)
}

impl Check {
    /// Returns a check that is met if the median is at least `least`.
    pub(crate) fn at_least(what: &str, came: Option<Spread>, least: f64, format: Format) -> Self {
        let wanted = format!(">= {}", format(least));
        Self::of(what, came, wanted, format, |median| median >= least)
    }

    /// Returns a check that is met if the median is at most `most`.
    pub(crate) fn at_most(what: &str, came: Option<Spread>, most: f64, format: Format) -> Self {
        let wanted = format!("<= {}", format(most));
        Self::of(what, came, wanted, format, |median| median <= most)
    }

    /// Returns the same figure without a verdict.
    #[must_use]
    pub(crate) fn unjudged(self) -> Self {
        Self { met: None, wanted: "shown".to_owned(), ..self }
    }

    /// Returns the same as [`at_most`](Self::at_most), and met if there is no figure at all.
    pub(crate) fn at_most_if_any(
        what: &str,
        came: Option<Spread>,
        most: f64,
        format: Format,
    ) -> Self {
        let met = came.is_none_or(|came| came.median <= most);
        Self { met: Some(met), ..Self::at_most(what, came, most, format) }
    }

    /// Returns the place of a check that this row has no figure for: rows of one kind have the same
    /// columns.
    pub(crate) fn absent(what: &str) -> Self {
        let (figure, wanted) = ("-".to_owned(), "shown".to_owned());
        Self { what: what.to_owned(), figure, wanted, spread: None, met: None }
    }

    /// Returns a check that no single figure is above `most`, as of counts that must be 0.
    pub(crate) fn never_above(what: &str, came: Option<Spread>, most: f64, format: Format) -> Self {
        let met = came.is_some_and(|came| came.high <= most);
        Self { met: Some(met), ..Self::at_most(what, came, most, format) }
    }

    /// Returns a check of a time in seconds; `None` is an event that never happened.
    pub(crate) fn within(what: &str, came: Option<f64>, most: f64) -> Self {
        let figure = came.map_or("never".to_owned(), after);
        let met = Some(came.is_some_and(|came| came <= most));
        let wanted = format!("<= {}", time(most));
        Self { what: what.to_owned(), figure, wanted, spread: Spread::of(came), met }
    }

    /// Returns a check of a figure in words.
    pub(crate) fn plain(what: &str, figure: String, wanted: &str, met: bool) -> Self {
        let (what, wanted) = (what.to_owned(), wanted.to_owned());
        Self { what, figure, wanted, spread: None, met: Some(met) }
    }

    /// A figure that was not measured misses its target.
    fn of(
        what: &str,
        came: Option<Spread>,
        wanted: String,
        format: Format,
        met: impl Fn(f64) -> bool,
    ) -> Self {
        let figure = came.map_or("none".to_owned(), |spread| range(&spread, format));
        let met = Some(came.is_some_and(|spread| met(spread.median)));
        Self { what: what.to_owned(), figure, wanted, spread: came, met }
    }
}

/// Returns the spread of all figures; `None` without any. [`Spread::of`] leaves out infinite ones,
/// which would hide the rounds in which a server gave no answer.
pub(crate) fn spread_of_all(figures: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = figures.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let lower = *sorted.get((sorted.len().max(1) - 1) / 2)?;
    let upper = *sorted.get(sorted.len() / 2)?;
    let (low, high) = (*sorted.first()?, *sorted.last()?);
    Some(Spread { median: (lower + upper) / 2.0, low, high })
}

/// Shows a multiple of a rival's p99 with two decimals; an infinite one is that of no answer.
pub(crate) fn multiple(value: f64) -> String {
    if value.is_finite() { format!("{value:.2}") } else { "no answer".to_owned() }
}

/// Shows the seconds after a moment; "at once" for none.
pub(crate) fn after(seconds: f64) -> String {
    if seconds <= 0.0 { "at once".to_owned() } else { time(seconds) }
}

/// Shows "0.98 (0.97 to 0.99)", or the median alone if the range is empty.
pub(crate) fn range(spread: &Spread, format: Format) -> String {
    let (median, low, high) = (format(spread.median), format(spread.low), format(spread.high));
    if low == high { median } else { format!("{median} ({low} to {high})") }
}

/// True if the median of the ratios to the best rival, round by round, is at least
/// `1 - tolerance`.
///
/// Both are rounded to the thousandths that are printed: one request fewer of 99 is 98/99, and
/// passes at 0.01. The range is no excuse, or a noisier row would be easier to meet.
pub(crate) fn no_worse(ratios: Option<Spread>, tolerance: f64) -> bool {
    ratios.is_some_and(|ratios| thousandths(ratios.median) >= thousandths(1.0 - tolerance))
}

fn thousandths(ratio: f64) -> f64 {
    (ratio * 1_000.0).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(low: f64, median: f64, high: f64) -> Option<Spread> {
        Some(Spread { median, low, high })
    }

    #[test]
    fn the_median_decides_and_the_range_is_shown() {
        let check = Check::at_least("goodput", spread(0.95, 0.97, 0.99), 0.97, ratio);
        assert_eq!((check.met, check.figure.as_str()), (Some(true), "0.970 (0.950 to 0.990)"));
        assert_eq!(check.wanted, ">= 0.970");
        assert_eq!(Check::at_least("", spread(0.9, 0.96, 1.0), 0.97, ratio).met, Some(false));
        assert_eq!(Check::at_most("", spread(0.1, 0.2, 9.0), 0.2, time).met, Some(true));
        assert_eq!(Check::at_most("", spread(0.1, 0.3, 9.0), 0.2, time).met, Some(false));
    }

    #[test]
    fn a_figure_that_was_not_measured_misses_its_target() {
        for check in [
            Check::at_least("", None, 0.0, ratio),
            Check::at_most("", None, 9.0, ratio),
            Check::within("", None, 9.0),
        ] {
            assert_eq!(check.met, Some(false), "{check:?}");
        }
    }

    #[test]
    fn a_figure_of_optional_events_is_met_without_any() {
        assert_eq!(Check::at_most_if_any("", None, 9.0, ratio).met, Some(true));
        assert_eq!(Check::at_most_if_any("", spread(8.0, 9.5, 10.0), 9.0, ratio).met, Some(false));
    }

    #[test]
    fn a_row_is_met_if_no_judged_check_is_missed() {
        let good = Check::within("back", Some(0.0), 1.0);
        let bad = Check::within("back", None, 1.0);
        let row = |checks| Row { kind: "", name: String::new(), checks, notes: Vec::new() };
        assert_eq!(row(vec![good.clone(), bad.clone().unjudged()]).verdict(), "met");
        assert_eq!(row(vec![good.clone(), bad]).verdict(), "missed");
        assert_eq!(good.figure, "at once");
    }

    #[test]
    fn rounds_without_an_answer_count_in_a_spread_of_all() {
        let most = spread_of_all([1.1, f64::INFINITY, f64::INFINITY]);
        let check = Check::at_most("p99", most, 1.3, multiple);
        assert_eq!(check.met, Some(false));
        assert_eq!(check.figure, "no answer (1.10 to no answer)");
        let one = spread_of_all([1.1, f64::INFINITY, 1.2]);
        assert_eq!(Check::at_most("p99", one, 1.3, multiple).met, Some(true));
        assert_eq!(spread_of_all([1.0, 2.0]), spread(1.0, 1.5, 2.0));
        assert_eq!(spread_of_all([]), None);
    }

    #[test]
    fn a_count_that_must_be_zero_is_judged_by_its_worst_round() {
        let refused = |high| Check::never_above("refused", spread(0.0, 0.0, high), 0.0, count);
        assert_eq!((refused(0.0).met, refused(1.0).met), (Some(true), Some(false)));
        assert_eq!(Check::never_above("refused", None, 0.0, count).met, Some(false));
    }

    #[test]
    fn a_row_without_a_judged_check_is_neither_met_nor_missed() {
        let bad = Check::within("back", None, 1.0);
        let row = Row { kind: "", name: String::new(), checks: vec![bad], notes: Vec::new() };
        let row = row.unjudged("the generator was late".to_owned());
        assert_eq!(
            (row.verdict(), row.notes),
            ("shown", vec!["the generator was late".to_owned()])
        );
    }

    #[test]
    fn no_worse_is_a_median_of_one_less_the_tolerance() {
        assert!(no_worse(spread(0.98, 1.01, 1.02), 0.0));
        assert!(no_worse(spread(0.995, 0.995, 0.995), 0.01), "one round within the tolerance");
        assert!(no_worse(spread(0.98, 98.0 / 99.0, 1.0), 0.01), "rounded as printed");
        assert!(!no_worse(spread(0.98, 0.98, 0.98), 0.01));
        assert!(!no_worse(None, 1.0));
    }

    #[test]
    fn a_lucky_round_does_not_make_a_server_no_worse() {
        assert!(!no_worse(spread(0.5, 0.6, 1.0), 0.01));
        assert!(!no_worse(spread(0.95, 0.98, 3.0), 0.01));
    }
}
