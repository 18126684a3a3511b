//! Positions of stages and paths of edges.

use super::layers::{Item, Layers};
use super::network::{EdgeRates, Ends, Network};

/// The size of a stage, in pixels at the size of the text.
pub(super) const WIDTH: f64 = 152.0;
pub(super) const HEIGHT: f64 = 78.0;
/// The height that an edge takes where it passes a layer.
const BEND: f64 = 12.0;
/// The space between layers: a rate of ten letters and an arrow.
const GAP: f64 = 76.0;
/// The space between stages of one layer.
const ROW_GAP: f64 = 26.0;
/// The space to the left of the first layer: the rate of an entry, and its arrow.
pub(super) const LEFT: f64 = 70.0;
/// The space at the other sides.
const MARGIN: f64 = 16.0;
/// The length of the arrow of an entry.
const ENTRY: f64 = 58.0;
/// The distance between edges that lead to the next band beside each other.
const LANE: f64 = 8.0;
/// The radius of the corners of such an edge.
const CORNER: f64 = 8.0;
/// The distance between edges at one side of a stage.
const PORT: f64 = 15.0;
/// The passes over the layers that move stages beside their neighbours.
const PASSES: usize = 6;

/// A point, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) y: f64,
}

/// The positions of a graph.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The top left corner of each stage.
    pub(super) stages: Vec<Point>,
    pub(super) edges: Vec<Edge>,
}

/// An edge: a chain of cubic Bézier curves.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub(super) ends: Ends,
    pub(super) rates: EdgeRates,
    /// The start, then two control points and the end of each curve.
    pub(super) curve: Vec<Point>,
    pub(super) label: Point,
    /// True if the label ends at its point, and does not begin there.
    pub(super) label_ends: bool,
    /// True if the edge closes a cycle.
    pub(super) is_back: bool,
}

impl Layout {
    /// Returns the layout with at most `columns` stages beside each other; `None` if the network is
    /// too large to be drawn.
    pub(super) fn of(network: &Network, columns: u8) -> Option<Self> {
        let layers = Layers::of(network)?;
        let bands = Bands::of(&layers, usize::from(columns.max(1)));
        let mut routes = Routes::of(network, &layers, &bands);
        let stages = (0..network.stages).map(|stage| bands.corner(stage)).collect();
        let edges = network.edges.iter().enumerate();
        let edges = edges.filter_map(|(n, (ends, rates))| {
            let (curve, is_back) = routes.curve(n, *ends)?;
            let (label, label_ends) = routes.label(*ends, &curve);
            Some(Edge { ends: *ends, rates: *rates, curve, label, label_ends, is_back })
        });
        Some(Self { stages, edges: edges.collect(), width: bands.width, height: bands.height })
    }
}

/// The layers in bands below each other.
#[derive(Debug)]
struct Bands {
    width: f64,
    height: f64,
    /// The left side and the middle of each item.
    places: Vec<Point>,
    /// The band of each item.
    band: Vec<usize>,
    /// The upper end of each band.
    tops: Vec<f64>,
}

impl Bands {
    fn of(layers: &Layers, columns: usize) -> Self {
        let count = layers.order.len().div_ceil(columns).max(1);
        // Bands of equal length look better than a short one at the end.
        let columns = layers.order.len().div_ceil(count).max(1);
        let middles = middles(layers);
        let mut wraps = vec![0; count];
        for chain in &layers.chains {
            for pair in chain.items.windows(2) {
                let [from, to] = pair else { continue };
                let band = |item: &usize| layers.layer.get(*item).map_or(0, |it| it / columns);
                let (from, to) = (band(from), band(to));
                let wraps = wraps.get_mut(from).filter(|_| from != to);
                wraps.into_iter().for_each(|wraps| *wraps += chain.edges);
            }
        }
        let most = wraps.iter().max().map_or(0.0, |most: &usize| *most as f64);
        let channel = if most > 0.0 { most * LANE + CORNER } else { 0.0 };
        let across = columns as f64;
        let mut bands = Self {
            width: LEFT + across * WIDTH + (across - 1.0) * GAP + channel + MARGIN,
            height: 0.0,
            places: vec![Point::default(); layers.items.len()],
            band: layers.layer.iter().map(|layer| layer / columns).collect(),
            tops: Vec::new(),
        };
        let mut top = MARGIN + ROW_GAP / 2.0;
        for (band, order) in layers.order.chunks(columns).enumerate() {
            bands.tops.push(top);
            let height = bands.place(order, layers, &middles, top);
            let wraps = wraps.get(band).map_or(0.0, |wraps| *wraps as f64);
            top += height + ROW_GAP + if wraps > 0.0 { wraps * LANE + ROW_GAP } else { 0.0 };
        }
        bands.height = (top - ROW_GAP).max(0.0) + MARGIN;
        bands
    }

