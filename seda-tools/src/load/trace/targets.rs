//! The distinct requests of a trace.

use super::Target;
use std::collections::HashMap;

/// Numbers requests in the order of their first appearance.
#[derive(Debug, Default)]
pub(super) struct Targets {
    numbers: HashMap<Target, u32>,
}

impl Targets {
    /// Returns the number of a request; `None` if 32 bits cannot number it.
    pub(super) fn number(&mut self, target: Target) -> Option<u32> {
        let next = u32::try_from(self.numbers.len()).ok()?;
        Some(*self.numbers.entry(target).or_insert(next))
    }

    /// Returns the requests, each at the index of its number.
    pub(super) fn finish(self) -> Vec<Target> {
        let mut numbered: Vec<(Target, u32)> = self.numbers.into_iter().collect();
        numbered.sort_unstable_by_key(|(_, number)| *number);
        numbered.into_iter().map(|(target, _)| target).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_requests_have_one_number_which_is_their_index() {
        let mut targets = Targets::default();
        let paths = ["/b", "/a", "/b", "/c", "/a"];
        let numbers = paths.map(|path| targets.number(Target::get(path.to_owned())));
        assert_eq!(numbers, [Some(0), Some(1), Some(0), Some(2), Some(1)]);
        let paths: Vec<String> = targets.finish().into_iter().map(|target| target.path).collect();
        assert_eq!(paths, ["/b", "/a", "/c"]);
    }
}
