//! Two panels, one below the other.

use super::canvas::{Area, DrawError, FRAME, INK, MUTED, font};
use super::dark::with_dark_colors;
use super::names::cut;
use super::panel::Panel;
use crate::page::error::PageError;
use plotters::prelude::*;

/// The width at which GitHub shows a README.
const WIDTH: u32 = 900;
/// Fits on a screen, with room for two panels.
const HEIGHT: u32 = 520;
/// The height of the title above the panels.
const TITLE_HEIGHT: u32 = 36;
/// The longest title in letters: it has one line.
const TITLE_LENGTH: usize = 90;

/// Two panels, one below the other. The names beside the lines of the upper one are the legend of
/// both.
#[derive(Debug)]
pub(super) struct Drawing<'a> {
    pub(super) title: &'a str,
    pub(super) upper: Panel,
    /// `None` if there is nothing to show in it.
    pub(super) lower: Option<Panel>,
}

impl Drawing<'_> {
    pub(super) fn svg(&self) -> Result<String, PageError> {
        let mut svg = String::new();
        let root = SVGBackend::with_string(&mut svg, (WIDTH, HEIGHT)).into_drawing_area();
        self.draw(&root).map_err(|error| PageError::Drawing(Box::new(error)))?;
        drop(root);
        Ok(with_dark_colors(&svg))
    }

    fn draw(&self, root: &Area<'_>) -> Result<(), DrawError> {
        root.fill(&WHITE)?;
        let corner = (WIDTH as i32 - 1, HEIGHT as i32 - 1);
        root.draw(&Rectangle::new([(0, 0), corner], FRAME))?;
        let title = font(17.0).style(FontStyle::Bold).color(&INK);
        root.draw(&Text::new(cut(self.title, TITLE_LENGTH), (20, 14), title))?;
        let (_, panels) = root.split_vertically(TITLE_HEIGHT);
        if self.upper.is_empty() {
            let nothing = font(13.0).color(&MUTED);
            root.draw(&Text::new("Nothing was measured.", (20, 60), nothing))?;
        } else if let Some(lower) = &self.lower {
            let (upper_area, lower_area) =
                panels.split_vertically((HEIGHT - TITLE_HEIGHT) * 11 / 20);
            let margin = self.upper.label_width().max(lower.label_width());
            let ends = self.upper.ends().hull(lower.ends());
            self.upper.draw(root, &upper_area, ends, margin)?;
            lower.draw(root, &lower_area, ends, margin)?;
        } else {
            self.upper.draw(root, &panels, self.upper.ends(), self.upper.label_width())?;
        }
        root.present()
    }
}
