//! Whether a row reaches what it should: each figure beside what is wanted of it.

use seda_tools::figures::seconds;
use seda_tools::sweep::Spread;
use serde::Serialize;

/// One line of the matrix.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    /// The cell's kind: rows of one kind have the same checks.
    pub(crate) kind: &'static str,
    /// The cell, with the load where it has several.
    pub(crate) name: String,
    /// What is wanted, and what came.
    pub(crate) checks: Vec<Check>,
    /// What else should be known of it.
    pub(crate) notes: Vec<String>,
}

/// A figure and what is wanted of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Check {
    /// What is measured.
    pub(crate) what: String,
    /// What came.
    pub(crate) figure: String,
    /// What is wanted.
    pub(crate) wanted: String,
    /// The same for programs, in seconds, per second or as a share; `None` if it is in words.
    pub(crate) spread: Option<Spread>,
    /// Whether it is so; `None` if it is shown and not judged.
    pub(crate) met: Option<bool>,
}

impl Row {
    /// Of a cell that could not be run.
    pub(crate) fn not_run(kind: &'static str, name: &str, why: &str) -> Self {
        let (name, notes) = (name.to_owned(), vec![format!("not run: {why}")]);
        Self { kind, name, checks: Vec::new(), notes }
    }

    /// Whether all of it is reached.
    pub(crate) fn is_met(&self) -> bool {
        self.checks.iter().all(|check| check.met != Some(false))
    }

    /// "met", "missed", or "not run".
    pub(crate) fn verdict(&self) -> &'static str {
        match self.is_met() {
            _ if self.checks.is_empty() => "not run",
            true => "met",
            false => "missed",
        }
    }
}

/// How a figure is written.
pub(crate) type Format = fn(f64) -> String;

/// A share or a ratio.
pub(crate) fn ratio(value: f64) -> String {
    format!("{value:.3}")
}

/// A share in percent, where thousandths count.
pub(crate) fn percent(value: f64) -> String {
    format!("{:.2} %", value * 100.0)
}

/// A number of things.
pub(crate) fn count(value: f64) -> String {
    format!("{value:.0}")
}

/// A time.
pub(crate) fn time(value: f64) -> String {
    seconds(value)
}

impl Check {
    /// The median is to be no less than `least`.
    pub(crate) fn at_least(what: &str, came: Option<Spread>, least: f64, format: Format) -> Self {
        let wanted = format!(">= {}", format(least));
        Self::of(what, came, wanted, format, |median| median >= least)
    }

    /// The median is to be no more than `most`.
    pub(crate) fn at_most(what: &str, came: Option<Spread>, most: f64, format: Format) -> Self {
        let wanted = format!("<= {}", format(most));
        Self::of(what, came, wanted, format, |median| median <= most)
    }

    /// The same figure, and nobody judges it.
    #[must_use]
    pub(crate) fn unjudged(self) -> Self {
        Self { met: None, wanted: "shown".to_owned(), ..self }
    }

    /// The same of something that may not have happened at all: then all is well.
    pub(crate) fn at_most_if_any(
        what: &str,
        came: Option<Spread>,
        most: f64,
        format: Format,
    ) -> Self {
        let met = came.is_none_or(|came| came.median <= most);
        Self { met: Some(met), ..Self::at_most(what, came, most, format) }
    }

    /// A time that may never have come.
    pub(crate) fn within(what: &str, came: Option<f64>, most: f64) -> Self {
        let figure = came.map_or("never".to_owned(), after);
        let met = Some(came.is_some_and(|came| came <= most));
        let (what, wanted) = (what.to_owned(), format!("<= {}", time(most)));
        Self { what, figure, wanted, spread: Spread::of(came), met }
    }

    /// A figure in words.
    pub(crate) fn plain(what: &str, figure: String, wanted: &str, met: bool) -> Self {
        let (what, wanted) = (what.to_owned(), wanted.to_owned());
        Self { what, figure, wanted, spread: None, met: Some(met) }
    }

