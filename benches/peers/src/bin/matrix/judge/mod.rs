//! Holds figures against what is wanted, and writes the verdicts down.

pub(crate) mod bound;
pub(crate) mod document;
pub(crate) mod reference;
pub(crate) mod verdict;
