//! A moment and a state → a buffer of characters, at any size. Pure.

mod bars;
mod classes;
mod edges;
mod figures;
mod frame;
#[cfg(test)]
mod frame_tests;
mod head;
mod heat;
mod help;
mod journal;
mod look;
mod pen;
mod run;
#[cfg(test)]
mod run_tests;
mod stages;
mod table;
mod text;

pub(crate) use frame::{draw, height_of_all};
pub(crate) use look::Look;
pub(crate) use run::draw_run;
pub(crate) use text::plain_text;
