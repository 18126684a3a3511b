//! Drawings for a README, as SVG whose text can be read in a diff.
//!
//! A drawing has a background of its own, because the colour of the page around it is unknown: it
//! is white, or dark on a dark screen.

mod canvas;
mod dark;
mod drawing;
mod goodput;
mod labels;
mod line;
mod names;
mod panel;
mod step;
#[cfg(test)]
mod tests;
mod ticks;

pub use goodput::goodput_svg;
pub use step::step_svg;
