//! The positions of names beside the ends of their lines.

/// The distance between the middles of two names: the height of a line of text of 12 pixels.
const GAP: i32 = 15;

/// Returns heights close to `wanted`, in the same order, between `top` and `bottom`. They are at
/// least a line of text apart, or share the space evenly if there is less.
pub(super) fn placed(wanted: &[i32], top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<(usize, i32)> = wanted.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, height)| *height);
    let spaces = order.len().saturating_sub(1).max(1);
    // More spaces than pixels leave no gap.
    let gap = i32::try_from(spaces).map_or(0, |spaces| GAP.min((bottom - top) / spaces));
    let mut least = top;
    for (_, height) in &mut order {
        *height = (*height).max(least);
        least = *height + gap;
    }
    // Names that were pushed below the bottom push the others back up.
    let mut most = bottom;
    for (_, height) in order.iter_mut().rev() {
        *height = (*height).min(most);
        most = *height - gap;
    }
    order.sort_by_key(|(nth, _)| *nth);
    order.into_iter().map(|(_, height)| height).collect()
}

/// Returns true if there is a line of text for each of `names` names.
pub(super) fn fit(names: usize, top: i32, bottom: i32) -> bool {
    i32::try_from(names).is_ok_and(|names| (names - 1).saturating_mul(GAP) <= bottom - top)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_have_room_stay_beside_their_lines() {
        assert_eq!(placed(&[100, 20, 60], 0, 200), [100, 20, 60]);
    }

    #[test]
    fn names_that_would_cover_each_other_move_apart_and_keep_their_order() {
        assert_eq!(placed(&[50, 52, 51], 0, 200), [50, 80, 65]);
        assert_eq!(placed(&[199, 200], 0, 200), [185, 200]);
    }

    #[test]
    fn more_names_than_fit_share_what_there_is() {
        let placed = placed(&[0; 41], 0, 200);
        assert_eq!((placed.first(), placed.last()), (Some(&0), Some(&200)));
        assert!(fit(14, 0, 200) && !fit(15, 0, 200));
    }

    #[test]
    fn without_names_there_are_no_positions() {
        assert!(placed(&[], 0, 200).is_empty());
    }
}
