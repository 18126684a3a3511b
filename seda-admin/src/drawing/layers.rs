//! The layer of each stage, and the order inside the layers.

use super::network::Network;

/// The sweeps that sort the layers. Few crossings go away after the fourth (Gansner et al. 1993).
const SWEEPS: usize = 8;

/// The most items of a drawing. More are not readable, and would take the control thread for long.
const ITEMS_MOST: usize = 4_096;

/// The most pairs of links that one sweep compares: about 1 ms.
const PAIRS_MOST: usize = 1_000_000;

/// A thing in a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// The stage with this index.
    Stage(usize),
    /// An edge between layers that are not neighbours passes.
    Bend,
}

/// Items in layers, and the links between neighbouring layers.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    pub(super) items: Vec<Item>,
    /// The layer of each item.
    pub(super) layer: Vec<usize>,
    /// The items of each layer, from top to bottom.
    pub(super) order: Vec<Vec<usize>>,
    /// The items along each edge between two stages, from its first layer to its last. `ends` are
    /// the stages at both.
    pub(super) chains: Vec<Chain>,
}

/// The items along an edge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    pub(super) ends: (usize, usize),
    /// The number of edges between these stages: two if there is one in each direction.
    pub(super) edges: usize,
    pub(super) items: Vec<usize>,
}

impl Layers {
    /// Returns the layers of a network; `None` if it is too large to be drawn.
    pub(super) fn of(network: &Network) -> Option<Self> {
        let forward = network.forward();
        let mut layers = Self {
            items: (0..network.stages).map(Item::Stage).collect(),
            layer: longest_paths(network.stages, &forward),
            ..Self::default()
        };
        for (from, to) in forward {
            layers.add_chain(from, to, network.edges_between(from, to));
            if layers.items.len() > ITEMS_MOST {
                return None;
            }
        }
        let count = layers.layer.iter().max().map_or(0, |last| last + 1);
        layers.order = vec![Vec::new(); count];
        for (item, layer) in layers.layer.iter().enumerate() {
            layers.order.get_mut(*layer).into_iter().for_each(|items| items.push(item));
        }
        if layers.pairs() <= PAIRS_MOST {
            layers.sort();
        }
        Some(layers)
    }

    /// Returns the number of pairs of links that may cross.
    fn pairs(&self) -> usize {
        let mut links = vec![0_usize; self.order.len()];
        for item in self.chains.iter().flat_map(|chain| chain.items.iter().skip(1)) {
            let layer = self.layer.get(*item).and_then(|layer| links.get_mut(*layer));
            layer.into_iter().for_each(|links| *links += 1);
        }
        links.iter().map(|links| links * links).sum()
    }

    /// Adds the edges between two stages, with a bend in each layer between its ends.
    fn add_chain(&mut self, from: usize, to: usize, edges: usize) {
        let (Some(&first), Some(&last)) = (self.layer.get(from), self.layer.get(to)) else {
            return;
        };
        let mut items = vec![from];
        for layer in first + 1..last {
            items.push(self.items.len());
            self.items.push(Item::Bend);
            self.layer.push(layer);
        }
        items.push(to);
        self.chains.push(Chain { ends: (from, to), edges, items });
    }

    /// Returns the items that are linked with each item: before it, and behind it.
    pub(super) fn neighbours(&self) -> Neighbours {
        let mut neighbours = Neighbours {
            before: vec![Vec::new(); self.items.len()],
            behind: vec![Vec::new(); self.items.len()],
        };
        for pair in self.chains.iter().flat_map(|chain| chain.items.windows(2)) {
            let [from, to] = pair else { continue };
            neighbours.behind.get_mut(*from).into_iter().for_each(|items| items.push(*to));
            neighbours.before.get_mut(*to).into_iter().for_each(|items| items.push(*from));
        }
        neighbours
    }

    /// Sorts each layer by the mean place of its neighbours, and keeps the order with the fewest
    /// crossings.
    fn sort(&mut self) {
        let neighbours = self.neighbours();
        let mut best = (self.crossings(&neighbours), self.order.clone());
        for sweep in 0..SWEEPS {
            if best.0 == 0 {
                break;
            }
            let is_forward = sweep % 2 == 0;
            let linked = if is_forward { &neighbours.before } else { &neighbours.behind };
            let layers = 0..self.order.len();
            if is_forward {
                layers.for_each(|layer| self.sort_layer(layer, linked));
            } else {
                layers.rev().for_each(|layer| self.sort_layer(layer, linked));
            }
            let crossings = self.crossings(&neighbours);
            if crossings < best.0 {
                best = (crossings, self.order.clone());
            }
        }
        self.order = best.1;
    }

