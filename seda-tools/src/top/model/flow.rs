//! The order in which events flow through the stages.

use seda_core::history::History;
use std::collections::HashMap;

/// The stages from the entries on: each stands behind those that send to it, except in a circle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Flow {
    /// The indices of the stages, in the order of the flow.
    pub(crate) order: Vec<usize>,
    /// By stage: the number of stages before it on its longest way from an entry.
    pub(crate) levels: Vec<usize>,
}

impl Flow {
    /// Returns the flow of the graph of a history.
    pub(crate) fn of(history: &History) -> Self {
        let indices: HashMap<&str, usize> =
            history.stages.iter().enumerate().map(|(index, name)| (&**name, index)).collect();
        let mut next: Vec<Vec<usize>> = vec![Vec::new(); history.stages.len()];
        let mut entries = Vec::new();
        for edge in &history.edges {
            let Some(to) = indices.get(&*edge.to).copied() else { continue };
            match edge.from.as_deref() {
                None => entries.push(to),
                Some(from) => {
                    let from = indices.get(from).and_then(|from| next.get_mut(*from));
                    from.into_iter().for_each(|next| next.push(to));
                }
            }
        }
        let order = order(&entries, &next);
        let levels = levels(&order, &next);
        Self { order, levels }
    }
}

/// Returns the stages that the entries reach, and then the others.
fn order(entries: &[usize], next: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; next.len()];
    let mut order = search(entries, next, &mut seen);
    let others: Vec<usize> = (0..next.len()).collect();
    order.extend(search(&others, next, &mut seen));
    order
}

/// Returns the stages in the reverse of the order in which a search in depth leaves them. It is
/// written as a loop, because a chain may be long.
fn search(roots: &[usize], next: &[Vec<usize>], seen: &mut [bool]) -> Vec<usize> {
    let mut left = Vec::new();
    // The last root comes first, so that the first one stands at the front when all are reversed.
    for root in roots.iter().rev() {
        // Each entry of the stack is a stage, and the number of its next stages yet to be visited.
        let mut stack = Vec::new();
        visit(*root, next, seen, &mut stack);
        while let Some((stage, unvisited)) = stack.last_mut() {
            if *unvisited == 0 {
                left.push(*stage);
                stack.pop();
                continue;
            }
            *unvisited -= 1;
            let to = next.get(*stage).and_then(|next| next.get(*unvisited)).copied();
            if let Some(to) = to {
                visit(to, next, seen, &mut stack);
            }
        }
    }
    left.reverse();
    left
}

fn visit(stage: usize, next: &[Vec<usize>], seen: &mut [bool], stack: &mut Vec<(usize, usize)>) {
    if let (Some(seen @ false), Some(next)) = (seen.get_mut(stage), next.get(stage)) {
        *seen = true;
        stack.push((stage, next.len()));
    }
}

fn levels(order: &[usize], next: &[Vec<usize>]) -> Vec<usize> {
    let mut levels = vec![0; next.len()];
    let mut is_before = vec![false; next.len()];
    for stage in order {
        is_before.get_mut(*stage).into_iter().for_each(|before| *before = true);
        let level = levels.get(*stage).copied().unwrap_or(0);
        for to in next.get(*stage).into_iter().flatten() {
            // An edge back to an earlier stage closes a circle and lowers nothing.
            if !is_before.get(*to).copied().unwrap_or(true)
                && let Some(of_next) = levels.get_mut(*to)
            {
                *of_next = (*of_next).max(level + 1);
            }
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flow(stages: &[&str], edges: &[(&str, &str)]) -> (String, Vec<usize>) {
        let edges = edges.iter().map(|(from, to)| match *from {
            "" => serde_json::json!({ "to": to }),
            from => serde_json::json!({ "from": from, "to": to }),
        });
        let history = serde_json::json!({ "stages": stages, "edges": edges.collect::<Vec<_>>() });
        let history = serde_json::from_value(history).unwrap();
        let Flow { order, levels } = Flow::of(&history);
        (order.iter().map(|stage| stages[*stage]).collect(), levels)
    }

    #[test]
    fn a_stage_stands_behind_those_that_send_to_it() {
        let edges = [("", "a"), ("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d")];
        assert_eq!(flow(&["d", "c", "b", "a"], &edges), ("abcd".into(), vec![2, 1, 1, 0]));
    }

    #[test]
    fn the_entries_come_first_and_circles_end() {
        let edges = [("", "b"), ("b", "c"), ("c", "b"), ("c", "c")];
        assert_eq!(flow(&["a", "b", "c"], &edges), ("bca".into(), vec![0, 0, 1]));
        assert_eq!(flow(&["a", "b"], &[("a", "b"), ("b", "a")]), ("ba".into(), vec![1, 0]));
        assert_eq!(flow(&[], &[("", "gone"), ("gone", "x")]), (String::new(), vec![]));
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let names: Vec<String> = (0..20_000).map(|n| n.to_string()).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let edges: Vec<_> = names.windows(2).map(|pair| (pair[0], pair[1])).collect();
        assert_eq!(flow(&names, &edges).1[19_999], 19_999);
    }
}
