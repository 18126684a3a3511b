//! Routes: the stages that a kind of request visits.

use std::num::NonZeroU16;

/// A stage of a graph, without its event type; [`Stage::id`](crate::Stage::id) returns it. See
/// [`Route`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageId {
    pub(crate) graph: u32,
    pub(crate) index: usize,
}

/// The stages that a kind of request is going to visit.
///
/// [`Graph::route`](crate::Graph::route) returns it, and [`SendOptions`](crate::SendOptions) give
/// it to a request. The entry then refuses the request if one of these stages has no room for it.
///
/// ```
/// use seda_core::{Graph, SendOptions};
///
/// let mut graph = Graph::new("pages");
/// let parse = graph.stage::<u32>("parse", 8);
/// let render = graph.stage::<u32>("render", 8);
/// # graph.attach_each(render, |_wire| |_n, _cx| {})?;
/// # graph.attach_each(parse, |_wire| |_n, _cx| {})?;
/// let route = Some(graph.route([parse.id(), render.id()])?);
/// let pages = graph.source(parse)?.with_options(SendOptions { route, ..SendOptions::default() });
/// # Ok::<(), seda_core::GraphError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub(crate) graph: u32,
    pub(crate) index: u16,
}

/// The number of a route in the table of all routes of a graph. `Option<RouteIndex>` takes two
/// bytes; `None` is the route of a request that passes no gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RouteIndex(NonZeroU16);

impl RouteIndex {
    /// Returns the index of route `number`; `None` above 65,534.
    pub(super) fn new(number: usize) -> Option<Self> {
        let next = u16::try_from(number).ok()?.checked_add(1)?;
        NonZeroU16::new(next).map(Self)
    }

    pub(super) fn get(self) -> usize {
        usize::from(self.0.get()) - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_optional_index_takes_two_bytes_and_covers_all_routes() {
        assert_eq!(size_of::<Option<RouteIndex>>(), 2);
        assert_eq!(
            [0, 65_534].map(|n| RouteIndex::new(n).map(RouteIndex::get)),
            [Some(0), Some(65_534)]
        );
        assert_eq!(RouteIndex::new(65_535), None);
    }
}