    /// Places the layers of a band below `top`. Returns its height.
    fn place(&mut self, order: &[Vec<usize>], layers: &Layers, middles: &[f64], top: f64) -> f64 {
        let middle = |item: usize| middles.get(item).copied().unwrap_or(0.0);
        let ends = order.iter().flatten().map(|item| {
            let half = half_height(layers.items.get(*item));
            (middle(*item) - half, middle(*item) + half)
        });
        let (low, high) =
            ends.fold((f64::MAX, f64::MIN), |(low, high), (a, b)| (low.min(a), high.max(b)));
        for (column, items) in order.iter().enumerate() {
            let x = LEFT + column as f64 * (WIDTH + GAP);
            for item in items {
                let place = Point { x, y: middle(*item) - low + top };
                self.places.get_mut(*item).into_iter().for_each(|known| *known = place);
            }
        }
        (high - low).max(0.0)
    }

    fn at(&self, item: usize) -> Point {
        self.places.get(item).copied().unwrap_or_default()
    }

    /// Returns the top left corner of a stage.
    fn corner(&self, stage: usize) -> Point {
        let place = self.at(stage);
        Point { y: place.y - HEIGHT / 2.0, ..place }
    }

    fn band(&self, item: usize) -> usize {
        self.band.get(item).copied().unwrap_or(0)
    }
}

fn half_height(item: Option<&Item>) -> f64 {
    match item {
        Some(Item::Bend) => BEND / 2.0,
        _ => HEIGHT / 2.0,
    }
}

/// Returns the middle of each item as if all layers were one band: beside its neighbours, as far as
/// the items of its layer leave room.
fn middles(layers: &Layers) -> Vec<f64> {
    let neighbours = layers.neighbours();
    let mut middles = vec![0.0; layers.items.len()];
    for items in &layers.order {
        place_apart(items, layers, &mut middles, |_, _| 0.0);
    }
    for pass in 0..PASSES {
        let is_forward = pass % 2 == 0;
        let linked = if is_forward { &neighbours.before } else { &neighbours.behind };
        let wanted = |item: usize, middles: &[f64]| {
            let linked = linked.get(item).map(Vec::as_slice).unwrap_or_default();
            let sum: f64 = linked.iter().filter_map(|item| middles.get(*item)).sum();
            let own = middles.get(item).copied().unwrap_or(0.0);
            if linked.is_empty() { own } else { sum / linked.len() as f64 }
        };
        let order = layers.order.iter();
        if is_forward {
            order.for_each(|items| place_apart(items, layers, &mut middles, wanted));
        } else {
            order.rev().for_each(|items| place_apart(items, layers, &mut middles, wanted));
        }
    }
    middles
}

/// Places the items of a layer in their order, each as near to its wanted middle as the others
/// allow: with the least sum of squared distances (pool adjacent violators).
fn place_apart(
    items: &[usize],
    layers: &Layers,
    middles: &mut [f64],
    wanted: impl Fn(usize, &[f64]) -> f64,
) {
    // The middle of each item if all stood as close as they may.
    let mut closest = Vec::with_capacity(items.len());
    let mut end = 0.0;
    for item in items {
        let half = half_height(layers.items.get(*item));
        closest.push(end + half);
        end += 2.0 * half + ROW_GAP;
    }
    // Groups of items that stand as close as they may: the sum of their shifts, and their number.
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (item, closest) in items.iter().zip(&closest) {
        groups.push((wanted(*item, middles) - closest, 1));
        while let [.., (before, n), (last, m)] = groups[..]
            && before / n as f64 >= last / m as f64
        {
            groups.truncate(groups.len() - 2);
            groups.push((before + last, n + m));
        }
    }
    let shifts = groups.iter().flat_map(|(sum, n)| std::iter::repeat_n(sum / *n as f64, *n));
    for ((item, closest), shift) in items.iter().zip(closest).zip(shifts) {
        middles.get_mut(*item).into_iter().for_each(|middle| *middle = closest + shift);
    }
}

