//! Drawings for a README: SVG that is text, so that a change of it can be read in a diff.
//!
//! They stand on paper of their own, since nobody knows the colour of the page around them.

mod figures;
mod goodput;
mod labels;
mod line;
mod panel;
mod step;
#[cfg(test)]
mod tests;

pub use goodput::goodput_svg;
pub use step::step_svg;

use super::PageError;
use panel::{Area, Failure, INK, MUTED, Panel, font};
use plotters::prelude::*;

/// As wide as GitHub shows a README.
const WIDTH: u32 = 900;
/// What fits on a screen whole, with room for two panels.
const HEIGHT: u32 = 520;
/// Above the panels, for the title.
const TITLE_HEIGHT: u32 = 36;
/// The frame that GitHub draws around its own boxes.
const FRAME: RGBColor = RGBColor(0xd0, 0xd7, 0xde);

/// Two panels below each other, with one legend: the names beside the ends of the upper one's
/// lines.
#[derive(Debug)]
struct Drawing<'a> {
    title: &'a str,
    upper: Panel,
    /// `None` if there is nothing to show in it.
    lower: Option<Panel>,
}

impl Drawing<'_> {
    fn svg(&self) -> Result<String, PageError> {
        let mut svg = String::new();
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        self.draw(&root).map_err(|failure| PageError::Drawing(Box::new(failure)))?;
        drop(root);
        Ok(svg)
    }

    fn draw(&self, root: &Area<'_>) -> Result<(), Failure> {
        root.fill(&WHITE)?;
        let corner = (WIDTH as i32 - 1, HEIGHT as i32 - 1);
        root.draw(&Rectangle::new([(0, 0), corner], FRAME))?;
        let title = font(17.0).style(FontStyle::Bold).color(&INK);
        root.draw(&Text::new(figures::printable(self.title), (20, 14), title))?;
        let (_, panels) = root.split_vertically(TITLE_HEIGHT);
        if self.upper.is_empty() {
            let nothing = font(13.0).color(&MUTED);
            root.draw(&Text::new("Nothing was measured.", (20, 60), nothing))?;
        } else if let Some(lower) = &self.lower {
            let (upper_area, lower_area) =
                panels.split_vertically((HEIGHT - TITLE_HEIGHT) * 11 / 20);
            let margin = self.upper.label_width().max(lower.label_width());
            let far = self.upper.far().max(lower.far());
            self.upper.draw(root, &upper_area, far, margin)?;
            lower.draw(root, &lower_area, far, margin)?;
        } else {
            self.upper.draw(root, &panels, self.upper.far(), self.upper.label_width())?;
        }
        root.present()
    }
}
