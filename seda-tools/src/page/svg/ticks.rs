//! The labels of ticks that are not at equal distances.

/// The width of a label of five digits in pixels, with the space to the next one.
const DISTANCE: i32 = 34;

/// Returns the ticks whose labels have room: 1, the first and the last, and of the others those
/// that cover none of these. `place` is the position of a tick in pixels.
pub(super) fn labelled(ticks: &[f64], place: impl Fn(f64) -> i32) -> Vec<f64> {
    let one = ticks.iter().filter(|tick| **tick == 1.0);
    let important = one.chain(ticks.first()).chain(ticks.last());
    let mut shown: Vec<f64> = Vec::new();
    for tick in important.chain(ticks) {
        let at = place(*tick);
        if shown.iter().all(|other| (place(*other) - at).abs() >= DISTANCE) {
            shown.push(*tick);
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_that_would_cover_a_more_important_one_is_left_out() {
        let ticks = [0.5, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0, 5.0, 10.0];
        let place = |tick: f64| (tick.ln() * 180.0) as i32;
        assert_eq!(labelled(&ticks, place), [1.0, 0.5, 10.0, 0.8, 1.5, 2.0, 5.0]);
        assert_eq!(labelled(&[2.0], place), [2.0]);
        assert!(labelled(&[], place).is_empty());
    }
}