/// The paths of the edges over placed layers.
struct Routes<'a> {
    layers: &'a Layers,
    bands: &'a Bands,
    /// The height at which each edge leaves its first stage and enters its last, as the chain goes.
    ports: Vec<(f64, f64)>,
    /// The number of edges that leave each stage.
    leaving: Vec<usize>,
    /// The number of edges that lead from each band to the next, so far.
    wraps: Vec<usize>,
}

impl<'a> Routes<'a> {
    fn of(network: &Network, layers: &'a Layers, bands: &'a Bands) -> Self {
        let mut leaving = vec![0; network.stages];
        for (ends, _) in &network.edges {
            let from = ends.from.and_then(|from| leaving.get_mut(from));
            from.into_iter().for_each(|leaving| *leaving += 1);
        }
        let ports = vec![(0.0, 0.0); network.edges.len()];
        let wraps = vec![0; bands.tops.len()];
        let mut routes = Self { layers, bands, ports, leaving, wraps };
        routes.set_ports(network);
        routes
    }

    /// Returns the items of an edge, and whether they are in its direction; `None` for an edge from
    /// outside and for one from a stage to itself.
    fn chain(&self, ends: Ends) -> Option<(&'a [usize], bool)> {
        let from = ends.from?;
        let chains = self.layers.chains.iter();
        let known = chains.map(|chain| (chain.ends, &*chain.items));
        let mut known = known.filter_map(|(known, items)| match known {
            known if known == (from, ends.to) => Some((items, true)),
            known if known == (ends.to, from) => Some((items, false)),
            _ => None,
        });
        known.next()
    }

    /// Spreads the edges over the sides of their stages, in the order of their other ends.
    fn set_ports(&mut self, network: &Network) {
        for stage in 0..network.stages {
            // The edges at the right side and at the left one, with the height to which they lead.
            let (mut right, mut left) = (Vec::new(), Vec::new());
            for (n, (ends, _)) in network.edges.iter().enumerate() {
                match self.chain(*ends) {
                    Some(([first, second, ..], _)) if *first == stage => {
                        right.push((self.bands.at(*second).y, n));
                    }
                    Some(([.., before, last], _)) if *last == stage => {
                        left.push((self.bands.at(*before).y, n));
                    }
                    None if ends.from.is_none() && ends.to == stage => left.push((f64::MIN, n)),
                    _ => {}
                }
            }
            let middle = self.bands.at(stage).y;
            for (y, n) in spread(right, middle) {
                self.ports.get_mut(n).into_iter().for_each(|port| port.0 = y);
            }
            for (y, n) in spread(left, middle) {
                self.ports.get_mut(n).into_iter().for_each(|port| port.1 = y);
            }
        }
    }

    /// Returns the curve of the nth edge, and whether it closes a cycle; `None` if it leads
    /// nowhere.
    fn curve(&mut self, n: usize, ends: Ends) -> Option<(Vec<Point>, bool)> {
        let (out, into) = self.ports.get(n).copied().unwrap_or_default();
        let Some((items, is_forward)) = self.chain(ends) else {
            return match ends.from {
                None => {
                    let end = Point { x: self.bands.at(ends.to).x, y: into };
                    let mut curve = vec![Point { x: end.x - ENTRY, ..end }];
                    line_to(&mut curve, end);
                    Some((curve, false))
                }
                Some(_) => Some((loop_above(self.bands.corner(ends.to)), true)),
            };
        };
        let (first, rest) = items.split_first()?;
        let mut curve = vec![Point { x: self.bands.at(*first).x + WIDTH, y: out }];
        let mut before = *first;
        for (place, item) in rest.iter().enumerate() {
            let at = self.bands.at(*item);
            let is_last = place + 1 == rest.len();
            let entry = Point { x: at.x, y: if is_last { into } else { at.y } };
            if self.bands.band(before) == self.bands.band(*item) {
                curve_to(&mut curve, entry);
            } else {
                self.wrap_to(&mut curve, self.bands.band(before), entry);
            }
            if !is_last {
                line_to(&mut curve, Point { x: entry.x + WIDTH, ..entry });
            }
            before = *item;
        }
        if !is_forward {
            curve.reverse();
        }
        Some((curve, !is_forward))
    }

