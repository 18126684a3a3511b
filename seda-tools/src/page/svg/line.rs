//! One line of a chart, with its dots and ranges.

use super::panel::{Area, Chart, Failure, MUTED};
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;

/// A line, straight from point to point.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// Its place among the servers, which gives its colour; `None` for what is not a server's.
    pub(super) nth: Option<usize>,
    /// Whether its points are few enough to have dots and ranges.
    pub(super) dotted: bool,
    pub(super) points: Vec<LinePoint>,
}

/// A point; without `y` the line has a gap there.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinePoint {
    pub(super) x: f64,
    pub(super) y: Option<f64>,
    pub(super) range: Option<(f64, f64)>,
}

impl Line {
    pub(super) fn draw<Y>(
        &self,
        root: &Area<'_>,
        chart: &mut Chart<'_, '_, Y>,
    ) -> Result<(), Failure>
    where
        Y: Ranged<ValueType = f64>,
    {
        let color = self.color();
        for stretch in self.points.split(|point| point.y.is_none()) {
            let path = stretch.iter().filter_map(|point| Some((point.x, point.y?)));
            chart.draw_series(LineSeries::new(path, color.stroke_width(2)))?;
        }
        for point in self.points.iter().filter(|_| self.dotted) {
            let Some(y) = point.y else { continue };
            if let Some((low, high)) = point.range {
                let (x, top) = chart.backend_coord(&(point.x, high));
                let (_, bottom) = chart.backend_coord(&(point.x, low));
                // In one go, caps included: the file is a third as long as with three lines.
                let bar = [
                    (x - 4, top),
                    (x + 4, top),
                    (x, top),
                    (x, bottom),
                    (x - 4, bottom),
                    (x + 4, bottom),
                ];
                root.draw(&PathElement::new(bar, color))?;
            }
            let at = chart.backend_coord(&(point.x, y));
            root.draw(&Circle::new(at, 3, if self.is_hollow() { WHITE } else { color }.filled()))?;
            if self.is_hollow() {
                root.draw(&Circle::new(at, 3, color.stroke_width(1)))?;
            }
        }
        Ok(())
    }

    /// The point that the name stands beside.
    pub(super) fn last(&self) -> Option<(f64, f64)> {
        self.points.iter().rev().find_map(|point| Some((point.x, point.y?)))
    }

    pub(super) fn color(&self) -> RGBColor {
        let color = |nth| COLORS.get(nth % COLORS.len()).copied();
        self.nth.and_then(color).unwrap_or(MUTED)
    }

    /// Whether its colour is in use already: then its dots are rings.
    fn is_hollow(&self) -> bool {
        self.nth.is_some_and(|nth| nth / COLORS.len() % 2 == 1)
    }
}

/// After Okabe and Ito (2008), as in the pages: told apart with any common colour blindness.
const COLORS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xb5, 0x57, 0x8f),
    RGBColor(0xd9, 0x95, 0x00),
    RGBColor(0x3f, 0xa3, 0xdc),
    RGBColor(0x6b, 0x4f, 0xb0),
    RGBColor(0x55, 0x5b, 0x61),
];
