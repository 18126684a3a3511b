//! Circles: sets of files each of which imports all the others, at some distance.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::source::Mention;

/// Each file with the files that it imports from, and one mention for each of these.
pub(crate) type Imports<'c> = BTreeMap<&'c str, BTreeMap<&'c str, &'c Mention>>;

/// Returns the circles of more than one file, the largest first.
pub(crate) fn circles<'c>(imports: &Imports<'c>) -> Vec<BTreeSet<&'c str>> {
    let reached: BTreeMap<_, _> =
        imports.keys().map(|file| (*file, reachable(imports, file))).collect();
    let mut found = BTreeSet::new();
    for (file, files) in &reached {
        if files.contains(file) {
            let circle = files
                .iter()
                .filter(|other| reached.get(*other).is_some_and(|files| files.contains(file)));
            found.insert(circle.copied().collect());
        }
    }
    let mut found: Vec<BTreeSet<_>> = found.into_iter().collect();
    found.sort_by_key(|circle| Reverse(circle.len()));
    found
}

/// Returns all files that can be reached from `file` by imports.
fn reachable<'c>(imports: &Imports<'c>, file: &str) -> BTreeSet<&'c str> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&str> = vec![file];
    while let Some(file) = open.pop() {
        for next in imports.get(file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(*next) {
                open.push(next);
            }
        }
    }
    reached
}

/// Returns the shortest way from `file` back to itself: the mentions that lead from file to file.
pub(crate) fn shortest_way_back<'c>(imports: &Imports<'c>, file: &'c str) -> Vec<&'c Mention> {
    let mut ways: BTreeMap<&str, Vec<&Mention>> = BTreeMap::new();
    let mut open = VecDeque::from([file]);
    while let Some(from) = open.pop_front() {
        let way = ways.get(from).cloned().unwrap_or_default();
        for (to, mention) in imports.get(from).into_iter().flatten() {
            if ways.contains_key(to) {
                continue;
            }
            let way: Vec<_> = way.iter().copied().chain([*mention]).collect();
            if *to == file {
                return way;
            }
            ways.insert(to, way);
            open.push_back(to);
        }
    }
    Vec::new()
}
