//! The colours of a drawing where the reader's screen is dark.

use super::canvas::{FRAME, GRID, INK, LEVEL, MUTED};
use super::line::COLORS;
use plotters::style::{RGBColor, WHITE};

/// The dark counterparts of the colours of servers, as in the pages.
const DARK_COLORS: [&str; 8] =
    ["#4fa8e0", "#f47f36", "#2cc49a", "#e39ac2", "#f2b632", "#a3d8f7", "#b09cf0", "#c3c9ce"];

/// Returns the drawing with the rules of its colours on a dark screen.
pub(super) fn with_dark_colors(svg: &str) -> String {
    let Some((head, body)) = svg.split_once('>') else { return svg.to_owned() };
    let named = [
        (WHITE, "#14181c"),
        (FRAME, "#2b3238"),
        (INK, "#e6e9ec"),
        (MUTED, "#a3adb6"),
        (GRID, "#2b3238"),
        (LEVEL, "#d6b84a"),
    ];
    let servers = COLORS.into_iter().zip(DARK_COLORS);
    let rules: String = named.into_iter().chain(servers).map(|(of, dark)| rule(of, dark)).collect();
    format!("{head}>\n<style>\n@media (prefers-color-scheme: dark) {{\n{rules}}}\n</style>{body}")
}

/// Returns the rule for a colour, as it stands in the drawing.
fn rule(RGBColor(red, green, blue): RGBColor, dark: &str) -> String {
    let light = format!("#{red:02X}{green:02X}{blue:02X}");
    format!("[fill=\"{light}\"] {{ fill: {dark} }}\n[stroke=\"{light}\"] {{ stroke: {dark} }}\n")
}
