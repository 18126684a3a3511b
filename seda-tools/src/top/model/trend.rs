//! A figure over the last minute, in a number of cells.

use seda_core::history::SecondRecord;

/// The share of a second within which it counts as its neighbour's time: records end with a tick,
/// and not on the second.
const LITTLE: f64 = 0.25;

/// Returns the highest value of a figure in each of `cells` equal parts of the `span` seconds
/// before `end`; `None` for a part without a second in which it is known. A second that is longer
/// than a part, because a poll was missed, fills all parts that it covers.
pub(super) fn trend(
    seconds: &[SecondRecord],
    end: f64,
    span: f64,
    cells: usize,
    figure: impl Fn(&SecondRecord) -> Option<f64>,
) -> Vec<Option<f64>> {
    let mut values = vec![None; cells];
    let part = span / cells.max(1) as f64;
    for second in seconds {
        let Some(value) = figure(second) else { continue };
        // A second that reaches a little into a part does not count there.
        let little = second.seconds.min(part) * LITTLE;
        let begin = second.at - second.seconds - (end - span);
        let first = ((begin + little) / part).max(0.0) as usize;
        let last = ((second.at - (end - span) - little) / part).max(0.0).ceil() as usize;
        let within =
            values.iter_mut().take(last.max(first.saturating_add(1)).min(cells)).skip(first);
        for of_part in within {
            *of_part = Some(of_part.unwrap_or(value).max(value));
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(at: f64, seconds: f64, depth: u32) -> SecondRecord {
        let mut second = SecondRecord::default();
        (second.at, second.seconds, second.budget_used) = (at, seconds, depth);
        second
    }

    fn values(seconds: &[SecondRecord], end: f64, cells: usize) -> Vec<Option<f64>> {
        trend(seconds, end, 6.0, cells, |second| {
            (second.budget_used < 9).then(|| f64::from(second.budget_used))
        })
    }

    #[test]
    fn a_cell_has_the_highest_of_its_seconds() {
        let seconds: Vec<_> = (1..=6).map(|n| second(f64::from(n), 1.0, n)).collect();
        assert_eq!(values(&seconds, 6.0, 3), [Some(2.0), Some(4.0), Some(6.0)]);
        assert_eq!(values(&seconds, 6.0, 6).len(), 6);
        assert_eq!(values(&seconds, 6.0, 6)[5], Some(6.0));
    }

    #[test]
    fn a_second_that_ends_a_little_late_stays_in_its_cell() {
        let seconds: Vec<_> = (1..=6).map(|n| second(f64::from(n) + 0.1, 1.0, n)).collect();
        assert_eq!(values(&seconds, 6.0, 3), [Some(2.0), Some(4.0), Some(6.0)]);
    }

    #[test]
    fn the_time_before_the_first_second_is_empty() {
        let seconds = [second(1.0, 1.0, 3), second(2.0, 1.0, 0)];
        assert_eq!(values(&seconds, 2.0, 3), [None, None, Some(3.0)]);
        assert_eq!(values(&[], 2.0, 2), [None, None]);
        assert_eq!(values(&seconds, 2.0, 0), []);
        assert_eq!(values(&[second(2.0, 6.0, 9)], 2.0, 1), [None], "a figure that is unknown");
    }

    #[test]
    fn a_long_second_fills_the_gap_of_missed_polls() {
        let seconds = [second(10.0, 1.0, 1), second(14.0, 4.0, 2)];
        assert_eq!(
            values(&seconds, 14.0, 6),
            [None, Some(1.0), Some(2.0), Some(2.0), Some(2.0), Some(2.0)]
        );
    }
}
