//! The types, colours and font of the drawings.

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(super) type DrawError = DrawingAreaErrorKind<std::io::Error>;
pub(super) type Chart<'a, 'b, Y> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<RangedCoordf64, Y>>;

/// The colour of the title: 16 to 1 against white.
pub(super) const INK: RGBColor = RGBColor(0x1c, 0x21, 0x26);
/// The colour of captions and labels: 5 to 1 against white (WCAG 2.2 asks for 4.5).
pub(super) const MUTED: RGBColor = RGBColor(0x5b, 0x66, 0x70);
/// The colour of the grid, which hardly differs from white.
pub(super) const GRID: RGBColor = RGBColor(0xe3, 0xe7, 0xea);
/// The colour of levels and bounds.
pub(super) const LEVEL: RGBColor = RGBColor(0x8a, 0x6d, 0x00);

/// The colour of the frames that GitHub draws.
pub(super) const FRAME: RGBColor = RGBColor(0xd0, 0xd7, 0xde);

/// Returns the common sans-serif face. plotters writes the size divided by 1.24, which is
/// compensated here.
pub(super) fn font(pixels: f64) -> FontDesc<'static> {
    FontDesc::new(FontFamily::SansSerif, pixels * 1.24, FontStyle::Normal)
}
