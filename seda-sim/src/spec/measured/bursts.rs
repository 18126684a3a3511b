//! The bursts of measured arrivals.
//!
//! A source that is on and off by turns, for exponential times, and Poisson while it is on
//! (Heffes & Lucantoni 1986 for two rates) has three figures: its mean rate λ, its rate while on,
//! and the time constant T of its changes, 1/T = 1/on + 1/off. With x = tick/T, the counts of a
//! tick have
//!
//! ```text
//! variance / mean - 1            = 2 (peak - λ) T (1 - (1 - e^-x) / x)
//! covariance of neighbours / mean = (peak - λ) T (1 - e^-x)² / x
//! ```
//!
//! The ratio of both falls with x alone, from 1 to 0. It gives x, and then each equation the peak.

use super::entries::Entry;
use crate::spec::{ArrivalsSpec, Process};
use seda_core::Report;
use std::time::Duration;

/// Up to this dispersion a hundred ticks of Poisson arrivals are told from bursts only by chance:
/// its standard error is 0.14.
const CHANCE: f64 = 1.5;
/// The longest time constant in ticks: a longer one does not show in a window of a hundred ticks.
const LONGEST: f64 = 50.0;
/// The shortest time constant in ticks: below it the neighbours of a tick say nothing.
const SHORTEST: f64 = 0.05;
/// Halvings that exhaust the precision of an `f64`.
const HALVINGS: u32 = 60;

/// Returns the arrivals of all entries, with the bursts of the busiest.
pub(super) fn arrivals(report: &Report, entries: &[Entry<'_>], rate: f64) -> ArrivalsSpec {
    let plain = ArrivalsSpec { rate: Some(rate), ..ArrivalsSpec::default() };
    let busiest = entries.iter().max_by_key(|entry| entry.offered);
    let stage =
        busiest.and_then(|busiest| report.stages.iter().find(|stage| stage.name == busiest.stage));
    let window = stage.map(|stage| &stage.last_ten_seconds);
    let figures = window.and_then(|window| window.dispersion.zip(window.bursts));
    let bursts =
        figures.filter(|(dispersion, _)| *dispersion > CHANCE).and_then(|(dispersion, bursts)| {
            Bursts::fit(rate, dispersion, bursts.persistence, bursts.tick_seconds)
        });
    match bursts {
        None => plain,
        Some(bursts) => ArrivalsSpec {
            process: Process::OnOff,
            rate: Some(bursts.peak),
            on: Some(bursts.on),
            off: Some(bursts.off),
            ..plain
        },
    }
}

/// A source that is on and off by turns.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bursts {
    /// Requests per second while it is on.
    peak: f64,
    on: Duration,
    off: Duration,
}

impl Bursts {
    /// Returns the source of these figures; `None` if they are of no source that is off at times.
    fn fit(rate: f64, dispersion: f64, persistence: f64, tick: f64) -> Option<Self> {
        let excess = dispersion - 1.0;
        let ratio = persistence / excess;
        // The ratio falls with x: bisect for it between the shortest and the longest time constant.
        let (mut low, mut high) = (1.0 / LONGEST, 1.0 / SHORTEST);
        for _ in 0..HALVINGS {
            let middle = (low + high) / 2.0;
            *if ratio_at(middle) > ratio { &mut low } else { &mut high } = middle;
        }
        let x = (low + high) / 2.0;
        let constant = tick / x;
        let above = excess / (2.0 * constant * (1.0 - (1.0 - (-x).exp()) / x));
        let peak = rate + above;
        let share = rate / peak;
        let on = Duration::try_from_secs_f64(constant / (1.0 - share)).ok()?;
        let off = Duration::try_from_secs_f64(constant / share).ok()?;
        let is_source = share > 0.0 && share < 1.0 && !on.is_zero() && !off.is_zero();
        is_source.then_some(Self { peak, on, off })
    }
}

/// Returns the covariance of neighbouring ticks over the excess of the variance.
fn ratio_at(x: f64) -> f64 {
    let grown = 1.0 - (-x).exp();
    grown * grown / (2.0 * (x - grown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_found_again_from_its_two_figures() {
        for (peak, on, off) in [(900.0, 0.3, 0.6), (400.0, 0.05, 0.05), (2_000.0, 1.0, 3.0)] {
            let (rate, constant) = (peak * on / (on + off), on * off / (on + off));
            let x: f64 = 0.1 / constant;
            let grown = 1.0 - (-x).exp();
            let excess = 2.0 * (peak - rate) * constant * (1.0 - grown / x);
            let persistence = (peak - rate) * constant * grown * grown / x;
            let found = Bursts::fit(rate, 1.0 + excess, persistence, 0.1).unwrap();
            let close = |found: f64, expected: f64| (found / expected - 1.0).abs() < 1e-6;
            assert!(close(found.peak, peak), "{found:?}");
            assert!(close(found.on.as_secs_f64(), on), "{found:?}");
            assert!(close(found.off.as_secs_f64(), off), "{found:?}");
        }
    }
}
