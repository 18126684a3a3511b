//! The looks of all graphs, counted by kind and load.

use crate::look::{Level, Look, Verdict};
use std::collections::BTreeMap;

/// A prediction within this of the measured rate is right.
const CLOSE: f64 = 0.1;

/// All looks, by kind of graph in the order of the runs.
#[derive(Debug, Default)]
pub(crate) struct Score {
    kinds: Vec<(&'static str, Vec<Look>)>,
}

impl Score {
    pub(crate) fn add(&mut self, kind: &'static str, looks: Vec<Look>) {
        match self.kinds.iter_mut().find(|(name, _)| *name == kind) {
            Some((_, all)) => all.extend(looks),
            None => self.kinds.push((kind, looks)),
        }
    }

    /// Prints the confusion table, and the sums.
    pub(crate) fn print(&self) {
        print!("{:<14}", "kind");
        for level in Level::ALL {
            print!("  {:<36}", format!("{}x: right, kind, error, answers", level.0));
        }
        println!();
        for (kind, looks) in &self.kinds {
            print!("{kind:<14}");
            for level in Level::ALL {
                print!("  {:<36}", cell(looks, level));
            }
            println!();
        }
        for level in Level::ALL {
            let looks = self.kinds.iter().flat_map(|(_, looks)| looks);
            print_sums(level, &looks.filter(|look| look.level == level).collect::<Vec<_>>());
        }
        self.print_holders();
    }

    fn print_holders(&self) {
        let looks = self.kinds.iter().flat_map(|(_, looks)| looks);
        let told: Vec<bool> = looks.filter_map(|look| look.is_holder_right).collect();
        let right = told.iter().filter(|right| **right).count();
        println!("holder of a std lock: right in {right} of {} looks", told.len());
    }
}

/// Returns the figures of one kind at one load: right of all, right kinds, the median error of the
/// full rate, and the answers.
fn cell(looks: &[Look], level: Level) -> String {
    let looks: Vec<&Look> = looks.iter().filter(|look| look.level == level).collect();
    let mut answers: BTreeMap<String, usize> = BTreeMap::new();
    for look in &looks {
        let stage = look.named.stage.as_deref().unwrap_or("");
        *answers.entry(format!("{} {stage}", look.named.kind)).or_default() += 1;
    }
    let mut answers: Vec<_> = answers.into_iter().collect();
    answers.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    let answers: Vec<String> = answers.into_iter().map(|(answer, _)| answer).collect();
    let kinds = looks.iter().filter(|look| look.is_kind_right == Some(true)).count();
    let errors: Vec<f64> =
        looks.iter().filter_map(|look| look.prediction).map(|p| p.error * 100.0).collect();
    let error = quantile(errors, 0.5);
    format!("{}/{} {kinds} {error:+.0} % {}", right(&looks), looks.len(), answers.join(", "))
}

fn right(looks: &[&Look]) -> usize {
    let is_right = |look: &&&Look| matches!(look.verdict, Verdict::Right | Verdict::Tied);
    looks.iter().filter(is_right).count()
}

fn print_sums(level: Level, looks: &[&Look]) {
    let count = |verdict| looks.iter().filter(|look| look.verdict == verdict).count();
    println!(
        "{}x: right {} of {} ({} tied), wrong stage {}, wrong none {}, cannot tell {}, wrong alarm \
         {}",
        level.0,
        right(looks),
        looks.len(),
        count(Verdict::Tied),
        count(Verdict::WrongStage),
        count(Verdict::WrongNone),
        count(Verdict::CannotTell),
        count(Verdict::WrongAlarm),
    );
    if level.is_calm() {
        return;
    }
    let kinds: Vec<bool> = looks.iter().filter_map(|look| look.is_kind_right).collect();
    let kinds_right = kinds.iter().filter(|right| **right).count();
    let predictions: Vec<_> = looks.iter().filter_map(|look| look.prediction).collect();
    let close = predictions.iter().filter(|p| p.error.abs() <= CLOSE).count();
    let covered = predictions.iter().filter(|p| p.is_covered).count();
    let errors = predictions.iter().map(|p| p.error.abs() * 100.0).collect();
    let widths = predictions.iter().map(|p| p.width * 50.0).collect();
    println!(
        "    kind right {kinds_right} of {}; full rate within 10 %: {close} of {}, error median \
         {:.1} %, p90 {:.1} %; interval covers {covered}, half a width median {:.1} %",
        kinds.len(),
        predictions.len(),
        quantile(errors, 0.5),
        quantile(predictions.iter().map(|p| p.error.abs() * 100.0).collect(), 0.9),
        quantile(widths, 0.5),
    );
}

/// Returns the quantile of these figures; NaN of none.
fn quantile(mut figures: Vec<f64>, share: f64) -> f64 {
    figures.sort_by(f64::total_cmp);
    let place = (figures.len() as f64 * share) as usize;
    figures.get(place.min(figures.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}
