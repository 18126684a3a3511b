//! Bars and trends of characters.

use super::look::Look;

/// The eighths of a cell, from none to seven.
const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
/// The heights of a trend: zero first.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// The same in ASCII.
const ASCII_HEIGHTS: [char; 8] = ['_', '.', ':', '-', '=', '+', '*', '#'];

/// Returns a bar of `cells` of which the share `filled`, 0 to 1, is filled. A positive share is
/// never shown as none.
pub(super) fn bar(filled: f64, cells: usize, look: Look) -> String {
    let filled = filled.clamp(0.0, 1.0);
    let parts = if look.has_unicode { 8 } else { 1 };
    let all = cells * parts;
    let mut shown = (filled * all as f64).round() as usize;
    if filled > 0.0 {
        shown = shown.max(1).min(all);
    }
    let (whole, part) = (shown / parts, shown % parts);
    let (full, free) = if look.has_unicode { ("█", "·") } else { ("#", ".") };
    let part = EIGHTHS.get(part).copied().unwrap_or_default();
    let rest = cells.saturating_sub(whole + usize::from(!part.is_empty()));
    format!("{}{part}{}", full.repeat(whole), free.repeat(rest))
}

/// Returns a trend with a character for each value, the highest as high as a line. An unknown value
/// is a space, and only zero is on the ground.
pub(super) fn trend(values: &[Option<f64>], look: Look) -> String {
    trend_up_to(values, values.iter().flatten().copied().fold(0.0, f64::max), look)
}

/// Returns a trend in which `most` is as high as a line; no value is higher.
pub(super) fn trend_up_to(values: &[Option<f64>], most: f64, look: Look) -> String {
    let heights = if look.has_unicode { HEIGHTS } else { ASCII_HEIGHTS };
    let height = |value: f64| {
        let steps = (heights.len() - 1) as f64;
        let step = if value > 0.0 { (value / most * steps).ceil() as usize } else { 0 };
        heights.get(step.min(heights.len() - 1)).copied().unwrap_or(' ')
    };
    values.iter().map(|value| value.map_or(' ', height)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCII: Look = Look { has_color: false, has_unicode: false };

    #[test]
    fn a_bar_fills_by_eighths() {
        let bars = [0.0, 0.001, 0.25, 0.53, 1.0, 7.0].map(|share| bar(share, 4, Look::PLAIN));
        assert_eq!(bars, ["····", "▏···", "█···", "██▏·", "████", "████"]);
        assert_eq!([0.0, 0.01, 0.5].map(|share| bar(share, 4, ASCII)), ["....", "#...", "##.."]);
        assert_eq!(bar(0.5, 0, Look::PLAIN), "");
    }

    #[test]
    fn a_trend_is_relative_to_its_highest_value() {
        let values = [None, Some(0.0), Some(0.1), Some(50.0), Some(100.0)];
        assert_eq!(trend(&values, Look::PLAIN), " ▁▂▅█");
        assert_eq!(trend(&values, ASCII), " _.=#");
        assert_eq!(trend(&[Some(0.0), Some(0.0)], Look::PLAIN), "▁▁");
    }
}
