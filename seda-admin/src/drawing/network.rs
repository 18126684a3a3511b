//! Stages and edges as indices.

use seda_core::Report;
use std::collections::{BTreeMap, BTreeSet};

/// An edge between two stages, or from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ends {
    /// The index of the stage that it leaves; `None` for an edge from outside.
    pub(super) from: Option<usize>,
    /// The index of the stage that it enters.
    pub(super) to: usize,
}

/// The stages of a graph, by index, and the edges between them.
#[derive(Clone, Debug, Default)]
pub(super) struct Network {
    pub(super) stages: usize,
    /// Each pair of ends once, with the events per second over the last ten seconds.
    pub(super) edges: Vec<(Ends, EdgeRates)>,
}

/// The events per second over an edge.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct EdgeRates {
    pub(super) sent: f64,
    pub(super) refused: f64,
}

impl Network {
    /// Returns the network of a report. Edges with the same ends are one; those with unknown stages
    /// are left out.
    pub(super) fn of(report: &Report) -> Self {
        let names = report.stages.iter().enumerate().map(|(n, stage)| (&*stage.name, n));
        let index: BTreeMap<&str, usize> = names.collect();
        let seconds = report.stages.iter().map(|stage| stage.last_ten_seconds.seconds);
        let seconds = seconds.fold(0.0, f64::max);
        let mut edges = BTreeMap::<Ends, EdgeRates>::new();
        for edge in &report.edges {
            let from = edge.from.as_deref().map(|name| index.get(name).copied());
            let (Some(to), None | Some(Some(_))) = (index.get(&*edge.to), from) else { continue };
            let rates = edges.entry(Ends { from: from.flatten(), to: *to }).or_default();
            if seconds > 0.0 {
                rates.sent += edge.last_ten_seconds.sent as f64 / seconds;
                rates.refused += edge.last_ten_seconds.refused as f64 / seconds;
            }
        }
        Self { stages: report.stages.len(), edges: edges.into_iter().collect() }
    }

    /// Returns the number of edges between two stages, in either direction.
    pub(super) fn edges_between(&self, one: usize, other: usize) -> usize {
        let ends = self.edges.iter().map(|(ends, _)| (ends.from, ends.to));
        ends.filter(|it| *it == (Some(one), other) || *it == (Some(other), one)).count()
    }

    /// Returns the edges between two different stages, forward: an edge that closes a cycle is
    /// reversed, so that there is none.
    pub(super) fn forward(&self) -> Vec<(usize, usize)> {
        let mut targets = vec![Vec::new(); self.stages];
        for (Ends { from, to }, _) in &self.edges {
            let from = from.and_then(|from| targets.get_mut(from));
            from.into_iter().for_each(|targets: &mut Vec<usize>| targets.push(*to));
        }
        let closing = closing_edges(&targets);
        let mut forward = BTreeSet::new();
        for (from, targets) in targets.iter().enumerate() {
            for to in targets.iter().copied().filter(|to| *to != from) {
                let is_closing = closing.contains(&(from, to));
                forward.insert(if is_closing { (to, from) } else { (from, to) });
            }
        }
        // Both directions between two stages are drawn as two edges of one direction.
        forward.into_iter().collect()
    }
}

/// Returns the edges that lead back to a stage on the path of a depth-first search from the stages
/// in order of declaration.
fn closing_edges(targets: &[Vec<usize>]) -> BTreeSet<(usize, usize)> {
    let mut closing = BTreeSet::new();
    let mut begun = BTreeSet::new();
    // Entries come first: a search from them finds the direction of the flow.
    let entered: BTreeSet<usize> = targets.iter().flatten().copied().collect();
    let (entries, others): (Vec<usize>, Vec<usize>) =
        (0..targets.len()).partition(|stage| !entered.contains(stage));
    for root in entries.into_iter().chain(others) {
        if !begun.insert(root) {
            continue;
        }
        // The path to the present stage, and the number of its edges that were followed.
        let mut path = vec![(root, 0)];
        while let Some((stage, followed)) = path.last_mut() {
            let (from, next) = (*stage, targets.get(*stage).and_then(|to| to.get(*followed)));
            *followed += 1;
            match next.copied() {
                None => {
                    path.pop();
                }
                Some(to) if path.iter().any(|(stage, _)| *stage == to) => {
                    closing.insert((from, to));
                }
                Some(to) => {
                    if begun.insert(to) {
                        path.push((to, 0));
                    }
                }
            }
        }
    }
    closing
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Returns a network with these edges; `None` is outside.
    pub(in crate::drawing) fn network(
        stages: usize,
        edges: impl IntoIterator<Item = (Option<usize>, usize)>,
    ) -> Network {
        let edges = edges.into_iter().map(|(from, to)| (Ends { from, to }, EdgeRates::default()));
        Network { stages, edges: edges.collect() }
    }

    #[test]
    fn an_edge_that_closes_a_cycle_is_reversed_and_a_loop_is_left_out() {
        let cycle = network(3, [(None, 0), (Some(0), 1), (Some(1), 2), (Some(2), 0), (Some(1), 1)]);
        assert_eq!(cycle.forward(), [(0, 1), (0, 2), (1, 2)]);
        let both = network(2, [(None, 1), (Some(1), 0), (Some(0), 1)]);
        assert_eq!(both.forward().len(), 1);
    }

    #[test]
    fn no_network_keeps_a_cycle() {
        // Every edge of six stages, in both directions.
        let all = (0..6).flat_map(|from| (0..6).map(move |to| (Some(from), to)));
        let forward = network(6, all).forward();
        let targets: Vec<Vec<usize>> = (0..6)
            .map(|stage| forward.iter().filter(move |(from, _)| *from == stage).map(|(_, to)| *to))
            .map(Iterator::collect)
            .collect();
        assert_eq!(forward.len(), 15);
        assert!(closing_edges(&targets).is_empty());
    }
}
