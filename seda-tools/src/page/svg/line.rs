//! One line of a chart, with its dots and ranges.

use super::canvas::{Area, Chart, DrawError, MUTED};
use plotters::coord::ranged1d::Ranged;
use plotters::prelude::*;

/// A line, straight from point to point.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) name: String,
    /// The number of the server, which gives the colour; `None` if the line is not a server's.
    pub(super) nth: Option<usize>,
    /// True if the points are few enough to have dots and ranges.
    pub(super) dotted: bool,
    pub(super) points: Vec<LinePoint>,
}

/// A point of a line; without `y` the line has a gap there.
#[derive(Clone, Copy, Debug)]
pub(super) struct LinePoint {
    pub(super) x: f64,
    pub(super) y: Option<f64>,
    pub(super) range: Option<(f64, f64)>,
}

impl LinePoint {
    /// Returns a point without a range; a gap if `y` is not finite.
    pub(super) fn at(x: f64, y: f64) -> Self {
        Self { x, y: if y.is_finite() { Some(y) } else { None }, range: None }
    }
}

impl Line {
    /// Returns the line with each x at its place on an axis.
    pub(super) fn with_x(&self, place: impl Fn(f64) -> f64) -> Self {
        let points = self.points.iter().map(|point| LinePoint { x: place(point.x), ..*point });
        Self { name: self.name.clone(), points: points.collect(), ..*self }
    }

    pub(super) fn draw<Y>(
        &self,
        root: &Area<'_>,
        chart: &mut Chart<'_, '_, Y>,
    ) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let color = self.color();
        for stretch in self.points.split(|point| point.y.is_none()) {
            let path = stretch.iter().filter_map(|point| Some((point.x, point.y?)));
            chart.draw_series(LineSeries::new(path, color.stroke_width(2)))?;
        }
        if self.dotted {
            for point in &self.points {
                self.draw_point(*point, root, chart)?;
            }
        }
        Ok(())
    }

    /// Draws the dot of a point over the bar of its range.
    fn draw_point<Y>(
        &self,
        point: LinePoint,
        root: &Area<'_>,
        chart: &Chart<'_, '_, Y>,
    ) -> Result<(), DrawError>
    where
        Y: Ranged<ValueType = f64>,
    {
        let Some(y) = point.y else { return Ok(()) };
        let color = self.color();
        if let Some((low, high)) = point.range {
            let (x, top) = chart.backend_coord(&(point.x, high));
            let (_, bottom) = chart.backend_coord(&(point.x, low));
            // One path with both caps makes the file a third as long as three lines would.
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
        Ok(())
    }

    /// Returns the last point, beside which the name stands; `None` without a point.
    pub(super) fn last(&self) -> Option<(f64, f64)> {
        self.points.iter().rev().find_map(|point| Some((point.x, point.y?)))
    }

    pub(super) fn color(&self) -> RGBColor {
        match self.nth.map(|nth| nth % COLORS.len()) {
            Some(index) => COLORS.get(index).copied().unwrap_or(MUTED),
            None => MUTED,
        }
    }

    /// Returns true if another line has the same colour; then the dots are rings.
    fn is_hollow(&self) -> bool {
        self.nth.is_some_and(|nth| nth / COLORS.len() % 2 == 1)
    }
}

/// The colours of Okabe and Ito (2008), as in the pages: distinct under any common colour
/// blindness.
pub(super) const COLORS: [RGBColor; 8] = [
    RGBColor(0x00, 0x72, 0xb2),
    RGBColor(0xd5, 0x5e, 0x00),
    RGBColor(0x00, 0x9e, 0x73),
    RGBColor(0xb5, 0x57, 0x8f),
    RGBColor(0xd9, 0x95, 0x00),
    RGBColor(0x3f, 0xa3, 0xdc),
    RGBColor(0x6b, 0x4f, 0xb0),
    RGBColor(0x55, 0x5b, 0x61),
];