    /// What was not measured is not reached.
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

/// Time after something.
pub(crate) fn after(seconds: f64) -> String {
    if seconds <= 0.0 { "at once".to_owned() } else { time(seconds) }
}

/// "0.98 (0.97 to 0.99)", or the median alone where there is no range.
pub(crate) fn range(spread: &Spread, format: Format) -> String {
    let (median, low, high) = (format(spread.median), format(spread.low), format(spread.high));
    if low == high { median } else { format!("{median} ({low} to {high})") }
}

/// Goodput beside the best peer's, round by round: no worse, if the median of the ratios is at
/// least 1 but for `tolerance`, to the thousandth that is printed: one request of a hundred is
/// 98/99. Their range does not excuse: the noisier a row was, the easier it would be to reach.
pub(crate) fn no_worse(ratios: Option<Spread>, tolerance: f64) -> bool {
    let thousandths = |ratio: f64| (ratio * 1_000.0).round();
    ratios.is_some_and(|ratios| thousandths(ratios.median) >= thousandths(1.0 - tolerance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(low: f64, median: f64, high: f64) -> Option<Spread> {
        Some(Spread { median, low, high })
    }

    #[test]
    fn the_median_decides_and_its_range_is_shown() {
        let check = Check::at_least("goodput", spread(0.95, 0.97, 0.99), 0.97, ratio);
        assert_eq!((check.met, check.figure.as_str()), (Some(true), "0.970 (0.950 to 0.990)"));
        assert_eq!(check.wanted, ">= 0.970");
        assert_eq!(Check::at_least("", spread(0.9, 0.96, 1.0), 0.97, ratio).met, Some(false));
        assert_eq!(Check::at_most("", spread(0.1, 0.2, 9.0), 0.2, time).met, Some(true));
        assert_eq!(Check::at_most("", spread(0.1, 0.3, 9.0), 0.2, time).met, Some(false));
    }

    #[test]
    fn what_was_not_measured_is_not_reached() {
        for check in [
            Check::at_least("", None, 0.0, ratio),
            Check::at_most("", None, 9.0, ratio),
            Check::within("", None, 9.0),
        ] {
            assert_eq!(check.met, Some(false), "{check:?}");
        }
    }

    #[test]
    fn what_need_not_have_happened_is_reached_without() {
        assert_eq!(Check::at_most_if_any("", None, 9.0, ratio).met, Some(true));
        assert_eq!(Check::at_most_if_any("", spread(8.0, 9.5, 10.0), 9.0, ratio).met, Some(false));
    }

    #[test]
    fn a_row_is_met_if_no_check_is_missed_and_what_is_shown_does_not_count() {
        let good = Check::within("back", Some(0.0), 1.0);
        let bad = Check::within("back", None, 1.0);
        let row = |checks| Row { kind: "", name: String::new(), checks, notes: Vec::new() };
        assert_eq!(row(vec![good.clone(), bad.clone().unjudged()]).verdict(), "met");
        assert_eq!(row(vec![good.clone(), bad]).verdict(), "missed");
        assert_eq!(good.figure, "at once");
    }

    #[test]
    fn no_worse_is_a_median_of_one_but_for_the_tolerance() {
        assert!(no_worse(spread(0.98, 1.01, 1.02), 0.0));
        assert!(no_worse(spread(0.995, 0.995, 0.995), 0.01), "one round, as good as equal");
        assert!(no_worse(spread(0.98, 98.0 / 99.0, 1.0), 0.01), "as it is printed");
        assert!(!no_worse(spread(0.98, 0.98, 0.98), 0.01));
        assert!(!no_worse(None, 1.0));
    }

    #[test]
    fn a_lucky_round_makes_nobody_no_worse() {
        assert!(!no_worse(spread(0.5, 0.6, 1.0), 0.01));
        assert!(!no_worse(spread(0.95, 0.98, 3.0), 0.01));
    }
}
