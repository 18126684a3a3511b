//! The counts that a report leaves out.

use std::collections::BTreeMap;

/// Returns a count of a report, which leaves out those that are zero.
pub(super) fn count_of(counts: &BTreeMap<String, u64>, name: &str) -> u64 {
    counts.get(name).copied().unwrap_or(0)
}