    fn sort_layer(&mut self, layer: usize, linked: &[Vec<usize>]) {
        let places = self.places();
        let Some(items) = self.order.get_mut(layer) else { return };
        items.sort_by(|a, b| {
            let mean = |item: &usize| mean_place(linked.get(*item), &places, *item);
            mean(a).total_cmp(&mean(b))
        });
    }

    /// Returns the place of each item in its layer.
    fn places(&self) -> Vec<usize> {
        let mut places = vec![0; self.items.len()];
        for (place, item) in self.order.iter().flat_map(|items| items.iter().enumerate()) {
            places.get_mut(*item).into_iter().for_each(|known| *known = place);
        }
        places
    }

    /// Returns the number of pairs of links that cross.
    fn crossings(&self, neighbours: &Neighbours) -> usize {
        let places = self.places();
        let mut crossings = 0;
        for items in &self.order {
            // The places of both ends of each link to the next layer.
            let mut links: Vec<(usize, usize)> = Vec::new();
            for item in items {
                let behind = neighbours.behind.get(*item).into_iter().flatten();
                let ends =
                    behind.filter_map(|next| Some((*places.get(*item)?, *places.get(*next)?)));
                links.extend(ends);
            }
            for (n, (from, to)) in links.iter().enumerate() {
                let before = links.iter().take(n);
                let crossed = before.filter(|(a, b)| a < from && b > to || a > from && b < to);
                crossings += crossed.count();
            }
        }
        crossings
    }
}

/// The items that are linked with each item.
#[derive(Clone, Debug)]
pub(super) struct Neighbours {
    pub(super) before: Vec<Vec<usize>>,
    pub(super) behind: Vec<Vec<usize>>,
}

fn mean_place(linked: Option<&Vec<usize>>, places: &[usize], item: usize) -> f64 {
    let place = |item: usize| places.get(item).map_or(0.0, |place| *place as f64);
    match linked {
        Some(linked) if !linked.is_empty() => {
            linked.iter().map(|item| place(*item)).sum::<f64>() / linked.len() as f64
        }
        _ => place(item),
    }
}

/// Returns the layer of each stage: the length of the longest path to it. `edges` have no cycle.
fn longest_paths(stages: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut layer = vec![0; stages];
    // A path has fewer edges than there are stages, so this many rounds suffice.
    for _ in 0..stages {
        let mut has_changed = false;
        for (from, to) in edges {
            let least = layer.get(*from).map_or(0, |from: &usize| from + 1);
            if let Some(to) = layer.get_mut(*to).filter(|to| **to < least) {
                *to = least;
                has_changed = true;
            }
        }
        if !has_changed {
            break;
        }
    }
    layer
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::network;
    use super::*;

    #[test]
    fn a_stage_is_behind_all_stages_that_send_to_it() {
        let diamond =
            network(5, [(Some(0), 1), (Some(0), 2), (Some(1), 3), (Some(2), 3), (Some(0), 3)]);
        let layers = Layers::of(&diamond).unwrap();
        assert_eq!(layers.layer.iter().take(5).copied().collect::<Vec<_>>(), [0, 1, 1, 2, 0]);
        // The edge over two layers has a bend in the layer between.
        let long = layers.chains.iter().find(|chain| chain.ends == (0, 3)).unwrap();
        assert_eq!((long.items.len(), layers.items[long.items[1]]), (3, Item::Bend));
        assert_eq!(layers.order.iter().map(Vec::len).collect::<Vec<_>>(), [2, 3, 1]);
    }

    #[test]
    fn layers_are_sorted_so_that_few_edges_cross() {
        // Three rows that the order of declaration would tangle.
        let rows = network(6, [(Some(0), 5), (Some(1), 4), (Some(2), 3)]);
        let layers = Layers::of(&rows).unwrap();
        assert_eq!(layers.order, [[0, 1, 2], [5, 4, 3]]);
    }

    #[test]
    fn a_cycle_and_a_graph_without_stages_have_layers() {
        let cycle = network(3, [(Some(0), 1), (Some(1), 2), (Some(2), 0)]);
        assert_eq!(Layers::of(&cycle).unwrap().order.len(), 3);
        assert!(Layers::of(&network(0, [])).unwrap().order.is_empty());
        let all = (0..128).flat_map(|from| (0..128).map(move |to| (Some(from), to)));
        assert!(Layers::of(&network(128, all)).is_none(), "it is too large");
    }
}
