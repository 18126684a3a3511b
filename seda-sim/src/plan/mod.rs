//! What-if: a changed graph, its forecast by simulation and by closed forms, and the cheapest
//! change that meets an SLO.
//!
//! This room may import all others.

mod analysis;
mod blind;
mod change;
mod forecast;
mod search;
mod target;

pub use analysis::{Analysis, StageAnalysis};
pub use blind::blind_spots;
pub use change::{Change, ChangeError, NewDemand};
pub use forecast::{Forecast, Limit, Range, StageForecast, with_window};
pub use search::{Knob, Search, SearchError, cheapest};
pub use target::{NoChange, Prices, Remedy, Target};
