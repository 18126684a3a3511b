//! Converts the times of a file to those of a run.

use super::entry::Entry;
use super::stamp::{SECOND, Stamp};

/// The entries in the order of the file.
#[derive(Debug)]
pub(super) struct Timeline {
    entries: Vec<Entry>,
    /// True while no time has a fraction; then times are known only to the second.
    whole: bool,
}

impl Timeline {
    pub(super) fn new() -> Self {
        Self { entries: Vec::new(), whole: true }
    }

    pub(super) fn push(&mut self, stamp: Stamp, target: u32) {
        self.whole &= stamp.whole;
        self.entries.push(Entry { at_nanos: stamp.nanos, target });
    }

    /// Returns the entries sorted by time, the first at 0.
    pub(super) fn finish(self) -> Vec<Entry> {
        let mut entries = self.entries;
        entries.sort_by_key(|entry| entry.at_nanos);
        let first = entries.first().map_or(0, |entry| entry.at_nanos);
        for entry in &mut entries {
            entry.at_nanos -= first;
        }
        if self.whole {
            spread(&mut entries);
        }
        entries
    }
}

/// Spreads the entries of each second evenly within it.
fn spread(entries: &mut [Entry]) {
    for second in entries.chunk_by_mut(|a, b| a.at_nanos == b.at_nanos) {
        let count = second.len() as u64;
        for (entry, n) in second.iter_mut().zip(0u64..) {
            entry.at_nanos = entry.at_nanos.saturating_add(SECOND.saturating_mul(n) / count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finish(times: &[&str]) -> Vec<(u64, u32)> {
        let mut timeline = Timeline::new();
        for (time, target) in times.iter().zip(0..) {
            timeline.push(Stamp::read(time.as_bytes()).unwrap(), target);
        }
        timeline.finish().into_iter().map(|entry| (entry.at_nanos, entry.target)).collect()
    }

    #[test]
    fn times_are_sorted_and_equal_ones_keep_their_order() {
        assert_eq!(
            finish(&["7.5", "2.25", "7.5", "1.5"]),
            [(0, 3), (750_000_000, 1), (6 * SECOND, 0), (6 * SECOND, 2)]
        );
    }

    #[test]
    fn requests_of_a_second_are_spread_evenly_within_it() {
        assert_eq!(
            finish(&["12", "10", "12", "10", "12"]),
            [(0, 1), (500_000_000, 3), (2 * SECOND, 0), (2_333_333_333, 2), (2_666_666_666, 4),]
        );
    }

    #[test]
    fn one_time_with_a_point_keeps_the_bursts() {
        assert_eq!(finish(&["1", "1", "2.0"]), [(0, 0), (0, 1), (SECOND, 2)]);
    }
}