    /// Leads a curve from the end of a band to the beginning of the next: down at the right, back
    /// between both bands, and down at the left.
    fn wrap_to(&mut self, curve: &mut Vec<Point>, band: usize, entry: Point) {
        let nth = self.wraps.get_mut(band).map_or(0, |wraps| {
            *wraps += 1;
            *wraps - 1
        });
        let Some(start) = curve.last().copied() else { return };
        let lane = nth as f64 * LANE;
        let right = start.x + CORNER + lane + LANE;
        let left = MARGIN / 2.0 + CORNER + lane;
        let below = self.bands.tops.get(band + 1).map_or(entry.y, |top| top - ROW_GAP - lane);
        corner_to(curve, Point { x: right, y: start.y }, Point { x: right, y: below });
        corner_to(curve, Point { x: right, y: below }, Point { x: left, y: below });
        corner_to(curve, Point { x: left, y: below }, Point { x: left, y: entry.y });
        corner_to(curve, Point { x: left, y: entry.y }, entry);
        line_to(curve, entry);
    }

    /// Returns the place of the label, and whether it ends there: beside the stage with fewer edges
    /// at that side.
    fn label(&self, ends: Ends, curve: &[Point]) -> (Point, bool) {
        let (Some(start), Some(end)) = (curve.first(), curve.last()) else {
            return (Point::default(), false);
        };
        if ends.from == Some(ends.to) {
            return (Point { x: (start.x + end.x) / 2.0 + 30.0, y: start.y - 12.0 }, false);
        }
        let leaving = ends.from.and_then(|from| self.leaving.get(from));
        if leaving == Some(&1) {
            let away = if start.x < end.x { 6.0 } else { -6.0 };
            return (Point { x: start.x + away, y: start.y - 5.0 }, away < 0.0);
        }
        // An arrow takes some pixels before the stage.
        let is_to_the_right = curve.iter().rev().nth(1).is_none_or(|before| before.x <= end.x);
        let away = if is_to_the_right { -12.0 } else { 12.0 };
        (Point { x: end.x + away, y: end.y - 5.0 }, away < 0.0)
    }
}

/// Spreads edges around the middle of a side, in the order of the heights to which they lead.
fn spread(mut edges: Vec<(f64, usize)>, middle: f64) -> Vec<(f64, usize)> {
    edges.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let distance = PORT.min((HEIGHT - PORT) / edges.len().max(1) as f64);
    let first = middle - distance * edges.len().saturating_sub(1) as f64 / 2.0;
    let spread = edges.into_iter().enumerate();
    spread.map(|(place, (_, n))| (first + distance * place as f64, n)).collect()
}

fn line_to(curve: &mut Vec<Point>, end: Point) {
    let start = curve.last().copied().unwrap_or(end);
    curve.extend([start, end, end]);
}

/// Adds a curve that is level at both ends.
fn curve_to(curve: &mut Vec<Point>, end: Point) {
    let start = curve.last().copied().unwrap_or(end);
    let half = f64::midpoint(start.x, end.x);
    curve.extend([Point { x: half, ..start }, Point { x: half, ..end }, end]);
}

/// Adds a line to a corner, and a round corner towards `next`.
fn corner_to(curve: &mut Vec<Point>, corner: Point, next: Point) {
    let start = curve.last().copied().unwrap_or(corner);
    line_to(curve, near(corner, start));
    curve.extend([corner, corner, near(corner, next)]);
}

/// Returns the point at the radius of a corner towards another point.
fn near(corner: Point, other: Point) -> Point {
    let (x, y) = (other.x - corner.x, other.y - corner.y);
    let length = x.hypot(y);
    let part = if length > 0.0 { (CORNER / length).min(0.5) } else { 0.0 };
    Point { x: corner.x + x * part, y: corner.y + y * part }
}

/// Returns the curve from a stage to itself, above it.
fn loop_above(corner: Point) -> Vec<Point> {
    let (x, y) = (corner.x + WIDTH * 0.7, corner.y);
    let (start, end) = (Point { x, y }, Point { x: x - 34.0, y });
    vec![start, Point { x: x + 12.0, y: y - 24.0 }, Point { x: end.x - 12.0, y: y - 24.0 }, end]
}

