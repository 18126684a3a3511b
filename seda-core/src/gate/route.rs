//! Which stages a kind of request visits.

/// A stage, whatever its events: a token, made by [`Stage::id`](crate::stage::Stage::id).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StageId {
    pub(crate) graph: u32,
    pub(crate) index: usize,
}

/// The stages that a kind of request is going to visit: a token, made by
/// [`Graph::route`](crate::graph::Graph::route) and given to a request by its
/// [`SendOptions`](crate::stage::ports::SendOptions). The entry refuses a request for the sake of these stages, and of no
/// other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    pub(crate) graph: u32,
    pub(crate) index: u16,
}
