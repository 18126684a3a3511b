//! Where the names stand beside the ends of their lines.

/// From one name's middle to the next: the height of a line of text of 12 pixels.
const GAP: i32 = 15;

/// Heights near those that are wanted, in their order, at least a line of text apart, from `top`
/// to `bottom`. Where there is no room for that, they are as far apart as there is.
pub(super) fn placed(wanted: &[i32], top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<(usize, i32)> = wanted.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, height)| *height);
    let spaces = i32::try_from(order.len().saturating_sub(1)).unwrap_or(i32::MAX).max(1);
    let gap = GAP.min((bottom - top) / spaces);
    let mut least = top;
    for (_, height) in &mut order {
        *height = (*height).max(least);
        least = *height + gap;
    }
    // Those at the lower end that were pushed beyond it push the others back.
    let mut most = bottom;
    for (_, height) in order.iter_mut().rev() {
        *height = (*height).min(most);
        most = *height - gap;
    }
    order.sort_by_key(|(nth, _)| *nth);
    order.into_iter().map(|(_, height)| height).collect()
}

/// Whether so many names have room for a line of text each.
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
    fn no_names_need_no_place() {
        assert!(placed(&[], 0, 200).is_empty());
    }
}
