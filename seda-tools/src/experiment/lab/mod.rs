//! The lab of metastable failures: maps of triggers and loads, for seda and for models of others.

mod display;
mod plan;
mod report;

pub use plan::{LabPlan, Numbered};
pub use report::{CellReport, LabReport, MapReport, VariantReport};
