//! The routes of a layer: a bounded number of names, and a route of the graph for each.

use parking_lot::RwLock;
use seda_core::{Graph, GraphError, Route, StageId};
use std::collections::HashMap;

/// The most names. A request with a further one takes the route of all others, so that a client
/// that makes up names costs no memory.
const NAMES_MOST: usize = 64;

/// The route of each name, in the order of their first requests.
#[derive(Debug)]
pub(super) struct Routes {
    /// A route for each name, and one for all further names.
    declared: Box<[Route]>,
    named: RwLock<HashMap<Box<str>, Route>>,
}

impl Routes {
    /// Declares the routes of a graph with one stage.
    ///
    /// # Errors
    /// [`GraphError::Foreign`] for the stage of another graph.
    pub(super) fn declare(graph: &mut Graph, stage: StageId) -> Result<Self, GraphError> {
        let declared = (0..=NAMES_MOST).map(|_| graph.route([stage]));
        Ok(Self { declared: declared.collect::<Result<_, _>>()?, named: RwLock::default() })
    }

    /// Returns the route of a name.
    pub(super) fn of(&self, name: &str) -> Option<Route> {
        let named = self.named.read();
        if let Some(route) = named.get(name) {
            return Some(*route);
        }
        let is_full = named.len() >= NAMES_MOST;
        drop(named);
        if is_full { self.declared.last().copied() } else { self.add(name) }
    }

    /// Returns the route of a name that was new a moment ago.
    fn add(&self, name: &str) -> Option<Route> {
        let mut named = self.named.write();
        if let Some(route) = named.get(name) {
            return Some(*route);
        }
        let route = *self.declared.get(named.len())?;
        if named.len() < NAMES_MOST {
            named.insert(name.into(), route);
        }
        Some(route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_has_a_route_until_the_bound_and_all_others_share_one() {
        let mut graph = Graph::new("named");
        let stage = graph.stage::<u32>("requests", 8);
        let routes = Routes::declare(&mut graph, stage.id()).unwrap();
        let names: Vec<String> = (0..NAMES_MOST).map(|n| format!("/{n}")).collect();
        let of_all: Vec<_> = names.iter().map(|name| routes.of(name).unwrap()).collect();
        let again: Vec<_> = names.iter().map(|name| routes.of(name).unwrap()).collect();
        assert_eq!(of_all, again);
        assert!((1..of_all.len()).all(|n| !of_all[..n].contains(&of_all[n])));
        let [more, others] = ["/more", "/others"].map(|name| routes.of(name).unwrap());
        assert!(more == others && !of_all.contains(&more));
        assert_eq!(routes.named.read().len(), NAMES_MOST);
    }
}