#[cfg(test)]
mod tests {
    use super::super::network::tests::network;
    use super::*;

    fn layout(stages: usize, edges: &[(Option<usize>, usize)], columns: u8) -> Layout {
        Layout::of(&network(stages, edges.iter().copied()), columns).unwrap()
    }

    /// Returns a chain with an entry.
    fn chain(stages: usize) -> Vec<(Option<usize>, usize)> {
        (0..stages).map(|stage| (stage.checked_sub(1), stage)).collect()
    }

    /// Fails if stages cover each other or anything stands outside of the drawing.
    fn check(layout: &Layout) {
        for (n, a) in layout.stages.iter().enumerate() {
            assert!(a.x >= LEFT && a.x + WIDTH <= layout.width, "{a:?} of {layout:?}");
            assert!(a.y >= 0.0 && a.y + HEIGHT <= layout.height, "{a:?} of {layout:?}");
            for b in &layout.stages[..n] {
                let is_apart = (a.x - b.x).abs() >= WIDTH || (a.y - b.y).abs() >= HEIGHT;
                assert!(is_apart, "{a:?} and {b:?}");
            }
        }
        for point in layout.edges.iter().flat_map(|edge| &edge.curve) {
            assert!((0.0..=layout.width).contains(&point.x), "{point:?} of {}", layout.width);
            assert!((-1.0..=layout.height).contains(&point.y), "{point:?} of {}", layout.height);
        }
    }

    #[test]
    fn a_chain_is_a_straight_line_from_left_to_right() {
        let chain = layout(4, &chain(4), 5);
        check(&chain);
        assert!(chain.stages.is_sorted_by(|a, b| a.x < b.x && (a.y - b.y).abs() < 0.01));
        assert_eq!(chain.edges.len(), 4);
    }

    #[test]
    fn a_graph_with_more_layers_than_columns_continues_in_the_next_band() {
        let width_of = |columns| layout(7, &chain(7), columns).width;
        for columns in 1..=7 {
            let layout = layout(7, &chain(7), columns);
            check(&layout);
            let first = layout.stages[0].y;
            let beside = layout.stages.iter().filter(|it| (it.y - first).abs() < 1.0).count();
            let bands = 7_usize.div_ceil(usize::from(columns));
            assert_eq!(beside, 7_usize.div_ceil(bands), "{columns} columns");
        }
        // Two columns fit a telephone.
        assert!(width_of(2) < 500.0 && width_of(7) < 1_700.0, "{} {}", width_of(2), width_of(7));
    }

    #[test]
    fn stages_beside_each_other_stand_around_their_common_source() {
        let edges = [(None, 0), (Some(0), 1), (Some(0), 2), (Some(1), 3), (Some(2), 3)];
        let fan = layout(4, &edges, 5);
        check(&fan);
        let [source, one, two, sink] = fan.stages[..] else { unreachable!() };
        assert!((source.y - f64::midpoint(one.y, two.y)).abs() < 0.01);
        assert!((source.y - sink.y).abs() < 0.01);
    }

    #[test]
    fn an_edge_back_leads_from_the_later_stage_to_the_earlier() {
        let edges = [(None, 0), (Some(0), 1), (Some(1), 2), (Some(2), 0), (Some(2), 2)];
        let cycle = layout(3, &edges, 5);
        check(&cycle);
        let back = cycle.edges.iter().find(|edge| edge.ends == Ends { from: Some(2), to: 0 });
        let back = back.unwrap();
        assert!(back.is_back && back.curve.first().unwrap().x > back.curve.last().unwrap().x);
        assert_eq!(cycle.edges.iter().filter(|edge| edge.is_back).count(), 2);
    }

    #[test]
    fn any_small_graph_fits_its_drawing() {
        // All graphs of four stages with eight of their edges.
        for bits in 0_u32..1 << 8 {
            let all = (0..4).flat_map(|from| (0..4).map(move |to| (Some(from), to)));
            let chosen = all.enumerate().filter(|(n, _)| bits >> (n % 8) & 1 == 1);
            let edges: Vec<_> = chosen.map(|(_, edge)| edge).chain([(None, 0)]).collect();
            (1..=3).for_each(|columns| check(&layout(4, &edges, columns)));
        }
    }
}
