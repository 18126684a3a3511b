//! The graph as a drawing: stages in layers, the edges between them, and their live figures.
//!
//! The room imports `web`, for the colours. Paths and content types do not belong here (`admin`,
//! `pages`).
//!
//! | file | holds |
//! | --- | --- |
//! | `network` | stages and edges as indices; the edges that close a cycle |
//! | `layers` | the layer of each stage, and the order inside the layers |
//! | `layout` | `Layout`: positions of stages and paths of edges, in bands that fit a width |
//! | `figures` | numbers with their units, as the live page shows them |
//! | `svg` | a report as SVG |
//!
//! The layers are those of Sugiyama, Tagawa and Toda (1981). A graph with more layers than fit
//! beside each other continues in the next band, like a line of text, so its letters never shrink.

mod figures;
mod layers;
mod layout;
mod network;
mod svg;

pub(crate) use svg::svg;

/// The most stages beside each other.
pub(crate) const COLUMNS_MOST: u8 = 12;

/// The stages beside each other of a drawing that is as wide as a page.
pub(crate) const COLUMNS: u8 = 5;
