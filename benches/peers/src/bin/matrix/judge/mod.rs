//! Compares figures with their targets and writes the verdicts down: pure calculations and text.
//!
//! This room imports `settings` alone. Running a load does not belong here.

pub(crate) mod bound;
pub(crate) mod document;
pub(crate) mod reference;
pub(crate) mod rivals;
pub(crate) mod verdict;
